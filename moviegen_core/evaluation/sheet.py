"""Contact sheets: stills of generated or edited clips, what was asked, and what was found in them."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn.functional import interpolate

from ..media.write import frames_from_clip
from ..theatre.questions import face_answers
from .measure_edit import EditSample
from .measure_personalized import OURS, FaceSample
from .measure_upsampler import UpsamplerSample
from .measure_video import Sample

NUM_COLUMNS = 3
ENLARGED = 3
"""Screen pixels of each side of a pixel in crops of upscaled clips."""
GAP, LINE = 8, 14
PAPER, INK, GREEN, RED = (250, 250, 248), (20, 20, 24), (24, 110, 50), (190, 30, 30)


def contact_sheet(samples: Sequence[Sample], num_columns: int = NUM_COLUMNS) -> Image.Image:
    """Lay clips out in a grid: stills in a row, then the prompt, then the judge's answers in green or red.

    Args:
        samples: at least one, all of one size.
        num_columns: clips side by side.

    Returns:
        The picture.
    """
    return _grid([_strip(sample) for sample in samples], num_columns)


def edit_sheet(samples: Sequence[EditSample], num_columns: int = NUM_COLUMNS) -> Image.Image:
    """Lay edits out in a grid: the source above, the edit below, then what was asked and how it went.

    Args:
        samples: at least one, all of one size.
        num_columns: edits side by side.

    Returns:
        The picture.
    """
    return _grid([_edit_strip(sample) for sample in samples], num_columns)


def face_sheet(samples: Sequence[FaceSample], num_columns: int = 2) -> Image.Image:
    """Lay faces out in a grid: the reference, stills beside it, the prompt, then what the judge saw.

    Args:
        samples: at least one, all of one size.
        num_columns: clips side by side.

    Returns:
        The picture.
    """
    return _grid([_face_strip(sample) for sample in samples], num_columns)


def upscaled_sheet(samples: Sequence[UpsamplerSample], num_columns: int = 2) -> Image.Image:
    """Lay crops out in a grid: bicubic, what was made, and the truth side by side, three times as large.

    Args:
        samples: at least one, all of one size.
        num_columns: clips side by side.

    Returns:
        The picture.
    """
    return _grid([_upscaled_strip(sample) for sample in samples], num_columns)


def _grid(strips: Sequence[Image.Image], num_columns: int) -> Image.Image:
    wide, high = strips[0].width + GAP, strips[0].height + GAP
    rows = -(-len(strips) // num_columns)
    sheet = Image.new("RGB", (num_columns * wide + GAP, rows * high + GAP), PAPER)
    for index, strip in enumerate(strips):
        row, column = divmod(index, num_columns)
        sheet.paste(strip, (GAP + column * wide, GAP + row * high))
    return sheet


def _edit_strip(sample: EditSample) -> Image.Image:
    pictures = [_side_by_side(one) for one in (sample.before, sample.after)]
    strip, pen, font = _captioned(pictures)
    height = len(pictures[0])
    pen.text((2, 2 * height + 2), sample.edit.instruction, INK, font)
    kept = "" if sample.kept is None else f", rest {sample.kept:.1f} dB"
    there = sample.right.get("judge", sample.right["nearer"])
    told = f"{sample.edit.task}: {'there' if there else 'not there'}{kept}"
    pen.text((2, 2 * height + LINE + 1), told, GREEN if there else RED, font)
    return strip


def _strip(sample: Sample) -> Image.Image:
    prompt = f"[{sample.camera}] {sample.prompt}"
    return _answered(_side_by_side(sample.stills), prompt, sample.seen, sample.right)


def _face_strip(sample: FaceSample) -> Image.Image:
    height = sample.stills.shape[-2]
    reference = interpolate(sample.reference[None], (height, height), mode="bilinear")
    pictures = [_side_by_side(part) for part in (reference, sample.stills)]
    missed = "" if sample.reference_right[OURS] else "; the reference is not the face"
    prompt = f"{sample.prompt} (likeness {sample.likeness:.2f}{missed})"
    return _answered(np.concatenate(pictures, axis=1), prompt, _told(sample), sample.right)


def _upscaled_strip(sample: UpsamplerSample) -> Image.Image:
    crops = torch.stack([sample.bicubic, sample.made, sample.true])
    picture = _side_by_side(crops.repeat_interleave(ENLARGED, -1).repeat_interleave(ENLARGED, -2))
    strip, pen, font = _captioned([picture], num_lines=1)
    told = f"{sample.what}: bicubic {sample.bicubic_psnr:.1f} dB, ours {sample.psnr:.1f} dB, the truth"
    better = sample.psnr > sample.bicubic_psnr
    pen.text((2, len(picture) + 2), told, GREEN if better else RED, font)
    return strip


def _told(sample: FaceSample) -> dict[str, str]:
    """Each answer by its question's name; a wrong one with the right one."""
    if not sample.looked.seen:
        return {next(iter(sample.right)): "no face found"}
    truth = face_answers(sample.person)
    seen = {question: sample.looked.seen[question] for question in truth}
    return {
        question: f"{question}: {answer}" + ("" if answer == truth[question] else f", not {truth[question]}")
        for question, answer in seen.items()
    }


def _answered(
    picture: np.ndarray, prompt: str, seen: Mapping[str, str], judged: Mapping[str, bool]
) -> Image.Image:
    """A picture, (H, W, 3) uint8, above its prompt and what was seen in it."""
    strip, pen, font = _captioned([picture])
    height = len(picture)
    pen.text((2, height + 2), prompt, INK, font)
    x = 2.0
    for question, answer in seen.items():
        right = judged.get(question)
        if right is not None:
            pen.text((x, height + LINE + 1), answer, GREEN if right else RED, font)
            x += pen.textlength(f"{answer}    ", font)
    return strip


def _captioned(
    pictures: Sequence[np.ndarray], num_lines: int = 2
) -> tuple[Image.Image, ImageDraw.ImageDraw, ImageFont.ImageFont]:
    """Pictures of one size, one above the other, with room for lines below."""
    height, width = pictures[0].shape[:2]
    strip = Image.new("RGB", (width, len(pictures) * height + num_lines * LINE), PAPER)
    for row, picture in enumerate(pictures):
        strip.paste(Image.fromarray(picture), (0, row * height))
    return strip, ImageDraw.Draw(strip), ImageFont.load_default()


def _side_by_side(stills_TCHW: Tensor) -> np.ndarray:
    """(T, 3, H, W) in -1..1 -> (H, T * W, 3) uint8."""
    frames = frames_from_clip(stills_TCHW.movedim(0, 1))
    return np.concatenate(list(frames.numpy()), axis=1)
