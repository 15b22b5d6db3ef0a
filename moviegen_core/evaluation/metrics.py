"""How close two clips are: PSNR and SSIM, frame by frame; how well a score tells what belongs together."""

import math

import torch
from torch import Tensor

from ..errors import GeometryError

MAX_DB = 100.0
"""What identical frames count as, so that an average stays finite."""
WINDOW, SIGMA = 11, 1.5
K1, K2 = 0.01, 0.03


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, of each frame, then averaged over frames.

    Args:
        a: (B, 3, T, H, W) or (3, T, H, W), pixels in -1..1.
        b: same shape.

    Returns:
        At most MAX_DB, which is what identical frames give.
    """
    a_NCHW, b_NCHW = _paired_frames(a, b)
    error = torch.stack([(x - y).square().mean() for x, y in zip(a_NCHW, b_NCHW, strict=True)]).double()
    return (-10 * error.clamp_min(10 ** (-MAX_DB / 10)).log10()).mean().item()


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity on RGB, averaged over pixels, channels and frames.

    Windows lie wholly inside the frame.

    Args:
        a: (B, 3, T, H, W) or (3, T, H, W), pixels in -1..1.
        b: same shape, both sides at least WINDOW.

    Returns:
        At most 1, which is what identical clips give.

    Raises:
        GeometryError: a side is smaller than the window.

    Source: Wang, Bovik, Sheikh and Simoncelli, Image quality assessment (2004), with its constants.
    """
    a_NCHW, b_NCHW = _paired_frames(a, b)
    if min(a.shape[-2:]) < WINDOW:
        raise GeometryError(
            f"frames of {a.shape[-1]}x{a.shape[-2]} are too small; SSIM needs {WINDOW}x{WINDOW}"
        )
    values = [_frame_ssim(x, y) for x, y in zip(a_NCHW.split(1), b_NCHW.split(1), strict=True)]
    return math.fsum(values) / len(values)


def _paired_frames(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both clips as frames (B * T, 3, H, W) in 0..1."""
    if a.shape != b.shape:
        raise GeometryError(
            f"clips of {tuple(a.shape)} and {tuple(b.shape)} cannot be compared; make them equal"
        )
    return tuple(((x.float() + 1) / 2).movedim(-3, -4).reshape(-1, 3, *x.shape[-2:]) for x in (a, b))


def _frame_ssim(a_1CHW: Tensor, b_1CHW: Tensor) -> float:
    stacked = torch.cat([a_1CHW, b_1CHW, a_1CHW**2, b_1CHW**2, a_1CHW * b_1CHW]).double()
    mean_a, mean_b, square_a, square_b, product = _blurred(stacked)
    spread_a, spread_b, shared = square_a - mean_a**2, square_b - mean_b**2, product - mean_a * mean_b
    light = (2 * mean_a * mean_b + K1**2) / (mean_a**2 + mean_b**2 + K1**2)
    structure = (2 * shared + K2**2) / (spread_a + spread_b + K2**2)
    return (light * structure).mean().item()


def _blurred(x_NCHW: Tensor) -> Tensor:
    """Weighted local means under a Gaussian window, as two matrix products: thin convolutions are slow."""
    rows, columns = (_window_matrix(side, x_NCHW) for side in x_NCHW.shape[-2:])
    return rows @ x_NCHW @ columns.mT


def _window_matrix(side: int, like: Tensor) -> Tensor:
    """(side - WINDOW + 1, side): each row holds the Gaussian at one place."""
    offsets = torch.arange(side) - torch.arange(side - WINDOW + 1)[:, None] - WINDOW // 2
    weights = torch.exp(-(offsets.double() ** 2) / (2 * SIGMA**2)) * (offsets.abs() <= WINDOW // 2)
    return (weights / weights.sum(1, keepdim=True)).to(like)


def area_under_curve(same: Tensor, different: Tensor) -> float:
    """How often what belongs together scores higher than what does not: 1 always, a half by chance.

    Args:
        same: scores of pairs that belong together, (N,).
        different: scores of pairs that do not, (M,).

    Returns:
        The share of all N * M comparisons that come out right, equals counting half: the area under the curve
        of hits over false alarms.
    """
    won = (same[:, None] > different).double() + (same[:, None] == different).double() / 2
    return won.mean().item()
