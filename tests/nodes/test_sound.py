"""The audio role as the host's own objects: the same sound as the core alone, to the sample."""

import types
from fractions import Fraction

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.media.sound import sound_from, waveform_of
from moviegen_core.models.prompt import format_sound_prompt, seen_sound_prompt
from moviegen_core.models.text import tokenize
from moviegen_core.models.vision import frames_seen
from moviegen_core.stages.extend import extended as core_extended
from moviegen_core.stages.extend import infilled
from moviegen_core.stages.settings import SamplingSettings, SoundSettings
from moviegen_core.stages.sound import Score, compose, known_latent, load_sound, play
from moviegen_core.weights.cast import open_cast

STEPS, GUIDANCE, SEED, HOP = 3, 3.0, 7, 1920


@pytest.fixture(scope="module")
def sound(run, comfy_host, sound_folder):
    """MODEL in float32, CLIP and VAE of the tiny cast."""
    load = comfy_host.ours("nodes.host.sound").load_sound_model
    model = load(sound_folder / "audio.safetensors", sound_folder / "vision.safetensors", dtype=torch.float32)
    _, clip, vae = run("MovieGenLoadCast", cast=sound_folder.name, role="sound")
    return types.SimpleNamespace(model=model, clip=clip, vae=vae)


@pytest.fixture(scope="module")
def core(sound_folder):
    """The same models without a host."""
    return load_sound(open_cast(sound_folder))


@pytest.fixture(scope="module")
def video(sound):  # noqa: ARG001 - the host comes first
    """13 frames at 10 a second, in memory."""
    return clip_in_memory(torch.rand(13, 20, 30, 3), Fraction(10))


def clip_in_memory(images, fps, audio=None):
    from comfy_api.latest import InputImpl, Types

    return InputImpl.VideoFromComponents(Types.VideoComponents(images=images, frame_rate=fps, audio=audio))


def conditioning(run, sound, sounds="rain", music="", features=None):
    return run("MovieGenSoundConditioning", clip=sound.clip, sounds=sounds, music=music, features=features)


def sigmas(run, sound):
    return run("MovieGenSchedule", model=sound.model, steps=STEPS, imitated_steps=STEPS, denoise=1.0)[0]


def sampled(run, sound, positive, negative, latent, seed=SEED):
    return run(
        "SamplerCustom",
        model=sound.model,
        add_noise=True,
        noise_seed=seed,
        cfg=GUIDANCE,
        positive=positive,
        negative=negative,
        sampler=run("MovieGenMidpointSampler")[0],
        sigmas=sigmas(run, sound),
        latent_image=latent,
    )[0]


def headless(core, prompt, score):
    settings = SamplingSettings(num_steps=STEPS, guidance=GUIDANCE, seed=SEED, solver="midpoint")
    return compose(core, prompt, score, settings)


def test_a_clip_is_seen_as_the_core_sees_it(run, sound, core, video):
    features = run("MovieGenVideoFeatures", model=sound.model, video=video)[0]["image_embeds"]
    images = video.get_components().images
    with torch.no_grad():
        wanted = core.vision(images.permute(3, 0, 1, 2)[None] * 2 - 1)[0]
    assert_close(features, wanted[frames_seen(13, Fraction(10), 33, core.codec.grid)], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.7, 20.0])
def test_the_hosts_sampler_and_the_core_alone_make_the_same_sound_of_any_length(run, sound, core, seconds):
    latent = run("MovieGenEmptySoundLatent", vae=sound.vae, seconds=seconds, batch_size=1)[0]
    positive, negative, prompt = conditioning(run, sound, "rain", "calm piano")
    assert prompt == format_sound_prompt("rain", "calm piano")
    made = sampled(run, sound, positive, negative, latent)["samples"]
    wanted = headless(core, prompt, Score(num_frames=latent["samples"].shape[-1]))
    assert_close(made, wanted, rtol=1e-3, atol=1e-3)


def test_picture_and_words_together_lead_where_they_lead_the_core(run, sound, core, video):
    features = run("MovieGenVideoFeatures", model=sound.model, video=video)[0]
    latent = run("MovieGenEmptySoundLatent", vae=sound.vae, seconds=1.0, batch_size=1, video=video)[0]
    assert latent["num_samples"] == 62400
    positive, negative, prompt = conditioning(run, sound, "", "", features)
    assert prompt == seen_sound_prompt()
    made = sampled(run, sound, positive, negative, latent)["samples"]
    score = Score(num_frames=33, seen_FC=features["image_embeds"])
    wanted = headless(core, prompt, score)
    assert_close(made, wanted, rtol=1e-3, atol=1e-3)
    blind = headless(core, prompt, Score(num_frames=33))
    assert not torch.allclose(made, blind, atol=1e-2)


