"""How the host keeps a model of ours: its patcher, and what its VAE object holds around an autoencoder."""

import comfy.model_management
import comfy.model_patcher
import comfy.sd
from torch import Tensor, nn


def patcher_class(disable_dynamic: bool = False) -> type[comfy.model_patcher.ModelPatcher]:
    """Looked up at every call: newer hosts exchange it after start."""
    classic = comfy.model_patcher.ModelPatcher
    return classic if disable_dynamic else getattr(comfy.model_patcher, "CoreModelPatcher", classic)


def adopt(vae: comfy.sd.VAE, model: nn.Module, state: dict[str, Tensor]) -> None:
    """Give a VAE object, whose ``working_dtypes`` are set, its model with these weights."""
    model.load_state_dict(state, strict=True)
    manager = comfy.model_management
    vae.device, vae.output_device = manager.vae_device(), manager.intermediate_device()
    vae.vae_dtype = manager.vae_dtype(vae.device, vae.working_dtypes)
    vae.first_stage_model = model.eval().requires_grad_(False).to(vae.vae_dtype)
    getattr(manager, "archive_model_dtypes", lambda _model: None)(vae.first_stage_model)
    vae.patcher = patcher_class()(
        vae.first_stage_model, load_device=vae.device, offload_device=manager.vae_offload_device()
    )
    vae.size = None
    vae.model_size()
