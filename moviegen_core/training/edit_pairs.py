"""Pairs of clips before and after an edit, as latents on disk: true ones, animated pictures, and markings.

Source: Movie Gen, section 5 (animated frame editing, generative instruction-guided segmentation). The theatre
films true pairs of clips as well, which the paper did not have; how far pictures travel is our choice.
"""

# Shape letters: N pair, C channel, T frame, H row, W column.

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..models.tae import TemporalAutoencoder
from ..theatre.edits import Edit, sample_edit
from ..theatre.render import render, render_mattes
from ..theatre.scene import Scene
from ..theatre.vocabulary import COLOURS
from ..theatre.wording import NOUNS
from .latents import Bucket, LatentConfig, fingerprint

FILMED, ANIMATED, MARKED = "filmed", "animated", "marked"
KINDS = (FILMED, ANIMATED, MARKED)
UNDONE_BY = {"add": "remove", "remove": "add"}
MARKS = ("mark {} in {}", "colour in {} with {}", "segment {} in {}", "highlight {} in {}")
BATCH = 4
"""Clips encoded at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairBucket(Bucket):
    """Pairs of one shape and one kind."""

    kind: str = FILMED
    """"filmed": true pairs; "animated": a picture and its edit on the same random journey; "marked": the
    target is the source with one actor painted over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is said about a pair."""

    instruction: str
    inverse: str
    """Empty where nobody can ask for the way back."""
    task: str
    source: str
    """Scene as JSON."""
    target: str
    """Scene as JSON; that of the source where only marks were painted."""


@dataclass(frozen=True, slots=True)
class PairShard:
    """Pairs of one bucket."""

    sources: Tensor
    """(N, 16, T, H, W) bfloat16."""
    targets: Tensor
    requests: tuple[Request, ...]
    fps: int


class PairStore:
    """A folder of shards for one autoencoder; what is missing is made, what is there is never made again."""

    def __init__(self, folder: Path, tae: TemporalAutoencoder, config: LatentConfig) -> None:
        self.tae, self.config = tae, config
        self.folder = folder / fingerprint(tae, config)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._shards: dict[int, PairShard] = {}

    def shard(self, index: int) -> PairShard:
        """Shard ``index``, from memory, from disk, or made now."""
        if index not in self._shards:
            path = self.folder / f"{index:06d}.safetensors"
            if not path.exists():
                self._make(index, path)
            self._shards[index] = _read(path)
        return self._shards[index]

    def bucket(self, index: int) -> PairBucket:
        """The bucket a shard belongs to."""
        bucket = self.config.buckets[self.config.bucket_of(index)]
        assert isinstance(bucket, PairBucket)
        return bucket

    def _make(self, index: int, path: Path) -> None:
        bucket, rng = self.bucket(index), random.Random(f"pairs {index}")
        fps, first = rng.choice(bucket.frame_rates), self.config.first_seed + index * self.config.shard_size
        edits = [sample_edit(first + offset) for offset in range(self.config.shard_size)]
        requests, sides = [], ([], [])
        for start in range(0, len(edits), BATCH):
            pairs, said = _filmed(edits[start : start + BATCH], bucket, fps, rng, self._device)
            requests += said
            for side, clips in zip(sides, pairs, strict=True):
                side.append(self._encode(clips))
        sources, targets = (torch.cat(side).to(torch.bfloat16).contiguous() for side in sides)
        note = {"requests": json.dumps([asdict(one) for one in requests]), "fps": str(fps)}
        partial = path.with_suffix(".partial")
        save_file({"sources": sources, "targets": targets}, partial, metadata=note)
        partial.replace(path)

    @property
    def _device(self) -> str:
        return str(next(self.tae.parameters()).device)

    @torch.no_grad()
    def _encode(self, clips: Tensor) -> Tensor:
        with torch.autocast(clips.device.type, torch.bfloat16):
            return torch.cat([self.tae.encode(clip[None]).float().cpu() for clip in clips])


def _read(path: Path) -> PairShard:
    with safe_open(path, framework="pt") as file:
        note = file.metadata()
        requests = tuple(Request(**one) for one in json.loads(note["requests"]))
        return PairShard(file.get_tensor("sources"), file.get_tensor("targets"), requests, int(note["fps"]))


def _filmed(
    edits: Sequence[Edit], bucket: PairBucket, fps: int, rng: random.Random, device: str
) -> tuple[tuple[Tensor, Tensor], list[Request]]:
    """Clips before and after, (N, 3, T, H, W) each, and what is said about them."""
    size = {"height": bucket.height, "width": bucket.width, "device": device}
    scenes = [edit.source for edit in edits], [edit.target for edit in edits]
    if bucket.kind == MARKED:
        return _marked(scenes[0], bucket, fps, rng, device)
    said = [_request(edit) for edit in edits]
    if bucket.kind == FILMED and bucket.num_frames > 1:
        sides = (render(side, num_frames=bucket.num_frames, fps=fps, **size) for side in scenes)
        return tuple(sides), said  # type: ignore[return-value]
    moment = Fraction(rng.uniform(0.1, 2.0)).limit_denominator(1000)
    before, after = (render(side, num_frames=2, fps=1 / moment, **size)[:, :, 1:] for side in scenes)
    if bucket.kind == ANIMATED:
        return animated(before, after, bucket.num_frames, rng), said
    return (before, after), said


def _request(edit: Edit) -> Request:
    task = edit.task
    if task == "recolour" and any(
        one.kind in ("person", "koala") and one != other
        for one, other in zip(edit.source.actors, edit.target.actors, strict=True)
    ):
        task = "clothing"
    return Request(
        instruction=edit.instruction,
        inverse=edit.inverse,
        task=task,
        source=edit.source.to_json(),
        target=edit.target.to_json(),
    )


def animated(
    before_NCTHW: Tensor, after_NCTHW: Tensor, num_frames: int, rng: random.Random
) -> tuple[Tensor, Tensor]:
    """Send pictures and their edits on journeys: each pair zooms, turns and shifts alike.

    Args:
        before_NCTHW: (N, 3, 1, H, W) in -1..1.
        after_NCTHW: the same shape.
        num_frames: of the clips.
        rng: decides the journeys.

    Returns:
        Both as clips of so many frames; what comes into view repeats the edge.
    """
    journeys = torch.stack([_journey(num_frames, rng) for _ in before_NCTHW])
    pair = torch.cat([before_NCTHW[:, :, 0], after_NCTHW[:, :, 0]], dim=1)
    frames = []
    for frame in range(num_frames):
        ways = F.affine_grid(journeys[:, frame].to(pair), list(pair.shape), align_corners=False)
        frames.append(F.grid_sample(pair, ways, padding_mode="border", align_corners=False))
    clips = torch.stack(frames, dim=2)
    return clips[:, :3].contiguous(), clips[:, 3:].contiguous()


def _journey(num_frames: int, rng: random.Random) -> Tensor:
    """(T, 2, 3) affine maps from one random view to another, evenly."""
    ends = [
        torch.tensor([rng.uniform(0.75, 1.0), rng.uniform(-0.1, 0.1), *(rng.uniform(-0.2, 0.2),) * 2])
        for _ in range(2)
    ]
    steps = torch.linspace(0, 1, num_frames)[:, None]
    scale, turn, x, y = (ends[0] + steps * (ends[1] - ends[0])).unbind(1)
    rows = [scale * turn.cos(), -scale * turn.sin(), x, scale * turn.sin(), scale * turn.cos(), y]
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def _marked(
    scenes: Sequence[Scene], bucket: PairBucket, fps: int, rng: random.Random, device: str
) -> tuple[tuple[Tensor, Tensor], list[Request]]:
    """Clips, and the same with one actor painted over in a flat colour that a sentence asks for."""
    size = {"height": bucket.height, "width": bucket.width, "device": device}
    clips = render(scenes, num_frames=bucket.num_frames, fps=fps, **size)
    mattes = render_mattes(scenes, num_frames=bucket.num_frames, fps=fps, **size)
    targets, said = clips.clone(), []
    for row, scene in enumerate(scenes):
        place, name = rng.randrange(len(scene.actors)), rng.choice(tuple(COLOURS))
        paint = torch.tensor(COLOURS[name], device=clips.device).view(3, 1, 1, 1) * 2 - 1
        targets[row] += mattes[row, place] * (paint - clips[row])
        actor = scene.actors[place]
        whom = f"the {actor.colour} {rng.choice(NOUNS[actor.kind])}"
        sentence = rng.choice(MARKS).format(whom, name)
        said.append(
            Request(
                instruction=sentence,
                inverse="",
                task="segment",
                source=scene.to_json(),
                target=scene.to_json(),
            )
        )
    return (clips, targets), said


def undone(request: Request) -> Request:
    """The same pair the other way round."""
    return replace(
        request,
        instruction=request.inverse,
        inverse=request.instruction,
        task=UNDONE_BY.get(request.task, request.task),
        source=request.target,
        target=request.source,
    )
