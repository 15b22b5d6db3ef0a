from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from moviegen_core.errors import SettingsError
from moviegen_core.models.text import TEXT_PRESETS, ByteEncoder
from moviegen_core.models.video import VIDEO_PRESETS, VideoTransformer
from moviegen_core.training.loop import LoopConfig, new_run, train_step
from moviegen_core.training.lora import Examples, Lora, LoraObjective
from moviegen_core.training.optimizer import OptimizerConfig

LATENT = (16, 1, 4, 4)


@pytest.fixture
def video():
    model = VideoTransformer(
        replace(VIDEO_PRESETS["nano"], width=32, num_layers=2, num_heads=2, ffn_width=48)
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def output(video):
    generator = torch.Generator().manual_seed(1)
    x, words = torch.randn(2, *LATENT, generator=generator), torch.randn(2, 5, 192, generator=generator)
    with torch.no_grad():
        return video(x, torch.tensor([0.2, 0.8]), video.context([words]))


def shaken(lora):
    for addition in lora.additions:
        torch.nn.init.normal_(addition.up.weight, std=0.1)
    return lora


def test_a_fresh_lora_changes_nothing_and_a_detached_one_leaves_no_trace(video):
    before = output(video)
    lora = Lora(video, rank=4)
    torch.testing.assert_close(output(video), before, rtol=0, atol=0)
    shaken(lora)
    assert not torch.allclose(output(video), before, atol=1e-3)
    lora.detach()
    torch.testing.assert_close(output(video), before, rtol=0, atol=0)


def test_the_files_matrices_added_to_the_weights_do_the_same(video, tmp_path):
    lora = shaken(Lora(video, rank=4))
    wanted = output(video)
    lora.save(tmp_path / "look.safetensors")
    lora.detach()
    file = {name: tensor.float() for name, tensor in load_file(tmp_path / "look.safetensors").items()}
    assert len(file) == 2 * len(lora.names)
    for name in lora.names:
        key = f"diffusion_model.{name}"
        video.get_submodule(name).weight.data += file[f"{key}.lora_B.weight"] @ file[f"{key}.lora_A.weight"]
    torch.testing.assert_close(output(video), wanted, rtol=0.05, atol=0.02)


def test_every_linear_layer_of_the_blocks_gains_and_no_other(video):
    names = set(Lora(video).names)
    assert all(name.startswith("blocks.") for name in names)
    assert {name.split(".", 2)[2] for name in names} >= {
        *("self_attention.qkv", "self_attention.out", "ffn.gate_up", "ffn.down"),
    }


def test_training_moves_the_additions_and_leaves_the_transformer(video):
    text = ByteEncoder(TEXT_PRESETS["nano"])
    before = {name: tensor.clone() for name, tensor in video.state_dict().items()}
    lora = Lora(video, rank=4)
    examples = Examples(latents=torch.ones(3, *LATENT), prompts=["FPS-16. a ball"] * 3)
    config = LoopConfig(optimizer=OptimizerConfig(learning_rate=1e-2), num_steps=30, warmup_steps=0)
    state, objective = new_run(lora, config), LoraObjective(text, video, examples, batch=4)
    first = objective(0)["total"].item()
    for _ in range(30):
        train_step(state, objective, config)
    assert objective(0)["total"].item() < first
    assert all(torch.equal(tensor, before[name]) for name, tensor in video.state_dict().items())


def test_a_rank_that_adds_nothing_is_refused(video):
    with pytest.raises(SettingsError, match="use 4 to 32"):
        Lora(video, rank=0)
