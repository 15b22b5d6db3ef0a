from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import GeometryError, Interrupted, SettingsError, WeightsError
from moviegen_core.models.audio import AUDIO_PRESETS, AUDIO_TEXT_PRESETS, AudioTransformer
from moviegen_core.models.audio_codec import CODEC_PRESETS, AudioCodec
from moviegen_core.models.text import ByteEncoder
from moviegen_core.models.vision import VISION_PRESETS, FrameEncoder
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.stages.sound import (
    Score,
    SoundModels,
    compose,
    compose_segments,
    fill,
    known_latent,
    load_sound,
    mask_of,
    play,
    score_for_clip,
    watch,
)
from moviegen_core.weights.cast import open_cast, write_cast
from moviegen_core.weights.files import save_model

CHANNELS = 4
CODEC = replace(
    CODEC_PRESETS["nano"],
    latent_channels=CHANNELS,
    linear_channels=2,
    encoder_widths=(4, 4, 4),
    decoder_widths=(4, 4, 4),
    encoder_units=(0, 0, 0),
    decoder_units=(1, 1, 0),
)
AUDIO = replace(
    AUDIO_PRESETS["nano"],
    width=16,
    num_layers=1,
    num_heads=2,
    ffn_width=24,
    context_widths=(8,),
    vision_width=CHANNELS,
    latent_channels=CHANNELS,
)
TEXT = replace(AUDIO_TEXT_PRESETS["nano"], width=8, num_layers=1, num_heads=1, ffn_width=8)
VISION = replace(VISION_PRESETS["nano"], size=16, stem_widths=(4,), patch=4, width=8, feature_width=CHANNELS)
HOP = 1920
PLAIN = SamplingSettings(num_steps=4, guidance=1, solver="midpoint")


def randomized(model):
    torch.manual_seed(0)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def models():
    return SoundModels(
        codec=randomized(AudioCodec(CODEC)),
        text=randomized(ByteEncoder(TEXT)),
        vision=randomized(FrameEncoder(VISION)),
        audio=randomized(AudioTransformer(AUDIO)),
    )


class Toy(AudioTransformer):
    """A velocity that is linear in every frame and leads straight to what is seen plus what is known."""

    def forward(self, x_BCF, t_B, _context, *, known_BCF=None, video_BFC=None):
        target = torch.zeros_like(x_BCF) if video_BFC is None else video_BFC.transpose(1, 2)
        target = target if known_BCF is None else target + known_BCF
        return (target - x_BCF) / (1 - t_B[:, None, None])


@pytest.fixture
def toy(models):
    return replace(models, audio=Toy(AUDIO))


class Drift(AudioTransformer):
    """A linear velocity without a goal: where it leads depends on the noise."""

    def forward(self, x_BCF, t_B, _context, *, video_BFC, **_known):
        return 0.7 * x_BCF + t_B[:, None, None] + video_BFC.transpose(1, 2)


def seen(count):
    return torch.randn(count, CHANNELS)


@pytest.mark.parametrize("num_frames", [1, 7, 8, 9, 30])
def test_windows_of_a_linear_velocity_lead_where_the_whole_leads(models, num_frames):
    drifting = replace(models, audio=Drift(AUDIO))
    score = Score(num_frames=num_frames, seen_FC=seen(num_frames))
    whole = compose(drifting, "", score, PLAIN, window=64)
    assert_close(compose(drifting, "", score, PLAIN, window=8), whole, atol=1e-5, rtol=1e-4)


def test_each_frame_is_made_of_what_is_seen_then(toy):
    features = seen(30)
    latent = compose(toy, "", Score(num_frames=30, seen_FC=features), PLAIN, window=8)
    assert_close(latent[0], features.T, atol=1e-4, rtol=1e-4)


def test_guidance_pulls_away_from_a_branch_that_is_told_nothing(toy):
    features, settings = seen(12), replace(PLAIN, guidance=3.0)
    masked = torch.tensor([True] * 8 + [False] * 4)
    score = Score(num_frames=12, seen_FC=features, known_CF=torch.ones(CHANNELS, 12), masked_F=masked)
    latent = compose(toy, "", score, settings, window=32)
    assert_close(latent[0, :, :8], 3 * features.T[:, :8], atol=1e-4, rtol=1e-4)


