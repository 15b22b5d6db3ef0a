from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError, SettingsError
from moviegen_core.geometry import fit_frame
from moviegen_core.stages.colour import correct_lab, correct_wavelet, from_lab, to_lab
from moviegen_core.stages.steadiness import Steadiness
from moviegen_core.stages.upscale import (
    Place,
    Upscaler,
    UpscaleSettings,
    enlarge_in_tiles,
    resampler,
    tile_edges,
    upscale_stream,
    upscale_window,
    windows_of,
)


def doubled(clip, _piece):
    return clip.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)


DOUBLE = Upscaler(name="double", enlarge=doubled, content="double", factor=2, window=5)


def random_frames(count, height=12, width=16):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=generator)


def settings(height, width=None, *, source=(12, 16), fit="crop", colour="none"):
    return UpscaleSettings(fit=fit_frame(source, height, width, fit), colour=colour)


def upscaled(upscaler, frames, how, at=None):
    return [part for part, _ in upscale_stream(upscaler, frames, how, at)]


@pytest.mark.parametrize(
    ("source", "height", "width", "fit", "size"),
    [
        ((12, 16), 24, None, "crop", (24, 32)),
        ((11, 17), 40, None, "crop", (40, 60)),
        ((16, 12), 30, None, "crop", (30, 22)),
        ((12, 16), 24, 24, "crop", (24, 24)),
        ((12, 16), 24, 24, "pad", (24, 24)),
        ((1, 1), 2, None, "crop", (2, 2)),
    ],
)
@pytest.mark.parametrize("name", ["bicubic", "lanczos", "double"])
def test_every_frame_has_exactly_the_size_asked_for(source, height, width, fit, size, name):
    upscaler = DOUBLE if name == "double" else resampler(name)
    how = settings(height, width, source=source, fit=fit)
    assert upscale_window(upscaler, random_frames(2, *source), how).shape == (2, *size, 3)


@pytest.mark.parametrize("count", [1, 4, 5, 6, 9, 10, 23])
@pytest.mark.parametrize("overlap", [0, 2, 4])
def test_no_frame_is_lost_or_doubled_and_what_windows_agree_on_stays(count, overlap):
    frames = random_frames(count)
    parts = upscaled(replace(DOUBLE, overlap=overlap), frames, settings(24))
    expected = frames.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    assert torch.equal(torch.cat(parts), expected)


@pytest.mark.parametrize("overlap", [0, 2, 4])
def test_going_on_from_any_place_gives_the_same_frames(overlap):
    def wavering(clip, piece):
        return doubled(clip, piece) * (
            0.5 + 0.5 * torch.rand(1, generator=torch.Generator().manual_seed(piece.frame))
        )

    frames, upscaler = random_frames(19), replace(DOUBLE, enlarge=wavering, overlap=overlap)
    whole = list(upscale_stream(upscaler, frames, settings(24)))
    for stop in range(len(whole)):
        at = whole[stop][1]
        rest = upscaled(upscaler, frames[at.start :], settings(24), at) if not at.is_done else []
        assert torch.equal(
            torch.cat([part for part, _ in whole[: stop + 1]] + rest), torch.cat([part for part, _ in whole])
        )
        assert at.made == sum(len(part) for part, _ in whole[: stop + 1])


def test_between_two_windows_the_later_takes_over_steadily():
    def stepping(clip, piece):
        return torch.full((3, clip.shape[1], 24, 32), -1.0 if piece.frame == 0 else 1.0)

    frames = torch.cat(
        upscaled(replace(DOUBLE, enlarge=stepping, window=8, overlap=4), random_frames(12), settings(24))
    )
    levels = frames[:, 0, 0, 0].tolist()
    assert levels[:4] == [0] * 4
    assert levels[8:] == [255] * 4
    assert levels[4:8] == [51, 102, 153, 204]


@pytest.mark.parametrize("count", range(1, 14))
def test_windows_cover_the_stream_and_the_last_brings_something_new(count):
    seen, last = [], []
    for window, is_last in windows_of(torch.arange(count), 5, 2):
        seen += window.tolist() if not seen else window.tolist()[2:]
        last.append(is_last)
    assert seen == list(range(count))
    assert last == [False] * (len(last) - 1) + [True]


