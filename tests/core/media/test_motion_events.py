"""What happens in a picture, told by frames alone."""

from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.media.motion_events import event_curve, event_times


def _disc(places, side=96):
    """A white disc whose middle is at each of the places (x, y), on grey; (3, T, H, W)."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    frames = [((x - a) ** 2 + (y - b) ** 2 < 15**2).float() for a, b in places]
    return torch.stack(frames)[None].expand(3, -1, -1, -1) * 0.8 - 0.2


def _bouncing(num_frames, fps, period=1.0):
    """A ball under gravity that hits the ground at every whole multiple of its period."""
    phases = [(frame / fps % period) / period for frame in range(num_frames)]
    return _disc([(48, 78 - 50 * 4 * share * (1 - share)) for share in phases])


@pytest.mark.parametrize("fps", [12, 24, 30])
def test_a_ball_is_seen_to_hit_the_ground_when_it_does(fps):
    found = event_times(event_curve([_bouncing(4 * fps, fps)], Fraction(fps)), Fraction(fps))
    assert found == pytest.approx([1.0, 2.0, 3.0], abs=1 / fps)


def test_steady_motion_and_stillness_are_no_events():
    steady = _disc([(20 + 1.5 * frame, 48) for frame in range(40)])
    stop = _disc([(20 + 1.5 * min(frame, 20), 48) for frame in range(40)])
    still = _disc([(48, 48)] * 40)
    strongest = float(event_curve([stop], Fraction(16)).max())
    assert event_curve([steady], Fraction(16)).max() < 0.3 * strongest
    assert event_curve([still], Fraction(16)).max() == 0
    assert event_times(event_curve([still], Fraction(16)), Fraction(16)) == []
    assert abs(int(event_curve([stop], Fraction(16)).argmax()) - 20) <= 1


def test_a_flash_is_an_event():
    clip = _disc([(48, 48)] * 30)
    clip[:, 17] += 0.5
    assert event_times(event_curve([clip], Fraction(16)), Fraction(16)) == pytest.approx(
        [17 / 16], abs=1 / 16
    )


def test_a_cut_to_another_shot_and_a_frame_shown_twice_are_no_events():
    bounce = _bouncing(48, 16)
    faster = _disc([(10 + 3 * frame, 40) for frame in range(24)]) * 0.5 + 0.2
    shots = torch.cat([bounce[:, :24], faster], dim=1)
    found = event_times(event_curve([shots], Fraction(16)), Fraction(16))
    assert found == pytest.approx([1.0], abs=1 / 16)
    twice = bounce[:, [frame - (frame % 5 == 4) for frame in range(48)]]
    assert event_times(event_curve([twice], Fraction(16)), Fraction(16)) == pytest.approx(
        [1, 2], abs=1.5 / 16
    )


@pytest.mark.parametrize("piece", [1, 2, 5, 50])
def test_a_clip_in_pieces_is_the_whole_clip(piece):
    clip = _bouncing(37, 12)
    whole = event_curve([clip], Fraction(12))
    assert whole.shape == (37,)
    assert_close(event_curve(clip.split(piece, dim=1), Fraction(12)), whole)


@pytest.mark.parametrize("num_frames", [0, 1, 2, 3])
def test_the_shortest_clips_have_a_value_a_frame(num_frames):
    chunks = [torch.zeros(3, num_frames, 8, 8)] if num_frames else []
    assert event_curve(chunks, Fraction(24)).tolist() == [0.0] * num_frames
