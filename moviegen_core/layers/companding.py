"""Companding: quiet values of a latent spread out and loud ones drawn together, before noise is added.

The latents of sound lie close to those of silence most of the time and far off where something is loud: in
nano's codec the first channels have a kurtosis of 20 to 180, where noise has 3. A flow model's errors are of
one size everywhere, and what is inaudible in a loud sound hisses in silence. A logarithm that is linear about
silence makes errors proportional to loudness, as hearing does. Our choice; the paper does not say how its
latents lie.
"""

# Shape letters: C channel.

import torch
from torch import Tensor, nn


class Companding(nn.Module):
    """An inverse hyperbolic sine per channel, and its inverse."""

    knee: Tensor
    peak: Tensor

    def __init__(self, channels: int, *, device: torch.device | str | None = None) -> None:
        super().__init__()
        self.register_buffer("knee", torch.ones(channels, 1, device=device, dtype=torch.float32))
        self.register_buffer("peak", torch.full((channels, 1), 20.0, device=device, dtype=torch.float32))

    def forward(self, centred: Tensor) -> Tensor:
        """(..., C, F), 0 at silence -> the same shape: linear below the knee, logarithmic above."""
        return torch.asinh(centred / self.knee)

    def undo(self, companded: Tensor) -> Tensor:
        """The inverse; beyond the peak, the largest that was ever measured, nothing grows any more."""
        return torch.sinh(companded.clamp(-self.peak, self.peak)) * self.knee

    @torch.no_grad()
    def measure(self, centred_CN: Tensor) -> None:
        """Set knee and peak by values of every channel: half of them lie below the knee."""
        self.knee.copy_(centred_CN.abs().median(dim=1, keepdim=True).values.clamp_min(1e-4))
        self.peak.copy_(self(centred_CN).abs().amax(dim=1, keepdim=True))
