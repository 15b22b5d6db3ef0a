"""``moviegen theatre``: clips of the small world, with what is in them."""

import argparse
import json
import random

from ..errors import GeometryError, SettingsError
from ..geometry import ClipShape, check_size
from ..media.write import frames_from_clip, write_clip
from ..stages.content import content_key
from ..theatre.captions import canonical_caption, caption_and_label
from ..theatre.render import render
from ..theatre.sampling import sample_scene
from ..theatre.scene import Scene
from .manifest import Manifest
from .output import check_folder, tell
from .progress import Progress
from .values import clip_shape

SCENES = "scenes.jsonl"
EVEN = 2
"""H.264 wants even sides."""
MAX_PIXELS = 2**28
"""Pixels of one clip; a clip is rendered whole, and this much fills three gigabytes."""


def run(args: argparse.Namespace) -> int:
    """Do what the options ask for.

    Args:
        args: parsed options of ``theatre``.

    Returns:
        The exit code.

    Raises:
        SettingsError: no clips were asked for.
    """
    if args.count < 1:
        raise SettingsError(f"{args.count} clips cannot be made; give a --count of 1 or more")
    shape, folder = _checked_shape(args), check_folder(args.output)
    folder.mkdir(exist_ok=True)
    manifest = Manifest(folder / SCENES)
    manifest.tidy()
    with Progress(f"{args.count} clips", args.count) as progress:
        made = 0
        for seed in range(args.seed, args.seed + args.count):
            made += _film(manifest, args.split, seed, shape)
            progress.advance()
    manifest.tidy()
    kept = f", {args.count - made} already there" if made < args.count else ""
    facts = {"folder": str(folder), "scenes": str(manifest.path), "made": made, "kept": args.count - made}
    tell(args, f"{folder}: {made} clips made{kept}; {SCENES} tells what is in them", facts)
    return 0


def _film(manifest: Manifest, split: str, seed: int, shape: ClipShape) -> int:
    """Make one clip unless it is there; returns how many were made."""
    scene, file = sample_scene(seed, split), f"{split}-{seed:06}.mp4"
    facts = _facts(scene, split, seed, shape)
    key = content_key(facts)
    if manifest.is_done(file, key):
        return 0
    clip = render(
        [scene], num_frames=shape.num_frames, fps=shape.fps, height=shape.height, width=shape.width
    )[0]
    metadata = {"prompt": canonical_caption(scene), "scene": scene.to_json()}
    write_clip(manifest.path.parent / file, frames_from_clip(clip), shape.fps, metadata=metadata)
    manifest.add(file, key, **facts)
    return 1


def _facts(scene: Scene, split: str, seed: int, shape: ClipShape) -> dict[str, object]:
    caption, camera = caption_and_label(scene, random.Random(f"caption {split} {seed}"))
    size = {"frames": shape.num_frames, "fps": str(shape.fps), "width": shape.width, "height": shape.height}
    words = {"plain_caption": canonical_caption(scene), "caption": caption, "camera_label": camera}
    return {"split": split, "seed": seed, **words, **size, "scene": json.loads(scene.to_json())}


def _checked_shape(args: argparse.Namespace) -> ClipShape:
    shape = clip_shape(args)
    check_size(shape.height, shape.width, EVEN)
    if shape.num_frames * shape.height * shape.width > MAX_PIXELS:
        size = f"{shape.num_frames} frames of {shape.width}x{shape.height}"
        raise GeometryError(f"{size} do not fit in memory; give fewer --seconds or a smaller --size")
    return shape