def test_known_frames_are_exactly_as_given_and_what_is_masked_is_not_looked_at(models):
    known, masked = torch.randn(CHANNELS, 20), torch.zeros(20, dtype=torch.bool)
    masked[5:14] = True
    score = Score(num_frames=20, known_CF=known, masked_F=masked)
    latent = compose(models, "rain", score, PLAIN, window=8)
    assert latent[0][:, ~masked].equal(known[:, ~masked])
    junk = known.masked_fill(masked, 9.0)
    assert compose(models, "rain", replace(score, known_CF=junk), PLAIN, window=8).equal(latent)


def test_known_sound_changes_what_is_made_beside_it(models):
    masked = torch.tensor([True] * 6 + [False] * 4)
    one, other = (
        compose(models, "", Score(num_frames=10, known_CF=known, masked_F=masked), PLAIN)
        for known in (torch.zeros(CHANNELS, 10), torch.ones(CHANNELS, 10))
    )
    assert not torch.allclose(one[..., :6], other[..., :6], atol=1e-4)


def test_words_change_the_sound(models):
    score = Score(num_frames=6)
    one, other = (compose(models, prompt, score, PLAIN) for prompt in ("rain", "birds"))
    assert not torch.allclose(one, other, atol=1e-4)


def test_candidates_differ_and_the_first_is_the_one_that_is_made_alone(models):
    score = Score(num_frames=6)
    three = compose(models, "rain", score, replace(PLAIN, guidance=2.0), num_candidates=3)
    assert three.shape == (3, CHANNELS, 6)
    assert not torch.allclose(three[0], three[1], atol=1e-3)
    alone = compose(models, "rain", score, replace(PLAIN, guidance=2.0))
    assert_close(three[:1], alone, atol=1e-4, rtol=1e-4)


def test_an_interrupt_between_steps_stops_the_work(models):
    def stop(step, _estimate):
        if step == 2:
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        compose(models, "", Score(num_frames=6), PLAIN, on_step=stop)


@pytest.mark.parametrize("num_frames", [1, 9, 10, 11, 41])
def test_segments_together_are_the_whole_and_each_sees_its_own_time(toy, num_frames):
    features = seen(num_frames)
    score = Score(num_frames=num_frames, seen_FC=features)
    pieces = list(compose_segments(toy, "", score, PLAIN, window=10, context=3))
    assert all(piece.shape[1] <= 10 for piece in pieces)
    assert_close(torch.cat(pieces, dim=1), features.T, atol=1e-4, rtol=1e-4)


def test_a_segment_hears_the_end_of_the_one_before(models):
    score = Score(num_frames=11)
    first, second = compose_segments(models, "", score, PLAIN, window=10, context=3)
    known = torch.cat([first[:, -3:], torch.zeros(CHANNELS, 4)], dim=1)
    heard = Score(num_frames=7, known_CF=known, masked_F=torch.tensor([False] * 3 + [True] * 4))
    assert_close(second, compose(models, "", heard, replace(PLAIN, seed=1))[0][:, 3:])


def test_known_frames_stay_in_segments_too(models):
    known, masked = torch.randn(CHANNELS, 25), torch.arange(25) >= 8
    score = Score(num_frames=25, known_CF=known, masked_F=masked)
    whole = torch.cat(list(compose_segments(models, "", score, PLAIN, window=10, context=3)), dim=1)
    assert whole[:, :8].equal(known[:, :8])