def test_tiles_are_the_whole_where_the_upscaler_sees_only_pixels():
    clip = torch.randn(3, 2, 13, 29)
    whole = enlarge_in_tiles(DOUBLE, clip, (26, 58))
    tiled = enlarge_in_tiles(replace(DOUBLE, tile=8, tile_overlap=3), clip, (26, 58))
    assert_close(tiled, whole)


def test_an_upscaler_that_needs_whole_multiples_gets_them_and_their_places():
    seen = []

    def watched(clip, piece):
        seen.append((tuple(clip.shape[-2:]), (piece.top, piece.left), piece.whole))
        return doubled(clip, piece)

    upscaler = replace(DOUBLE, enlarge=watched, tile=8, tile_overlap=2, multiple=4)
    made = enlarge_in_tiles(upscaler, torch.randn(3, 1, 7, 13), (14, 26))
    assert made.shape == (3, 1, 14, 26)
    assert all(height % 4 == width % 4 == 0 for (height, width), _, _ in seen)
    assert [corner for _, corner, _ in seen] == [(0, 0), (0, 10)]
    assert {whole for _, _, whole in seen} == {(14, 26)}


def test_an_upscaler_is_applied_as_often_as_comes_nearest():
    assert [DOUBLE.passes(factor) for factor in (1, 1.2, 2, 2.5, 3, 4, 5.7, 9.6)] == [1, 1, 1, 1, 2, 2, 3, 3]
    assert resampler("bicubic").passes(10) == 1


def test_an_upscaler_that_lies_about_its_factor_is_refused():
    with pytest.raises(GeometryError, match="double gave"):
        upscale_window(replace(DOUBLE, factor=3), random_frames(1), settings(36))


def test_cropping_keeps_the_middle_and_padding_adds_black():
    frames = torch.full((1, 12, 16, 3), 200, dtype=torch.uint8)
    padded = upscale_window(DOUBLE, frames, settings(24, 40, fit="pad"))
    assert padded[:, :, 4:36].eq(200).all()
    assert padded[:, :, :4].eq(0).all()
    assert padded[:, :, 36:].eq(0).all()
    frames[:, :, :3], frames[:, :, 13:] = 0, 0
    assert upscale_window(DOUBLE, frames, settings(24, 20)).eq(200).all()


@pytest.mark.parametrize("colour", ["wavelet", "lab"])
def test_a_tint_goes_and_detail_stays(colour):
    def tinted(clip, piece):
        noise = torch.randn(1, 1, 96, 128, generator=torch.Generator().manual_seed(0)) * 0.05
        return doubled(clip, piece) * 0.8 + torch.tensor([0.1, -0.1, 0.0]).view(3, 1, 1, 1) + noise

    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 3, 4) * 200 + 20, (48, 64), mode="bicubic")
    frames = smooth.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    upscaler = replace(DOUBLE, enlarge=tinted)
    plain = upscale_window(resampler("bicubic"), frames, settings(96, source=(48, 64))).float()
    off, corrected = (
        upscale_window(upscaler, frames, settings(96, source=(48, 64), colour=how)).float()
        for how in ("none", colour)
    )
    bias = [(made - plain).mean(dim=(0, 1, 2)).abs().max() for made in (off, corrected)]
    assert bias[0] > 5
    assert bias[1] < bias[0] / 3
    assert (corrected - plain).std() > 2


def test_correcting_by_wavelets_leaves_what_is_right_alone():
    clip = torch.rand(3, 2, 40, 50) * 2 - 1
    assert_close(correct_wavelet(clip, clip), clip)
    assert_close(correct_lab(clip, clip), clip, atol=2e-3, rtol=0)


