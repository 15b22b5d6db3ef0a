"""Which config and model class play each role of the cast."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import MovieGenError, WeightsError
from ..models.audio import (
    AUDIO_PRESETS,
    AUDIO_TEXT_PRESETS,
    AudioTransformer,
    AudioTransformerConfig,
)
from ..models.audio_codec import CODEC_PRESETS, AudioCodec, AudioCodecConfig
from ..models.edit import EDIT_PRESETS, EditTransformer, EditTransformerConfig
from ..models.face_judge import FACE_JUDGE_PRESETS, FaceJudge, FaceJudgeConfig
from ..models.identity import IDENTITY_PRESETS, IdentityEncoder, IdentityEncoderConfig
from ..models.judge import JUDGE_PRESETS, Judge, JudgeConfig
from ..models.sound_judge import SOUND_JUDGE_PRESETS, SoundJudge, SoundJudgeConfig
from ..models.tae import TAE_PRESETS, TaeConfig, TemporalAutoencoder
from ..models.text import TEXT_PRESETS, ByteEncoder, ByteEncoderConfig
from ..models.upsampler import UPSAMPLER_PRESETS, Upsampler, UpsamplerConfig
from ..models.video import VIDEO_PRESETS, VideoTransformer, VideoTransformerConfig
from ..models.vision import VISION_PRESETS, FrameEncoder, FrameEncoderConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """How one role of the cast is built."""

    config: type
    """Frozen dataclass that says how large the model is."""
    model: type[nn.Module]
    """Built as model(config, device=, dtype=, operations=)."""
    presets: Mapping[str, Any]
    """Named configs, "nano" and, where the paper has the model, "paper" among them."""


ROLES: dict[str, Role] = {
    "tae": Role(config=TaeConfig, model=TemporalAutoencoder, presets=TAE_PRESETS),
    "text": Role(config=ByteEncoderConfig, model=ByteEncoder, presets=TEXT_PRESETS),
    "video": Role(config=VideoTransformerConfig, model=VideoTransformer, presets=VIDEO_PRESETS),
    "upsampler": Role(config=UpsamplerConfig, model=Upsampler, presets=UPSAMPLER_PRESETS),
    "edit": Role(config=EditTransformerConfig, model=EditTransformer, presets=EDIT_PRESETS),
    "edit_text": Role(config=ByteEncoderConfig, model=ByteEncoder, presets=TEXT_PRESETS),
    "personalized": Role(config=VideoTransformerConfig, model=VideoTransformer, presets=VIDEO_PRESETS),
    "identity": Role(config=IdentityEncoderConfig, model=IdentityEncoder, presets=IDENTITY_PRESETS),
    "audio_codec": Role(config=AudioCodecConfig, model=AudioCodec, presets=CODEC_PRESETS),
    "audio": Role(config=AudioTransformerConfig, model=AudioTransformer, presets=AUDIO_PRESETS),
    "audio_text": Role(config=ByteEncoderConfig, model=ByteEncoder, presets=AUDIO_TEXT_PRESETS),
    "vision": Role(config=FrameEncoderConfig, model=FrameEncoder, presets=VISION_PRESETS),
    "judge": Role(config=JudgeConfig, model=Judge, presets=JUDGE_PRESETS),
    "sound_judge": Role(config=SoundJudgeConfig, model=SoundJudge, presets=SOUND_JUDGE_PRESETS),
    "face_judge": Role(config=FaceJudgeConfig, model=FaceJudge, presets=FACE_JUDGE_PRESETS),
}


class _NoRandomStart(TorchFunctionMode):
    """Leaves random starting values out on meta, where torch would import its whole compiler to draw none."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401 - torch's signature
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        kwargs = kwargs or {}
        target = args[0] if args else kwargs.get("tensor")
        drawn = getattr(func, "__name__", "") in ("normal_", "uniform_") and isinstance(target, Tensor)
        return target if drawn and target.is_meta else func(*args, **kwargs)


def find_role(name: str) -> Role:
    """Look a role up.

    Args:
        name: such as "tae".

    Returns:
        Its config, model and presets.

    Raises:
        WeightsError: no such role.
    """
    if name not in ROLES:
        raise WeightsError(f"role {name!r} is unknown; use one of {', '.join(ROLES)}")
    return ROLES[name]


def build(
    role: str,
    config: Any,  # noqa: ANN401 - a preset name, or an instance of the role's own config class
    *,
    device: torch.device | str = "meta",
    dtype: torch.dtype | None = None,
    operations: ModuleType | Any = nn,  # noqa: ANN401 - any namespace that has Linear, Conv3d, ...
) -> nn.Module:
    """Make the model of a role, on ``meta`` unless told otherwise.

    Args:
        role: such as "tae".
        config: a preset name such as "nano", or the role's config.
        device: where the parameters live; "meta" costs no memory.
        dtype: parameter type; None is float32.
        operations: namespace the layers are made from.

    Returns:
        The model, freshly initialised.

    Raises:
        WeightsError: no such role or preset.
    """
    entry = find_role(role)
    if isinstance(config, str):
        if config not in entry.presets:
            raise WeightsError(f"{role} has no preset {config!r}; use one of {', '.join(entry.presets)}")
        config = entry.presets[config]
    with _NoRandomStart():
        return entry.model(config, device=device, dtype=dtype, operations=operations)


def config_from_json(role: str, raw: object) -> Any:  # noqa: ANN401 - the role's own config class
    """Rebuild a role's config from what JSON made of it.

    Args:
        role: such as "tae".
        raw: the parsed JSON; lists become tuples.

    Returns:
        An instance of the role's config class.

    Raises:
        WeightsError: not a JSON object, a field is unknown or missing, or the config refuses a value.
    """
    kind = find_role(role).config
    if not isinstance(raw, dict):
        raise WeightsError(f"the config is {type(raw).__name__}, not a JSON object of {kind.__name__} fields")
    known = [field.name for field in fields(kind)]
    strangers = [name for name in raw if name not in known]
    if strangers:
        raise WeightsError(
            f"config field {strangers[0]!r} is unknown; a {role} config has {', '.join(known)}"
        )
    try:
        return kind(**{name: _frozen(value) for name, value in raw.items()})
    except (TypeError, ValueError, ArithmeticError, MovieGenError) as error:
        raise WeightsError(f"the config does not make a {role} model ({error})") from error


def _frozen(value: object) -> object:
    """JSON knows no tuples; configs hold nothing else."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
