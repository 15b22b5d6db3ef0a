"""Sound and picture together: mixed, chosen, drawn and put into videos of every kind, exact to the sample."""

import io
import math
from fractions import Fraction

import av
import pytest
import torch

from moviegen_core.geometry import parse_fps, samples_for
from moviegen_core.media.loudness import measure
from moviegen_core.media.mux import add_sound
from moviegen_core.media.picture_time import picture_time
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import count_samples, sound_from, waveform_of
from moviegen_core.media.write import write_clip
from moviegen_core.stages.settings import SamplingSettings, SoundSettings
from moviegen_core.stages.sound import load_sound
from moviegen_core.stages.soundtrack import see_clip, soundtrack
from moviegen_core.weights.cast import open_cast


@pytest.fixture(scope="module")
def api(comfy_host):  # noqa: ARG001 - the host comes first
    import comfy_api.latest

    return comfy_api.latest


@pytest.fixture(scope="module")
def sound(run, sound_folder):
    """MODEL, CLIP and VAE of the tiny cast."""
    names = ("model", "clip", "vae")
    return dict(zip(names, run("MovieGenLoadCast", cast=sound_folder.name, role="sound"), strict=True))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """30 frames of noise at 12 a second, with nothing to hear."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_clip(path, torch.randint(0, 255, (30, 32, 48, 3), dtype=torch.uint8), Fraction(12))
    return path


def from_memory(api, num_frames, fps, audio=None):
    parts = api.Types.VideoComponents(images=flashes(num_frames), frame_rate=fps, audio=audio)
    return api.InputImpl.VideoFromComponents(parts)


def flashes(num_frames, places=(10, 20)):
    """Dark frames, bright for one frame at each place."""
    images = torch.zeros(num_frames, 16, 24, 3)
    for place in places:
        images[place : place + 1] = 1
    return images


def noise(seconds=1.0, rate=48000, channels=1, batch=1):
    return {"waveform": torch.randn(batch, channels, round(seconds * rate)) / 20, "sample_rate": rate}


def mixed(run, **given):
    fields = {f"{stem}_db": 0.0 for stem in ("effects", "ambience", "music", "dialogue")}
    fields |= {"keep_sound": True, "duck_db": 12.0, "fade_in": 0.0, "fade_out": 0.0, "loudness": 0.0}
    fields |= {"ceiling": -1.0, "channels": "stereo", "seconds": 0.0}
    return run("MovieGenMixSound", **(fields | given))


@pytest.mark.parametrize(("num_frames", "fps"), [(1, 16), (29, 23.976), (40, 60), (25, Fraction(25, 2))])
def test_a_video_in_memory_gets_exactly_its_length_of_sound(run, api, num_frames, fps):
    fps = parse_fps(fps)
    video = from_memory(api, num_frames, fps)
    made = run("MovieGenAddSound", video=video, audio=noise(9, 44100, 2), keep_sound=False)[0]
    parts = made.get_components()
    assert parts.audio["waveform"].shape == (1, 2, samples_for(num_frames, fps))
    assert parts.audio["sample_rate"] == 48000
    assert torch.equal(parts.images, flashes(num_frames))


def pictures_of(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("kind", ["file", "buffer"])
def test_a_videos_file_gets_sound_and_keeps_every_packet_of_its_pictures(run, api, film, kind):
    video = api.InputImpl.VideoFromFile(str(film) if kind == "file" else io.BytesIO(film.read_bytes()))
    made = run("MovieGenAddSound", video=video, audio=noise(0.5), keep_sound=False)[0]
    path = made.get_stream_source()
    assert pictures_of(path) == pictures_of(film)
    assert count_samples(open_sound(path)) == samples_for(30, Fraction(12))


def test_what_the_host_saves_of_it_lasts_as_long_as_the_pictures(run, api, film, tmp_path):
    for name, video in (
        ("file", api.InputImpl.VideoFromFile(str(film))),
        ("memory", from_memory(api, 30, Fraction(12))),
    ):
        made = run("MovieGenAddSound", video=video, audio=noise(3), keep_sound=False)[0]
        made.save_to(str(tmp_path / f"{name}.mp4"))
        num_samples = count_samples(open_sound(tmp_path / f"{name}.mp4"))
        assert abs(num_samples - samples_for(30, Fraction(12))) <= 1024, name  # packets of AAC
        assert picture_time(tmp_path / f"{name}.mp4").num_frames == 30


def test_a_trimmed_video_gets_the_sound_of_what_is_left(run, api, film):
    try:
        video = api.InputImpl.VideoFromFile(str(film), start_time=0.5, duration=1.0)
    except TypeError:
        pytest.skip("this host cannot trim")
    made = run("MovieGenAddSound", video=video, audio=noise(9), keep_sound=False)[0]
    time = picture_time(made.get_stream_source())
    assert time.num_frames == 12
    assert count_samples(open_sound(made.get_stream_source())) == time.num_samples() == 48000


def test_tracks_that_a_file_has_stay_behind_the_new_one_if_asked(run, api, film, tmp_path):
    add_sound(film, sound_from(torch.randn(1, 48000) / 20), tmp_path / "sung.mp4")
    video = api.InputImpl.VideoFromFile(str(tmp_path / "sung.mp4"))
    for keep, tracks in ((False, 1), (True, 2)):
        made = run("MovieGenAddSound", video=video, audio=noise(), keep_sound=keep)[0]
        with av.open(made.get_stream_source()) as container:
            assert len(container.streams.audio) == tracks


def test_the_mix_is_the_sum_of_its_stems_and_as_long_as_the_longest(run):
    audio, *stems = mixed(run, effects=noise(1.0), music=noise(0.5, 44100, 2), music_db=-6.0)
    assert audio["waveform"].shape == (1, 2, 48000)
    total = sum(stem["waveform"] for stem in stems)
    torch.testing.assert_close(audio["waveform"], total, rtol=0, atol=1e-6)
    assert not stems[1]["waveform"].any()
    assert not stems[3]["waveform"].any()


def test_a_mix_reaches_its_loudness_and_keeps_under_its_ceiling(run):
    audio = mixed(run, effects=noise(3.0), loudness=-16.0, channels="mono")[0]
    heard = measure(sound_from(audio["waveform"][0]))
    assert heard.integrated_lufs == pytest.approx(-16, abs=0.3)
    assert heard.true_peak_dbtp <= -0.9


def test_all_else_steps_back_under_what_a_video_says(run, api):
    spoken = noise(4.0)
    spoken["waveform"][..., :96000] = 0
    video = from_memory(api, 48, Fraction(12), spoken)
    effects = noise(9.0)
    stems = mixed(run, effects=effects, video=video)[1:]
    assert stems[0]["waveform"].shape[-1] == samples_for(48, Fraction(12))
    loud, ducked = stems[0]["waveform"][..., :48000].std(), stems[0]["waveform"][..., 130000:180000].std()
    assert 20 * math.log10(loud / ducked) == pytest.approx(12, abs=1)
    silent = mixed(run, effects=effects, video=video, keep_sound=False)
    assert not silent[4]["waveform"].any()


def test_nothing_to_mix_is_refused_with_what_to_connect(run, api):
    with pytest.raises(Exception, match="connect effects, ambience, music or dialogue"):
        mixed(run)
    with pytest.raises(Exception, match="nothing to mix"):
        mixed(run, video=from_memory(api, 3, Fraction(12)))


def clicks(moments, seconds):
    waveform = torch.zeros(1, round(seconds * 48000))
    for moment in moments:
        start = round(moment * 48000)
        waveform[:, start : start + 2400] = torch.randn(2400) / 4
    return waveform


def test_the_sound_that_clicks_when_the_picture_flashes_is_chosen(run, api):
    video = from_memory(api, 36, Fraction(12))
    late = [clicks(((10 + shift) / 12, (20 + shift) / 12), 3.0) for shift in (4, 0, -3)]
    audio = {"waveform": torch.stack(late), "sample_rate": 48000}
    first, score = run("MovieGenPickSound", audio=audio, video=video, rank=1)
    assert torch.equal(first["waveform"][0], late[1])
    second, lower = run("MovieGenPickSound", audio=audio, video=video, rank=2)
    assert not torch.equal(second["waveform"], first["waveform"])
    assert lower <= score


def test_a_picture_of_a_sound_marks_what_happens(run, api):
    video, audio = (
        from_memory(api, 36, Fraction(12)),
        {"waveform": clicks([1], 3.0)[None], "sample_rate": 48000},
    )
    marked = run("MovieGenSoundPicture", audio=audio, video=video, width=480, height=200)[0]
    bare = run("MovieGenSoundPicture", audio=audio, width=480, height=200)[0]
    assert marked.shape == bare.shape == (1, 200, 480, 3)
    columns = (marked - bare).abs().sum((0, 1, 3)).nonzero().flatten().tolist()
    assert columns
    inside = [34 + round(place / 12 / 3.0 * 446) for place in (10, 20)]
    assert all(min(abs(column - mark) for mark in inside) < 20 for column in columns)


def whole(run, sound, video, **changes):
    fields = {"sounds": "", "music": "", "candidates": 1, "steps": 2, "guidance": 3.0}
    fields |= {"original": "replace it", "loudness": 0.0, "seed": 3}
    return run("MovieGenSound", **sound, video=video, **(fields | changes))


def test_one_node_gives_a_clip_sound_of_its_exact_length(run, api, sound, film):
    video = api.InputImpl.VideoFromFile(str(film))
    made, audio, effects, music, picture = whole(run, sound, video)
    assert audio["waveform"].shape == (1, 2, samples_for(30, Fraction(12)))
    assert effects["waveform"].std() > 1e-5
    assert not music["waveform"].any()
    assert picture.shape == (1, 360, 960, 3)
    assert pictures_of(made.get_stream_source()) == pictures_of(film)
    assert count_samples(open_sound(made.get_stream_source())) == samples_for(30, Fraction(12))


def test_the_one_node_makes_what_the_single_steps_make(run, api, sound):
    video = from_memory(api, 24, Fraction(12))
    effects = whole(run, sound, video, sounds="rain")[2]["waveform"]
    features = run("MovieGenVideoFeatures", model=sound["model"], video=video)[0]
    positive, negative, _ = run(
        "MovieGenSoundConditioning", clip=sound["clip"], sounds="rain", music="", features=features
    )
    latent = run("MovieGenEmptySoundLatent", vae=sound["vae"], seconds=1.0, batch_size=1, video=video)[0]
    sampled = run(
        "SamplerCustom",
        model=sound["model"],
        add_noise=True,
        noise_seed=3,
        cfg=3.0,
        positive=positive,
        negative=negative,
        sampler=run("MovieGenMidpointSampler")[0],
        sigmas=run("MovieGenSchedule", model=sound["model"], steps=2, imitated_steps=2, denoise=1.0)[0],
        latent_image=latent,
    )[0]
    single = run("MovieGenDecodeSound", samples=sampled, vae=sound["vae"])[0]["waveform"]
    torch.testing.assert_close(effects, single.expand(1, 2, -1), rtol=1e-3, atol=1e-4)


def test_the_one_node_makes_what_the_command_line_makes(run, api, sound, sound_folder, comfy_host):
    video, models = from_memory(api, 24, Fraction(12)), load_sound(open_cast(sound_folder))
    files = (sound_folder / f"{role}.safetensors" for role in ("audio", "vision"))
    exact = comfy_host.ours("nodes.host.sound").load_sound_model(*files, dtype=torch.float32)
    made = whole(run, sound | {"model": exact}, video, sounds="rain", music="calm piano music")
    chunk = video.get_components().images.permute(3, 0, 1, 2) * 2 - 1
    sampling = SamplingSettings(num_steps=2, guidance=3.0, seed=3, solver="midpoint")
    settings = SoundSettings(effects="rain", music="calm piano music", sampling=sampling)
    stems = soundtrack(models, settings, 96000, see_clip(models, [chunk], Fraction(12)))
    softer = 10 ** (-6 / 20)
    for place, name, gain in ((2, "effects", 1.0), (3, "music", softer)):
        wanted = waveform_of(stems[name]).expand(2, -1) * gain
        torch.testing.assert_close(made[place]["waveform"][0], wanted, rtol=1e-3, atol=1e-4)


def test_music_is_a_stem_of_its_own_and_changes_no_effect(run, api, sound):
    video = from_memory(api, 24, Fraction(12))
    bare, scored = whole(run, sound, video), whole(run, sound, video, music="calm piano music")
    torch.testing.assert_close(scored[2]["waveform"], bare[2]["waveform"])
    assert scored[3]["waveform"].std() > 1e-6
    torch.testing.assert_close(
        scored[1]["waveform"], scored[2]["waveform"] + scored[3]["waveform"], rtol=0, atol=1e-5
    )


def test_of_several_candidates_the_one_best_in_step_is_kept(run, api, sound, comfy_host, monkeypatch):
    video = from_memory(api, 24, Fraction(12))
    alone = [whole(run, sound, video, seed=3 + number)[2]["waveform"] for number in range(3)]
    module = comfy_host.ours("nodes.movie_sound")
    order = iter([0.1, 0.7, 0.3])
    monkeypatch.setattr(module, "scores", lambda *_given: [next(order)])
    kept = whole(run, sound, video, candidates=3)[2]["waveform"]
    torch.testing.assert_close(kept, alone[1], rtol=1e-3, atol=1e-4)


def test_what_the_clip_says_stays_in_front_if_asked(run, api, sound):
    spoken = noise(2.0)
    video = from_memory(api, 24, Fraction(12), spoken)
    audio = whole(run, sound, video, original="keep it, the new steps back")[1]["waveform"]
    heard = torch.nn.functional.cosine_similarity(audio[0, 0], spoken["waveform"][0, 0], dim=0)
    assert heard > 0.9
    replaced = whole(run, sound, video)[1]["waveform"]
    assert torch.nn.functional.cosine_similarity(replaced[0, 0], spoken["waveform"][0, 0], dim=0).abs() < 0.1


def test_a_video_without_frames_or_pictures_is_refused_in_one_sentence(run, api, sound, tmp_path):
    from moviegen_core.media.write_sound import write_wav

    write_wav(tmp_path / "song.wav", sound_from(torch.randn(1, 4800)))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing of a video")
    empty = api.InputImpl.VideoFromComponents(
        api.Types.VideoComponents(images=torch.zeros(0, 8, 8, 3), frame_rate=Fraction(12))
    )
    for video, words in (
        (empty, "no frames"),
        (api.InputImpl.VideoFromFile(str(tmp_path / "song.wav")), "holds no video"),
        (api.InputImpl.VideoFromFile(str(broken)), "not a video that can be read"),
    ):
        with pytest.raises(Exception, match=words) as caught:
            whole(run, sound, video)
        assert "\n" not in str(caught.value)


def test_an_interrupt_ends_the_one_node(run, api, sound):
    import comfy.model_management as manager

    video = from_memory(api, 24, Fraction(12))
    manager.interrupt_current_processing(True)
    with pytest.raises(manager.InterruptProcessingException):
        whole(run, sound, video)


def test_integer_waveforms_of_old_hosts_are_read_at_their_scale(comfy_host):
    convert = comfy_host.ours("nodes.convert")
    wave = torch.tensor([[[-(2**15), 0, 2**14]]], dtype=torch.int16)
    heard = waveform_of(convert.sound_of({"waveform": wave, "sample_rate": 48000}))
    assert heard.tolist() == [[-1.0, 0.0, 0.5]]