def test_ksampler_and_sampler_custom_advanced_agree(run, sound):
    latent = run("MovieGenEmptySoundLatent", vae=sound.vae, seconds=1.0, batch_size=1)[0]
    positive, negative, _ = conditioning(run, sound)
    common = {"positive": positive, "negative": negative}
    by_ksampler = run(
        "KSampler",
        model=sound.model,
        seed=SEED,
        steps=STEPS,
        cfg=GUIDANCE,
        sampler_name="euler",
        scheduler="simple",
        latent_image=latent,
        denoise=1.0,
        **common,
    )[0]
    by_guider = run(
        "SamplerCustomAdvanced",
        noise=run("RandomNoise", noise_seed=SEED)[0],
        guider=run("CFGGuider", model=sound.model, cfg=GUIDANCE, **common)[0],
        sampler=run("KSamplerSelect", sampler_name="euler")[0],
        sigmas=run("BasicScheduler", model=sound.model, scheduler="simple", steps=STEPS, denoise=1.0)[0],
        latent_image=latent,
    )[0]
    assert by_guider["num_samples"] == by_ksampler["num_samples"] == 48000
    assert_close(by_guider["samples"], by_ksampler["samples"])


def test_the_prompts_own_brackets_are_no_weights_and_the_artists_are(run, sound, core):
    plain = conditioning(run, sound, "rain")[0][0][0]
    ids, mask = tokenize([format_sound_prompt("rain")])
    with torch.no_grad():
        wanted = core.text(ids, mask)[:, : plain.shape[1]]
    assert_close(plain, wanted, rtol=1e-4, atol=1e-4)
    loud = conditioning(run, sound, "(rain:1.5)")[0][0][0]
    assert loud.shape == plain.shape
    assert ((loud - plain).abs().amax(-1) > 1e-6).sum() == 4


@pytest.mark.parametrize("num_samples", [1, 1919, 1920, 1921, 62400])
def test_decode_gives_exactly_the_samples_that_the_core_decodes(run, sound, core, num_samples):
    frames = core.codec.grid.latent_frames(num_samples)
    latent = {"samples": torch.randn(2, 4, frames), "num_samples": num_samples}
    audio = run("MovieGenDecodeSound", samples=latent, vae=sound.vae)[0]
    assert audio["sample_rate"] == 48000
    wanted = torch.cat(list(play(core.codec, latent["samples"], num_samples)), dim=-1)
    assert audio["waveform"].shape == (2, 1, num_samples)
    assert_close(audio["waveform"], wanted, rtol=1e-4, atol=1e-5)


def test_the_hosts_own_nodes_encode_and_decode_at_the_right_pitch(run, sound, core):
    tone = torch.sin(torch.arange(96000) * (440 * 2 * torch.pi / 48000))[None, None] / 10
    latent = run("VAEEncodeAudio", vae=sound.vae, audio={"waveform": tone, "sample_rate": 48000})[0]
    assert latent["samples"].shape == (1, 4, 50)
    wanted = known_latent(core.codec, tone[0])
    assert_close(latent["samples"][..., 2:-2], wanted[None, :, 2:-2], rtol=0, atol=0.02)
    own = run("MovieGenDecodeSound", samples=latent, vae=sound.vae)[0]["waveform"]
    told = latent | {"sample_rate": 48000}
    stock = run("VAEDecodeAudio", samples=told, vae=sound.vae)[0]
    assert stock["sample_rate"] == 48000
    scale = (own.std(dim=[1, 2], keepdim=True) * 5).clamp(min=1)
    assert_close(stock["waveform"], own / scale, rtol=1e-4, atol=1e-5)


def test_stereo_is_encoded_as_its_middle_not_as_its_left(run, sound):
    left, right = torch.randn(1, 1, 9600) / 10, torch.randn(1, 1, 9600) / 10
    both = {"waveform": torch.cat([left, right], dim=1), "sample_rate": 48000}
    middle = {"waveform": (left + right) / 2, "sample_rate": 48000}
    latents = [run("VAEEncodeAudio", vae=sound.vae, audio=one)[0]["samples"] for one in (both, middle)]
    assert_close(*latents, rtol=1e-4, atol=1e-4)


