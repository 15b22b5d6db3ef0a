"""From any speakers to one or two, by the coefficients of ITU-R BS.775."""

import torch
from torch import Tensor

from ..errors import MediaError
from .sound import MONO, STEREO, Sound

HALF_POWER = 0.5**0.5
"""-3 dB."""
TO_STEREO = {
    **dict.fromkeys(("FL", "DL"), (1, 0)),
    **dict.fromkeys(("FR", "DR"), (0, 1)),
    **dict.fromkeys(("BL", "SL", "WL", "FLC", "TFL", "TBL", "TSL"), (HALF_POWER, 0)),
    **dict.fromkeys(("BR", "SR", "WR", "FRC", "TFR", "TBR", "TSR"), (0, HALF_POWER)),
    **dict.fromkeys(("FC", "TFC"), (HALF_POWER, HALF_POWER)),
    **dict.fromkeys(("BC", "TC", "TBC"), (HALF_POWER**2, HALF_POWER**2)),
    **dict.fromkeys(("LFE", "LFE2"), (0, 0)),
}
"""What left and right receive of each speaker; what the standard does not name goes as its neighbours do."""


def remixed(sound: Sound, num_channels: int) -> Sound:
    """Bring a sound to mono or stereo.

    One channel goes to both sides as it is, and two become their mean, so that mono comes back unchanged and
    nothing clips. More than two go by BS.775: centre and surrounds at -3 dB, the effects channel dropped;
    what is loud in several of them may pass full scale, and stays whole in float.

    Args:
        sound: of any speakers in ``TO_STEREO``.
        num_channels: 1 or 2.

    Returns:
        The sound with those channels.

    Raises:
        MediaError: a number other than 1 or 2, or a speaker of which nobody knows where it stands.
    """
    target = {1: MONO, 2: STEREO}.get(num_channels)
    if target is None:
        raise MediaError(f"{num_channels} channels cannot be mixed; ask for 1 (mono) or 2 (stereo)")
    if sound.speakers == target:
        return sound
    weights = mix_matrix(sound.speakers, num_channels)
    mixed = sound.through(lambda blocks: (_weighted(block, weights) for block in blocks))
    return Sound(sample_rate=sound.sample_rate, speakers=target, chunks=mixed.chunks)


def mix_matrix(speakers: tuple[str, ...], num_channels: int) -> Tensor:
    """Weights of every speaker in one or two channels, (num_channels, C) float32; see ``remixed``."""
    unknown = [name for name in speakers if name not in TO_STEREO]
    if unknown:
        raise MediaError(f"nobody knows where speaker {unknown[0]} stands; export the sound as stereo")
    alone = len(speakers) == 1
    weights = torch.tensor([(1, 1) if alone else TO_STEREO[name] for name in speakers], dtype=torch.float64).T
    return (weights if num_channels == 2 else weights.mean(0, keepdim=True)).float()


def _weighted(block: Tensor, weights: Tensor) -> Tensor:
    """Sum channel by channel, which comes out the same whatever the length."""
    mixed = block.new_zeros(len(weights), block.shape[1])
    for channel, gains in zip(block, weights.T, strict=True):
        mixed += gains[:, None] * channel
    return mixed
