from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import Interrupted, PromptError, SettingsError
from moviegen_core.media.sound import waveform_of
from moviegen_core.media.write import write_clip
from moviegen_core.models.audio import AudioTransformer
from moviegen_core.models.prompt import seen_sound_prompt
from moviegen_core.stages import soundtrack as stage
from moviegen_core.stages.settings import SamplingSettings, SoundSettings
from moviegen_core.stages.sound import Score, compose, load_sound
from moviegen_core.stages.soundtrack import (
    CONTEXT,
    STRETCH,
    Seen,
    compose_stretches,
    see_clip,
    see_video,
    soundtrack,
    stem_prompts,
    stem_sound,
    stretches,
)
from moviegen_core.stages.units import Units
from moviegen_core.weights.cast import open_cast

HOP = 1920
QUICK = SamplingSettings(num_steps=2, guidance=2.0, solver="euler")
PLAIN = SoundSettings(sampling=QUICK)
BOTH = SoundSettings(sampling=QUICK, music="calm piano")


@pytest.fixture(scope="module")
def models(sound_folder):
    return load_sound(open_cast(sound_folder))


@pytest.fixture
def seen(models):
    return see_clip(models, [torch.rand(3, 24, 18, 32) * 2 - 1], Fraction(12))


@pytest.fixture
def _short(monkeypatch):
    """Stretches of half a second, so that a test's sound has several."""
    monkeypatch.setattr(stage, "STRETCH", 12)
    monkeypatch.setattr(stage, "CONTEXT", 4)


@pytest.mark.parametrize("num_frames", [1, 2, 699, 700, 701, 1401, 90_000])
def test_stretches_follow_each_other_cover_all_and_fit_with_their_context(num_frames):
    places = stretches(num_frames)
    assert [place.start for place in places] == [0, *(place.stop for place in places[:-1])]
    assert places[-1].stop == num_frames
    lengths = [place.stop - place.start for place in places]
    assert max(lengths) <= STRETCH - CONTEXT
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("num_samples", [1, HOP, 5 * HOP + 7, 30 * HOP - 1])
def test_every_stem_lasts_exactly_as_long_as_asked(models, seen, num_samples):
    stems = soundtrack(models, BOTH, num_samples, seen)
    assert list(stems) == ["effects", "music"]
    for sound in stems.values():
        assert waveform_of(sound).shape == (1, num_samples)


def test_a_stem_can_be_streamed_again_and_is_the_same(models, seen):
    sound = soundtrack(models, PLAIN, 9 * HOP, seen)["effects"]
    assert waveform_of(sound).equal(waveform_of(sound))


def test_music_is_off_unless_described_and_effects_can_be_off():
    assert stem_prompts(PLAIN, 640, has_picture=True) == {"effects": seen_sound_prompt()}
    only = stem_prompts(SoundSettings(effects=None, music="tense strings"), 640, has_picture=False)
    assert list(only) == ["music"]
    assert '"tense strings"' in only["music"]
    with pytest.raises(SettingsError, match="both switched off"):
        SoundSettings(effects=None)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (SoundSettings(), "nothing says what is to be heard"),
        (SoundSettings(effects="rain", music=" "), "nothing says which music"),
        (SoundSettings(effects="a man is talking"), "neither speech nor singing"),
        (SoundSettings(effects="rain", music="pop with vocals"), "neither speech nor singing"),
        (SoundSettings(effects="x" * 700), "shorten it"),
    ],
)
def test_prompts_that_say_nothing_ask_for_voices_or_are_too_long_are_refused(settings, words):
    with pytest.raises(PromptError, match=words):
        stem_prompts(settings, 640, has_picture=False)


@pytest.mark.usefixtures("_short")
def test_each_stretch_hears_the_end_of_the_one_before(models):
    score = Score(num_frames=20)
    first, second, third = compose_stretches(models, "rain", score, PLAIN)
    assert first.shape[1] + second.shape[1] + third.shape[1] == 20
    known = torch.cat([first[:, -4:], torch.zeros(4, second.shape[1])], dim=1)
    masked = torch.tensor([False] * 4 + [True] * second.shape[1])
    alone = compose(
        models,
        "rain",
        Score(num_frames=known.shape[1], known_CF=known, masked_F=masked),
        replace(QUICK, seed=stage.MAX_CANDIDATES),
    )
    assert_close(second, alone[0][:, 4:])


@pytest.mark.usefixtures("_short")
def test_an_interrupted_job_goes_on_where_it_stood_and_ends_alike(models, seen, tmp_path):
    units = Units(folder=tmp_path / "parts", job="one")
    whole = soundtrack(models, BOTH, 40 * HOP, seen)
    calls = []

    def stop(done, total):
        calls.append((done, total))
        if done == 7:
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        soundtrack(models, BOTH, 40 * HOP, seen, units=units, on_progress=stop)
    assert len(list(units.folder.iterdir())) == 3
    reached = []
    again = soundtrack(
        models, BOTH, 40 * HOP, seen, units=units, on_progress=lambda done, _: reached.append(done)
    )
    assert reached[:3] == [2, 4, 6]
    assert reached[-1] == calls[0][1]
    for name, sound in again.items():
        assert waveform_of(sound).equal(waveform_of(whole[name]))


