import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError
from moviegen_core.layers.patches import from_patches, to_patches, token_grid


@pytest.mark.parametrize("patch", [(1, 1, 1), (1, 2, 2), (2, 2, 3)])
def test_patches_come_back_as_the_latent_they_were(patch):
    x = torch.randn(2, 5, 4, 6, 12)
    tokens = to_patches(x, patch)
    grid = token_grid((4, 6, 12), patch)
    assert tokens.shape == (2, grid[0] * grid[1] * grid[2], 5 * patch[0] * patch[1] * patch[2])
    assert_close(from_patches(tokens, grid, patch), x)


def test_a_linear_behind_the_patches_is_a_strided_convolution():
    x, kernel = torch.randn(2, 5, 3, 4, 6), torch.randn(7, 5, 1, 2, 2)
    strided = torch.nn.functional.conv3d(x, kernel, stride=(1, 2, 2))
    assert_close(to_patches(x, (1, 2, 2)) @ kernel.flatten(1).T, strided.flatten(2).mT)


@pytest.mark.parametrize(("frames", "height", "width"), [(256, 768, 768), (256, 576, 1024), (256, 1024, 576)])
def test_the_papers_largest_clips_are_73728_tokens(frames, height, width):
    t, h, w = token_grid((frames // 8, height // 8, width // 8), (1, 2, 2))
    assert t * h * w == 73_728


def test_a_latent_that_is_not_whole_patches_is_refused_with_both_sizes():
    with pytest.raises(GeometryError, match=r"\(4, 7, 8\) .* \(1, 2, 2\)"):
        token_grid((4, 7, 8), (1, 2, 2))