@pytest.mark.parametrize("num_samples", [1, HOP, 7 * HOP + 5, 23 * HOP])
def test_a_sound_played_in_pieces_is_the_whole_sound_to_the_sample(models, num_samples):
    latent = torch.randn(2, CHANNELS, -(-num_samples // HOP))
    pieces = list(play(models.codec, latent, num_samples, at_once=5))
    whole = models.codec.decode(latent, num_samples)
    assert_close(torch.cat(pieces, dim=-1), whole, atol=1e-4, rtol=1e-4)


def test_playing_another_length_is_refused(models):
    with pytest.raises(GeometryError, match="samples, not 1"):
        next(play(models.codec, torch.randn(1, CHANNELS, 3), 1))


def test_a_clip_watched_in_pieces_has_the_features_of_the_whole(models):
    clip = torch.rand(3, 7, 18, 32) * 2 - 1
    whole = watch(models, [clip])
    assert whole.shape == (7, CHANNELS)
    assert_close(watch(models, clip.split(3, dim=1)), whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("fps", [Fraction(8), Fraction(24000, 1001), Fraction(60)])
def test_a_clips_score_is_as_long_as_its_sound_and_ends_with_its_last_picture(models, fps):
    features = seen(11)
    num_samples = round(11 / fps * 48000)
    score = score_for_clip(models, features, fps, num_samples)
    assert score.num_frames == -(-num_samples // HOP)
    assert_close(score.seen_FC[0], features[int(Fraction(1, 50) * fps)])
    middle = Fraction(2 * score.num_frames - 1, 50)
    assert_close(score.seen_FC[-1], features[min(10, int(middle * fps))])


def test_every_frame_that_sounds_in_a_gap_is_made_anew(models):
    masked = mask_of(HOP + 1, 3 * HOP + 1, 6, models.codec)
    assert masked.tolist() == [False, True, True, True, False, False]


@pytest.mark.parametrize(("start", "stop"), [(0, 5000), (4000, 5000), (4000, 9000), (9000, 9600)])
def test_every_sample_outside_a_gap_stays_bit_for_bit(start, stop):
    original, made = torch.randn(2, 9000), torch.randn(2, 9600)
    filled = fill(original, made, start, stop)
    assert filled.shape == (2, 9600)
    assert filled[:, :start].equal(original[:, :start])
    assert filled[:, stop:9000].equal(original[:, stop:])


def test_a_gap_is_filled_without_a_click_and_without_what_was_in_it():
    ramp = torch.sin(torch.arange(9600) / 400)[None]
    original = ramp.clone()
    original[:, 4000:7000] = 99.0
    filled = fill(original, ramp + 0.3, 4000, 7000)
    assert filled.diff().abs().max() < 0.01
    assert_close(filled[:, 5000:6000], ramp[:, 5000:6000] + 0.3)


def test_new_sound_behind_an_end_goes_on_without_a_click():
    ramp = torch.sin(torch.arange(9600) / 400)[None]
    filled = fill(ramp[:, :4000], ramp - 0.2, 4000, 9600)
    assert filled.diff().abs().max() < 0.01
    assert_close(filled[:, 5000:], ramp[:, 5000:] - 0.2)


def test_the_latent_of_known_sound_has_a_frame_for_each_hop(models):
    assert known_latent(models.codec, torch.randn(1, 5 * HOP + 1)).shape == (CHANNELS, 6)


@pytest.mark.parametrize(
    "parts",
    [
        {"num_frames": 0},
        {"num_frames": 3, "seen_FC": torch.zeros(4, CHANNELS)},
        {"num_frames": 3, "known_CF": torch.zeros(CHANNELS, 3)},
        {"num_frames": 3, "known_CF": torch.zeros(CHANNELS, 3), "masked_F": torch.zeros(2)},
    ],
)
def test_a_score_whose_parts_do_not_fit_is_refused(parts):
    with pytest.raises(GeometryError, match="latent frames came with"):
        Score(**parts)


def test_windows_candidates_and_contexts_out_of_range_are_refused(models):
    score = Score(num_frames=3)
    with pytest.raises(SettingsError, match="0 candidates"):
        compose(models, "", score, PLAIN, num_candidates=0)
    with pytest.raises(SettingsError, match="windows of 1"):
        compose(models, "", score, PLAIN, window=1)
    with pytest.raises(SettingsError, match="context of 9"):
        next(compose_segments(models, "", score, PLAIN, window=9, context=9))


def test_models_of_another_cast_are_refused_with_all_widths(models):
    other = FrameEncoder(replace(VISION, feature_width=7))
    with pytest.raises(WeightsError, match=r"\(8, 7, 4\) .* \(8, 4, 4\)"):
        replace(models, vision=other)


def test_a_cast_with_the_four_roles_of_sound_loads(models, tmp_path):
    parts = {
        "audio_codec": models.codec,
        "audio_text": models.text,
        "vision": models.vision,
        "audio": models.audio,
    }
    for role, model in parts.items():
        save_model(tmp_path / f"{role}.safetensors", role, model, dtype=torch.float32)
    write_cast(tmp_path, "mine", {role: f"{role}.safetensors" for role in parts})
    loaded = load_sound(open_cast(tmp_path))
    score = Score(num_frames=5)
    assert_close(compose(loaded, "rain", score, PLAIN), compose(models, "rain", score, PLAIN))
