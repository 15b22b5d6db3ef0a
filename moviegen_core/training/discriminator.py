"""A patch discriminator for the autoencoder's late phase. Its kind (space and time) is our choice."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .losses import hinge_discriminator_loss


class PatchDiscriminator(nn.Module):
    """Scores each patch of 16x16 pixels and 4 frames: real or reconstructed."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width, 4 * width)
        strides = ((1, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2))
        self.convs = nn.ModuleList(
            nn.Conv3d(widths[i], widths[i + 1], 3, strides[i], padding=1) for i in range(len(strides))
        )
        self.head = nn.Conv3d(widths[-1], 1, 1)

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        """(B, 3, T, H, W) -> scores (B, 1, T / 4, H / 16, W / 16), high for real."""
        x = clip_BCTHW
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
        return self.head(x)


class DiscriminatorTrainer:
    """A discriminator with its own optimizer, one step behind the autoencoder."""

    def __init__(
        self, device: str = "cpu", learning_rate: float = 2e-4, model: nn.Module | None = None
    ) -> None:
        self.model = (model or PatchDiscriminator()).to(device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=learning_rate, betas=(0.5, 0.9))

    def step(self, real: Tensor, fake: Tensor) -> Tensor:
        """Learn from one batch; returns the loss."""
        loss = hinge_discriminator_loss(self.model(real), self.model(fake))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def score(self, fake: Tensor) -> Tensor:
        """Scores of reconstructions, with gradients for them and not for the discriminator."""
        self.model.requires_grad_(requires_grad=False)
        scores = self.model(fake)
        self.model.requires_grad_(requires_grad=True)
        return scores