def extended(run, sound, audio, seed=SEED, **changes):
    positive, negative, _ = conditioning(run, sound)
    settings = {"seconds": 1.0, "start": -1.0, "hears": 4.0, "batch_size": 1} | changes
    positive, latent = run("MovieGenExtendSound", audio=audio, vae=sound.vae, positive=positive, **settings)
    made = sampled(run, sound, positive, negative, latent, seed)
    return made, run("MovieGenDecodeSound", samples=made, vae=sound.vae)[0]


@pytest.mark.parametrize(("rate", "channels"), [(48000, 1), (44100, 2), (8000, 1)])
@pytest.mark.parametrize(("start", "begin", "total"), [(-1.0, 1.5, 2.5), (0.3, 0.3, 1.5), (0.0, 0.0, 1.5)])
def test_every_sample_outside_the_new_part_stays_bit_for_bit(run, sound, rate, channels, start, begin, total):
    waveform = torch.randn(1, channels, round(1.5 * rate)) / 10
    audio = extended(run, sound, {"waveform": waveform, "sample_rate": rate}, start=start)[1]
    assert audio["sample_rate"] == rate
    assert audio["waveform"].shape == (1, channels, round(total * rate))
    first, last = round(begin * rate), round((begin + 1) * rate)
    assert torch.equal(audio["waveform"][..., :first], waveform[..., :first])
    assert torch.equal(audio["waveform"][..., last : round(1.5 * rate)], waveform[..., last:])
    new = audio["waveform"][..., first:last]
    assert new.isfinite().all()
    assert new.std() > 1e-4


@pytest.mark.parametrize("num_samples", [700, 48000, 200001])
def test_an_extension_is_the_cores_to_the_last_sample(run, sound, core, num_samples):
    waveform = torch.randn(1, 1, num_samples) / 10
    audio = extended(run, sound, {"waveform": waveform, "sample_rate": 48000}, hears=2.0)[1]
    sampling = SamplingSettings(num_steps=STEPS, guidance=GUIDANCE, seed=SEED, solver="midpoint")
    settings = SoundSettings(effects="rain", sampling=sampling)
    wanted = waveform_of(core_extended(core, sound_from(waveform[0]), 1.0, settings))
    assert_close(audio["waveform"][0], wanted, rtol=1e-3, atol=1e-4)


def test_a_filled_gap_is_the_cores_and_what_was_in_it_is_not_looked_at(run, sound, core):
    waveform = torch.randn(1, 1, 4 * 48000) / 10
    audio = extended(run, sound, {"waveform": waveform, "sample_rate": 48000}, start=1.5, hears=2.0)[1]
    sampling = SamplingSettings(num_steps=STEPS, guidance=GUIDANCE, seed=SEED, solver="midpoint")
    settings = SoundSettings(effects="rain", sampling=sampling)
    wanted = waveform_of(infilled(core, sound_from(waveform[0]), (1.5, 2.5), settings))
    assert_close(audio["waveform"][0], wanted, rtol=1e-3, atol=1e-4)
    other = waveform.clone()
    other[..., 72000:120000] = torch.randn(48000)
    again = extended(run, sound, {"waveform": other, "sample_rate": 48000}, start=1.5, hears=2.0)[1]
    assert torch.equal(again["waveform"], audio["waveform"])


def test_the_picture_of_an_extension_is_what_is_seen_then(run, sound):
    features = types.SimpleNamespace(image_embeds=torch.arange(100.0)[:, None].expand(-1, 6))
    positive = [[torch.zeros(1, 3, 8), {"moviegen_seen": features.image_embeds}]]
    audio = {"waveform": torch.randn(1, 1, 96000) / 10, "sample_rate": 48000}
    settings = {"seconds": 1.0, "start": -1.0, "hears": 0.4, "batch_size": 1}
    told, latent = run("MovieGenExtendSound", audio=audio, vae=sound.vae, positive=positive, **settings)
    seen = told[0][1]["moviegen_seen"][:, 0].tolist()
    assert seen == list(range(40, 75))
    assert latent["samples"].shape[-1] == 35


def test_only_what_is_near_the_new_part_is_sampled(run, sound):
    audio = {"waveform": torch.randn(1, 1, 480000) / 10, "sample_rate": 48000}
    made, result = extended(run, sound, audio, hears=1.0)
    assert made["samples"].shape[-1] == 50
    assert result["waveform"].shape[-1] == 528000
    assert torch.equal(result["waveform"][..., :480000], audio["waveform"])


