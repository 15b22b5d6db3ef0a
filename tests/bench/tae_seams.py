"""Seams where a decode is put together: how much frames bend there, over elsewhere, streamed and overlapped.

A bend is how far a frame lies from the middle between its neighbours, relative to the same in the clip
decoded whole: 1 is no seam.

    python tests/bench/tae_seams.py CLIP.mp4
"""

import argparse

import torch

from moviegen_core.media.read import read_clip
from moviegen_core.media.resize import fit
from moviegen_core.media.write import clip_from_frames
from moviegen_core.models.tae_stream import decode_chunks
from moviegen_core.stages.decode import decode_overlapped
from moviegen_core.weights.cast import open_cast

HEIGHT, WIDTH, CHUNK_CELLS = 112, 192, 2


def bends(clip):
    """Of every frame but the first and last."""
    middle = (clip[:, :, :-2] + clip[:, :, 2:]) / 2
    return (clip[:, :, 1:-1] - middle).abs().mean(dim=(0, 1, 3, 4))


def seam(made, whole, borders):
    """Bends at borders over bends elsewhere, each relative to the whole's."""
    ratio = bends(made) / bends(whole)
    at = torch.zeros(len(ratio), dtype=torch.bool)
    at[[border - 1 for border in borders] + [border - 2 for border in borders]] = True
    return (ratio[at].mean() / ratio[~at].mean()).item()


@torch.no_grad()
def measure(path: str, num_frames: int) -> dict[str, tuple[float, float]]:
    tae = open_cast("nano").load("tae")
    clip = clip_from_frames(fit(read_clip(path, max_frames=num_frames)[0], HEIGHT, WIDTH))
    num_frames = clip.shape[2] // 32 * 32
    latent = tae.encode(clip[:, :, :num_frames])
    whole = tae.decode(latent, num_frames).clamp(-1, 1)
    borders = range(8 * CHUNK_CELLS, num_frames, 8 * CHUNK_CELLS)
    cut = [tae.decode(part, part.shape[2] * 8) for part in latent.split(CHUNK_CELLS, dim=2)]
    made = {
        "streamed": list(decode_chunks(tae, [latent], CHUNK_CELLS)),
        "overlapped and blended": list(decode_overlapped(tae, latent, num_frames)),
        "cut without overlap": cut,
    }
    joined = {name: torch.cat(parts, dim=2).clamp(-1, 1) for name, parts in made.items()}
    return {
        name: (seam(one, whole, borders), (one - whole).abs().max().item()) for name, one in joined.items()
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip")
    parser.add_argument("--frames", type=int, default=96)
    args = parser.parse_args()
    for name, (ratio, worst) in measure(args.clip, args.frames).items():
        print(f"{name}: seam {ratio:.5f}, largest difference to the whole {worst:.1e}")