def test_lab_is_undone_and_grey_has_no_colour():
    clip = torch.rand(3, 1, 5, 6) * 1.98 - 0.99
    assert_close(from_lab(to_lab(clip)), clip, atol=1e-4, rtol=0)
    grey = to_lab(torch.tensor([-1.0, 0.0, 1.0]).view(1, 1, 1, 3).expand(3, 1, 1, 3))
    assert_close(grey[0, 0, 0, [0, 2]], torch.tensor([0.0, 100.0]), atol=1e-2, rtol=0)
    assert grey[1:].abs().max() < 0.02


def test_an_even_clip_made_plainly_is_as_steady_as_its_source_and_a_jumping_one_is_not():
    frames = torch.nn.functional.interpolate(
        random_frames(20, 3, 4).movedim(-1, 1).float(), (12, 16), mode="bicubic"
    )
    frames = frames.clamp(0, 255).to(torch.uint8).movedim(1, -1)
    steady = list(upscale_stream(DOUBLE, frames, settings(24)))[-1][1].steadiness.facts()
    assert steady["flicker"] == pytest.approx(1, abs=0.1)
    assert steady["seam"] == pytest.approx(1, abs=0.02)
    assert steady["colour"] < 0.5

    def jumping(clip, piece):
        return (doubled(clip, piece) + (0.5 if piece.frame // 5 % 2 else -0.5)).clamp(-1, 1)

    flat = torch.full((20, 12, 16, 3), 128, dtype=torch.uint8) + random_frames(20) // 32
    facts = list(upscale_stream(replace(DOUBLE, enlarge=jumping), flat, settings(24)))[-1][
        1
    ].steadiness.facts()
    assert facts["flicker"] > 2
    assert facts["seam"] > 2
    assert facts["colour"] > 5


def test_tiles_of_different_tints_show_in_the_report_and_tiles_that_agree_do_not():
    def tinted(clip, piece):
        return doubled(clip, piece) + (0.3 if piece.left else -0.3)

    frames = torch.full((2, 12, 16, 3), 128, dtype=torch.uint8) + random_frames(2) // 32
    facts = {}
    for name, enlarge in (("even", doubled), ("tinted", tinted)):
        upscaler = replace(DOUBLE, enlarge=enlarge, tile=8, tile_overlap=1)
        facts[name] = list(upscale_stream(upscaler, frames, settings(24)))[-1][1].steadiness.facts()["tiles"]
    assert facts["tinted"] > 1.5
    assert facts["even"] < 1.5
    assert list(upscale_stream(DOUBLE, frames, settings(24)))[-1][1].steadiness.facts()["tiles"] is None
    assert tile_edges(upscaler, settings(24).fit) == ([4, 8], [4, 8, 12])


def test_a_comparison_put_away_goes_on_as_if_it_never_stopped():
    made, source = random_frames(10), random_frames(10) // 2
    whole = Steadiness()
    for start in (0, 4):
        whole.add(made[start : start + 5], source[start : start + 5], borders=(0,))
    first = Steadiness()
    first.add(made[:5], source[:5], borders=(0,))
    again = Steadiness.resumed(first.state(), first.made, first.source)
    again.add(made[4:9], source[4:9], borders=(0,))
    assert again.facts() == whole.facts()


def test_one_frame_has_no_flicker_and_no_seam():
    facts = list(upscale_stream(DOUBLE, random_frames(1), settings(24)))[-1][1].steadiness.facts()
    assert (facts["flicker"], facts["seam"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"window": 4, "overlap": 4}, "overlap of 4"), ({"tile": 8, "tile_overlap": 8}, "cannot share 8")],
)
def test_an_upscaler_that_contradicts_itself_is_refused(change, said):
    with pytest.raises(SettingsError, match=said):
        replace(DOUBLE, **change)


def test_unknown_filters_and_corrections_are_refused():
    with pytest.raises(SettingsError, match="bicubic or lanczos"):
        resampler("magic")
    with pytest.raises(SettingsError, match="wavelet, lab, none"):
        settings(24, colour="sepia")


def test_nothing_to_upscale_gives_nothing():
    assert list(upscale_stream(DOUBLE, [], settings(24))) == []
    assert not Place.begin().is_done