def test_versions_of_an_extension_share_the_old_and_differ_in_the_new(run, sound):
    audio = {"waveform": torch.randn(1, 1, 24000) / 10, "sample_rate": 48000}
    waveform = extended(run, sound, audio, batch_size=2)[1]["waveform"]
    assert torch.equal(waveform[0, :, :24000], waveform[1, :, :24000])
    assert not torch.allclose(waveform[0, :, 24000:], waveform[1, :, 24000:], atol=1e-4)


def test_an_interrupt_ends_a_long_sound_within_a_step(run, sound):
    import comfy.model_management as manager

    latent = run("MovieGenEmptySoundLatent", vae=sound.vae, seconds=60.0, batch_size=1)[0]
    positive, negative, _ = conditioning(run, sound)
    asked, kinds = [], type(sound.model.model.diffusion_model).__mro__
    core = next(kind for kind in kinds if kind.__name__ == "AudioTransformer")
    whole = core.forward

    def counted(self, *args, **options):
        asked.append(1)
        if len(asked) == 3:
            manager.interrupt_current_processing(True)
        return whole(self, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core, "forward", counted)
        with pytest.raises(manager.InterruptProcessingException):
            sampled(run, sound, positive, negative, latent)
    assert len(asked) == 3


def test_words_that_ask_for_a_voice_are_refused_plainly_and_birds_may_sing(run, sound):
    with pytest.raises(Exception, match="makes neither speech nor singing"):
        conditioning(run, sound, "a man talking in the rain")
    assert conditioning(run, sound, "birds singing")[2]


@pytest.mark.parametrize(
    ("shape", "words"), [((1, 16, 2, 4, 6), "start from Empty Sound Latent"), ((1, 64, 9), "4 channels")]
)
def test_a_latent_of_another_family_is_refused_in_one_sentence(run, sound, shape, words):
    positive, negative, _ = conditioning(run, sound)
    with pytest.raises(Exception, match=words) as caught:
        sampled(run, sound, positive, negative, {"samples": torch.ones(shape)})
    assert "\n" not in str(caught.value)


def test_models_that_make_no_sound_are_refused_by_our_nodes(run, sound, cast, video):
    with pytest.raises(Exception, match="role sound"):
        run("MovieGenVideoFeatures", model=cast.model, video=video)
    with pytest.raises(Exception, match="role sound"):
        run("MovieGenEmptySoundLatent", vae=cast.vae, seconds=1.0, batch_size=1)
    with pytest.raises(Exception, match="use the VAE of the model that made it"):
        run("VAEDecode", samples={"samples": torch.zeros(1, 9, 8, 8)}, vae=sound.vae)


def test_a_cast_without_sound_says_so_and_names_one_that_has_it(run, sound_folder):
    from sound_cast import write_silent_cast

    write_silent_cast(sound_folder.parent)
    with pytest.raises(Exception, match=f"cast silent has no models for sound.*{sound_folder.name}"):
        run("MovieGenLoadCast", cast="silent", role="sound")


@pytest.mark.parametrize(
    ("audio", "words"),
    [
        (None, "is empty"),
        ({"waveform": torch.zeros(1, 1, 0), "sample_rate": 48000}, "is empty"),
        ({"waveform": torch.full((1, 1, 99), torch.nan), "sample_rate": 48000}, "not numbers"),
        ({"waveform": torch.zeros(3, 1, 99), "sample_rate": 48000}, "Pick Best Sound"),
    ],
)
def test_bad_sound_is_refused_in_one_sentence(run, sound, audio, words):
    positive = conditioning(run, sound)[0]
    with pytest.raises(Exception, match=words) as caught:
        run(
            "MovieGenExtendSound",
            audio=audio,
            vae=sound.vae,
            positive=positive,
            seconds=1.0,
            start=-1.0,
            hears=1.0,
            batch_size=1,
        )
    assert "\n" not in str(caught.value)


def test_a_new_part_behind_the_end_is_refused_with_the_end(run, sound):
    audio = {"waveform": torch.randn(1, 1, 48000), "sample_rate": 48000}
    with pytest.raises(Exception, match="the sound ends at 1 s"):
        extended(run, sound, audio, start=2.0)


def test_words_too_long_are_refused_with_the_room_there_is(run, sound):
    with pytest.raises(Exception, match="this cast reads 3"):
        conditioning(run, sound, "a" * 600)
