"""Latent cells to tokens and back (Movie Gen, section 3: patches of 1x2x2)."""

# Shape letters: B clip, C channel, T frame, H row, W column, L token.

from torch import Tensor

from ..errors import GeometryError

Patch = tuple[int, int, int]


def token_grid(latent_shape: tuple[int, int, int], patch: Patch) -> tuple[int, int, int]:
    """Tokens along (T, H, W).

    Args:
        latent_shape: latent (frames, height, width).
        patch: latent cells per token along each.

    Returns:
        Counts along each.

    Raises:
        GeometryError: a side is not a multiple of the patch.
    """
    if any(size % side for size, side in zip(latent_shape, patch, strict=True)):
        raise GeometryError(
            f"a latent of {latent_shape} cells is not made of whole patches of {patch}; pad it"
        )
    t, h, w = (size // side for size, side in zip(latent_shape, patch, strict=True))
    return t, h, w


def to_patches(x_BCTHW: Tensor, patch: Patch) -> Tensor:
    """(B, C, T, H, W) -> (B, L, C * patch cells); a Linear behind it makes a strided 3D convolution."""
    B, C, *shape = x_BCTHW.shape
    t, h, w = token_grid((shape[0], shape[1], shape[2]), patch)
    cells = x_BCTHW.reshape(B, C, t, patch[0], h, patch[1], w, patch[2])
    return cells.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(B, t * h * w, -1)


def from_patches(tokens_BLP: Tensor, grid: tuple[int, int, int], patch: Patch) -> Tensor:
    """The inverse of ``to_patches`` for a token grid (T, H, W)."""
    t, h, w = grid
    cells = tokens_BLP.reshape(tokens_BLP.shape[0], t, h, w, -1, *patch)
    cells = cells.permute(0, 4, 1, 5, 2, 6, 3, 7)
    return cells.reshape(tokens_BLP.shape[0], -1, t * patch[0], h * patch[1], w * patch[2])