def test_the_candidate_is_kept_that_choose_names(models):
    score, settings = Score(num_frames=6), replace(PLAIN, num_candidates=3)
    (chosen,) = compose_stretches(models, "rain", score, settings, choose=lambda *_: 2)
    all_three = compose(models, "rain", score, QUICK, num_candidates=3)
    assert_close(chosen, all_three[2], atol=1e-5, rtol=1e-4)


def test_of_several_candidates_the_one_in_step_with_the_picture_wins(models, monkeypatch):
    tried = []

    def rank(waves_BCS, _rate, events_L, event_rate):
        tried.append((waves_BCS.shape, len(events_L) / event_rate))
        return [1, 0]

    monkeypatch.setattr(stage, "ranked", rank)
    seen = see_clip(models, [torch.rand(3, 24, 18, 32)], Fraction(12))
    settings = replace(BOTH, num_candidates=2)
    soundtrack(models, settings, 96_000, seen)
    assert tried == [(torch.Size([2, 1, 96_000]), 2)]
    soundtrack(models, replace(settings, effects="rain"), 96_000)
    assert len(tried) == 1


@pytest.mark.parametrize("fps", [8, 12, Fraction(24000, 1001), 60])
def test_a_video_file_is_seen_as_its_frames_are(models, tmp_path, fps):
    frames = torch.randint(0, 255, (9, 32, 32, 3), dtype=torch.uint8)
    write_clip(tmp_path / "clip.mp4", frames, Fraction(fps))
    counts = []
    seen = see_video(models, tmp_path / "clip.mp4", Fraction(fps), counts.append)
    assert counts == [9]
    assert (seen.fps, seen.starts) == (fps, ())
    assert seen.score(models, round(9 / Fraction(fps) * 48000)).seen_FC.shape[1] == 6


def test_pictures_of_uneven_length_are_seen_at_their_own_time(models, tmp_path):
    frames = torch.randint(0, 255, (6, 32, 32, 3), dtype=torch.uint8)
    write_clip(tmp_path / "clip.mp4", frames, Fraction(10))
    even = see_video(models, tmp_path / "clip.mp4", Fraction(10))
    uneven = see_video(models, tmp_path / "clip.mp4", None)
    assert uneven.starts == tuple(Fraction(frame, 10) for frame in range(6))
    one, other = (kind.score(models, 28_800).seen_FC for kind in (even, uneven))
    assert one.equal(other)
    assert uneven.event_rate == 100


def test_what_was_seen_goes_through_a_file_of_tensors_unchanged(models, tmp_path):
    frames = torch.randint(0, 255, (6, 32, 32, 3), dtype=torch.uint8)
    write_clip(tmp_path / "clip.mp4", frames, Fraction(24000, 1001))
    for fps in (Fraction(24000, 1001), None):
        seen = see_video(models, tmp_path / "clip.mp4", fps)
        again = Seen.from_tensors(seen.tensors())
        assert (again.fps, again.event_rate, again.starts) == (seen.fps, seen.event_rate, seen.starts)
        assert again.features_TC.equal(seen.features_TC)


def test_a_stem_of_another_length_than_its_latent_is_refused(models):
    with pytest.raises(ValueError, match="decodes to"):
        waveform_of(stem_sound(models.codec, torch.zeros(4, 3), 9 * HOP))


class Swelling(AudioTransformer):
    """A velocity toward what the picture shows: louder and softer over seconds, never suddenly."""

    def forward(self, x_BCF, t_B, _context, *, video_BFC=None, **_known):
        return (video_BFC.transpose(1, 2)[:, : x_BCF.shape[1]] - x_BCF) / (1 - t_B[:, None, None])


def test_no_seam_is_heard_between_stretches_or_windows(models):
    """Energy and spectrum jump no more at a border than the most they do elsewhere."""
    count = 3 * (STRETCH - CONTEXT)
    swell = 1 + 0.5 * torch.sin(torch.arange(count) / 40)
    features = torch.randn(6, generator=torch.Generator().manual_seed(1)) * swell[:, None]
    smooth = replace(models, audio=Swelling(models.audio.config))
    score = Score(num_frames=count, seen_FC=features)
    latent = torch.cat(list(compose_stretches(smooth, "", score, PLAIN)), dim=1)
    wave = waveform_of(stem_sound(models.codec, latent, count * HOP))[0]
    frames = wave.view(-1, HOP)
    energy = frames.square().mean(1).clamp(min=1e-12).log().diff().abs()
    spectra = (torch.fft.rfft(frames * torch.hann_window(HOP)).abs() + 1e-6).log()
    bend = spectra.diff(dim=0).abs().mean(1)
    borders = {place.start for place in stretches(count)[1:]} | set(range(100, count, 100))
    for jump in (energy, bend):
        at = torch.tensor([float(jump[border - 1]) for border in borders])
        away = torch.tensor([float(v) for k, v in enumerate(jump) if not {k, k + 1, k + 2} & borders])
        assert at.max() <= 1.05 * away.max()
