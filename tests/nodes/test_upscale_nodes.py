"""Upscaling as an artist meets it: any clip, any upscaler, stopped and gone on with, in one contract."""

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch

from moviegen_core.geometry import samples_for
from moviegen_core.media.mux import add_sound
from moviegen_core.media.read import frame_at, frames, probe, read_clip
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import count_samples, sound_from
from moviegen_core.media.write import write_clip
from moviegen_core.models.upsampler import UPSAMPLER_PRESETS
from moviegen_core.stages.upscale_compare import GAP
from moviegen_core.weights.build import build
from moviegen_core.weights.cast import write_cast
from moviegen_core.weights.files import save_model

FPS = Fraction(8)
"""Two seconds of a unit are then two windows of a filter."""


@pytest.fixture(autouse=True)
def folders(comfy_host, tmp_path, monkeypatch):  # noqa: ARG001 - the host comes first
    """Output and temp folders of this test alone."""
    import folder_paths

    for name in ("output", "temp"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


@pytest.fixture
def api(comfy_host):  # noqa: ARG001
    import comfy_api.latest

    return comfy_api.latest


def pictures(count, height=24, width=32):
    """Moving colours, smooth enough for a codec."""
    x, y = torch.linspace(0, 6, width), torch.linspace(0, 4, height)[:, None]
    waves = [
        torch.sin(x + number / 4) + torch.cos(y * (1 + channel))
        for number in range(count)
        for channel in range(3)
    ]
    stacked = torch.stack(waves).view(count, 3, height, width).permute(0, 2, 3, 1)
    return ((stacked + 2) / 4 * 255).round().to(torch.uint8)


@pytest.fixture
def film(tmp_path):
    """Writes a clip; its path."""

    def make(count=20, height=24, width=32, *, sound=False, name="film.mp4", fps=FPS):
        path = write_clip(tmp_path / "film.mp4", pictures(count, height, width), fps)
        if sound:
            noise = torch.randn(2, samples_for(count, fps)) / 9
            add_sound(path, sound_from(noise), tmp_path / f"sung_{name}")
            path = tmp_path / f"sung_{name}"
        return path

    return make


@pytest.fixture
def of_file(api):
    return lambda path: api.InputImpl.VideoFromFile(str(path))


@pytest.fixture
def upscale(run):
    """Run the node with its defaults, at a small size."""

    def call(video, **changes):
        fields = {"upscaler": "lanczos", "height": 48, "width": 0, "fit": "crop", "colour": "wavelet"}
        fields |= {"tile": 512, "steps": 1, "detail_seed": 0, "crf": 14}
        return run("MovieGenUpscaleVideo", video=video, **(fields | changes))

    return call


def packets(path, kind):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(**{kind: 0}) if packet.size]


def leftovers(folders):
    return sorted((folders / "output").rglob("*")), sorted((folders / "temp").iterdir())


@pytest.mark.parametrize("name", ["film.mp4", "film.mov", "film.mkv", "film.webm"])
def test_a_clip_gets_its_exact_size_and_keeps_every_packet_of_its_sound(
    upscale, of_file, film, folders, name
):
    source = film(20, sound=True, name=name)
    video, compared, said = upscale(of_file(source))
    path = video.get_stream_source()
    read, fps = read_clip(path)
    assert read.shape == (20, 48, 64, 3)
    assert fps == FPS
    assert packets(path, "audio") == packets(source, "audio")
    assert compared.shape == (3, 48, 2 * 64 + GAP, 3)
    assert "sound copied" in said
    assert leftovers(folders) == ([folders / "output" / "movie-gen"], [Path(path)])


def test_a_clip_in_memory_gets_there_too_and_its_sound_lasts_as_long(upscale, api, folders):
    audio = {"waveform": torch.randn(1, 1, 200_000) / 9, "sample_rate": 44100}
    images = torch.cat([pictures(20) / 255, torch.rand(20, 24, 32, 1)], dim=3)  # transparent
    parts = api.Types.VideoComponents(images=images, audio=audio, frame_rate=FPS)
    video, compared, said = upscale(api.InputImpl.VideoFromComponents(parts), height=0, width=128)
    path = video.get_stream_source()
    assert read_clip(path)[0].shape == (20, 96, 128, 3)
    assert count_samples(open_sound(path)) == samples_for(20, FPS)
    assert "transparency is dropped" in said.replace("\n", " ")
    assert compared.shape[1:3] == (96, 2 * 128 + GAP)
    assert [one.suffix for one in leftovers(folders)[1]].count(".mkv") == 0


def test_a_clip_in_a_buffer_is_read_as_its_file(upscale, api, of_file, film):
    path = film(9)
    buffered = upscale(api.InputImpl.VideoFromFile(io.BytesIO(path.read_bytes())))[0]
    assert packets(buffered.get_stream_source(), "video") == packets(
        upscale(of_file(path))[0].get_stream_source(), "video"
    )


class Stop:
    """Interrupts as the host does, once some windows are finished."""

    def __init__(self, monkeypatch, module, windows):
        import comfy.model_management as manager

        real, left = module.Teller.advance, [windows]

        def advance(teller, count):
            real(teller, count)
            left[0] -= 1
            if left[0] == 0:
                manager.interrupt_current_processing(True)
                manager.throw_exception_if_processing_interrupted()

        monkeypatch.setattr(module.Teller, "advance", advance)
        self.error = manager.InterruptProcessingException


def test_an_interrupted_run_goes_on_and_gives_the_very_frames_of_a_whole_one(
    upscale, of_file, film, folders, comfy_host
):
    source = film(60, sound=True)
    whole = upscale(of_file(source))[0].get_stream_source()
    with pytest.MonkeyPatch.context() as patch:
        stop = Stop(patch, comfy_host.ours("nodes.upscale"), 5)
        with pytest.raises(stop.error):
            upscale(of_file(source))
    parts = list((folders / "output" / "movie-gen" / "unfinished").glob("*.parts"))
    assert [sorted(one.name for one in folder.glob("0*.mp4")) for folder in parts] == [
        ["000000.mp4", "000001.mp4"]
    ]
    video, _, said = upscale(of_file(source))
    assert "60 frames, 32 of them from before" in said
    assert torch.equal(read_clip(video.get_stream_source())[0], read_clip(whole)[0])
    assert packets(video.get_stream_source(), "audio") == packets(source, "audio")
    assert not (folders / "output" / "movie-gen" / "unfinished").exists()


def test_a_clip_in_memory_goes_on_as_well_although_its_file_is_written_anew(upscale, api, comfy_host):
    parts = api.Types.VideoComponents(images=pictures(60) / 255, audio=None, frame_rate=FPS)
    with pytest.MonkeyPatch.context() as patch:
        stop = Stop(patch, comfy_host.ours("nodes.upscale"), 5)
        with pytest.raises(stop.error):
            upscale(api.InputImpl.VideoFromComponents(parts))
    assert "32 of them from before" in upscale(api.InputImpl.VideoFromComponents(parts))[2]


def test_a_trimmed_clip_is_what_is_left_of_it_and_goes_on(upscale, api, film, comfy_host):
    try:
        video = api.InputImpl.VideoFromFile(str(film(80)), start_time=2.0, duration=7.0)
    except TypeError:
        pytest.skip("this host cannot trim")
    with pytest.MonkeyPatch.context() as patch:
        stop = Stop(patch, comfy_host.ours("nodes.upscale"), 3)
        with pytest.raises(stop.error):
            upscale(video)
    made, _, said = upscale(video)
    assert "56 frames, 16 of them from before" in said
    assert len(read_clip(made.get_stream_source())[0]) == 56


def test_other_settings_begin_anew_and_leave_the_first_job_alone(upscale, of_file, film, comfy_host):
    source = film(60)
    with pytest.MonkeyPatch.context() as patch:
        stop = Stop(patch, comfy_host.ours("nodes.upscale"), 5)
        with pytest.raises(stop.error):
            upscale(of_file(source))
    assert "from before" not in upscale(of_file(source), upscaler="bicubic")[2]
    assert "from before" not in upscale(of_file(source), height=50)[2]
    assert "32 of them from before" in upscale(of_file(source))[2]


def test_parts_that_nobody_went_on_with_are_swept_away_after_a_month(upscale, of_file, film, folders):
    import os
    import time

    forgotten, recent = (folders / "output/movie-gen/unfinished" / f"{n}.mp4.parts" for n in ("old", "new"))
    for folder in (forgotten, recent):
        folder.mkdir(parents=True)
    os.utime(forgotten, (time.time() - 40 * 86400,) * 2)
    upscale(of_file(film(2)))
    assert not forgotten.exists()
    assert recent.exists()


@pytest.mark.parametrize(
    ("count", "size", "fields", "made"),
    [
        (3, (48, 26), {"height": 96}, (96, 52)),
        (3, (23, 31), {"height": 60, "width": 80, "fit": "pad"}, (60, 80)),
        (3, (23, 31), {"height": 60, "width": 100, "fit": "stretch"}, (60, 100)),
        (2, (2, 2), {"height": 10}, (10, 10)),
        (1, (24, 32), {}, (48, 64)),
        (3, (24, 32), {"height": 24}, (24, 32)),
    ],
)
def test_portrait_odd_tiny_and_single_frames_get_exactly_there(upscale, api, count, size, fields, made):
    parts = api.Types.VideoComponents(images=pictures(count, *size) / 255, audio=None, frame_rate=FPS)
    video = upscale(api.InputImpl.VideoFromComponents(parts), **fields)[0]
    assert read_clip(video.get_stream_source())[0].shape == (count, *made, 3)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"height": 16}, "smaller than the source"),
        ({"height": 0}, "both 0"),
        ({"height": 49}, "even"),
    ],
)
def test_a_size_that_cannot_be_is_refused_before_anything_is_written(
    upscale, of_file, film, folders, fields, words
):
    with pytest.raises(ValueError, match=words) as caught:
        upscale(of_file(film(2)), **fields)
    assert "\n" not in str(caught.value)
    assert not list((folders / "output").rglob("*.parts"))


def test_no_frames_no_video_and_a_folder_in_the_way_are_refused_in_one_sentence(
    upscale, of_file, api, film, folders
):
    empty = api.Types.VideoComponents(images=torch.zeros(0, 8, 8, 3), audio=None, frame_rate=FPS)
    broken = folders / "broken.mp4"
    broken.write_bytes(b"no video")
    for video, words in (
        (api.InputImpl.VideoFromComponents(empty), "no frames"),
        (of_file(broken), "not a video that can be read"),
    ):
        with pytest.raises(Exception, match=words):
            upscale(video)
    (folders / "output" / "movie-gen").write_text("in the way")
    with pytest.raises(Exception, match="another --output-directory") as caught:
        upscale(of_file(film(2)))
    assert "\n" not in str(caught.value)


def special(path, pixel_format="yuv420p10le", transfer=1, times=None):
    """A lossless clip of a kind that is no plain 8-bit one."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=FPS)
        stream.height, stream.width, stream.pix_fmt = 24, 32, pixel_format
        stream.codec_context.color_trc = transfer
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, picture in enumerate(pictures(6)):
            frame = av.VideoFrame.from_ndarray(picture.numpy(), format="rgb24").reformat(format=pixel_format)
            frame.pts = (times or [125 * index for index in range(6)])[number]
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "its 10-bit pictures become 8-bit"),
        ({"pixel_format": "yuva420p"}, "its transparency is dropped"),
        (
            {"pixel_format": "yuv420p", "times": [0, 60, 300, 340, 700, 900]},
            "its variable rate becomes constant",
        ),
    ],
)
def test_what_cannot_be_kept_of_a_clip_is_said(upscale, of_file, folders, fields, words):
    video, _, said = upscale(of_file(special(folders / "special.mkv", **fields)))
    assert words in said.replace("\n", " ")
    assert read_clip(video.get_stream_source())[0].shape[1:] == (48, 64, 3)


def test_high_dynamic_range_is_refused_in_one_sentence(upscale, of_file, folders):
    with pytest.raises(Exception, match="convert it to SDR") as caught:
        upscale(of_file(special(folders / "hdr.mkv", transfer=16)))
    assert "\n" not in str(caught.value)


def test_a_full_disk_names_what_to_do_in_the_words_of_a_node(upscale, of_file, film, comfy_host, monkeypatch):
    stage = comfy_host.ours("moviegen_core.stages.upscale_video")
    real = stage._save_place

    def full(path, at):
        if path.name.startswith("000001"):
            raise OSError(28, "No space left on device")
        real(path, at)

    monkeypatch.setattr(stage, "_save_place", full)
    with pytest.raises(Exception, match=r"No space left.*press Run again to go on"):
        upscale(of_file(film(60)))


def test_the_node_tells_its_plan_then_how_far_it_is_then_the_report(
    upscale, of_file, film, comfy_host, monkeypatch
):
    module, said = comfy_host.ours("nodes.upscale"), []
    monkeypatch.setattr(module.report, "say_on_node", lambda _node, text: said.append(text))
    monkeypatch.setattr(module, "SAY_SECONDS", 0.0)
    report = upscale(of_file(film(40)))[2]
    plan = " ".join(said[0].split())
    assert "40 frames, 32x24 to 64x48, 3 units of 16 frames, about" in plan
    assert "of memory, about" in plan
    assert any("16 of 40 frames" in text and "s left" in text for text in said[1:-1])
    assert said[-1] == report


def test_a_comparison_that_fails_costs_no_result(upscale, of_file, film, comfy_host, monkeypatch, caplog):
    def broken(*_given):
        raise ValueError("no such frame")

    monkeypatch.setattr(comfy_host.ours("nodes.upscale"), "frame_at", broken)
    video, compared, said = upscale(of_file(film(3)))
    assert read_clip(video.get_stream_source())[0].shape == (3, 48, 64, 3)
    assert not compared.any()
    assert "3 frames" in said
    assert "could not be compared" in caplog.text


def test_the_comparison_shows_the_frames_of_the_clip_itself(upscale, of_file, film):
    source = film(40)
    video, compared, _ = upscale(of_file(source))
    path = Path(video.get_stream_source())
    for shown, number in zip(compared, (0, 20, 39), strict=True):
        after = frame_at(path, number / FPS).float() / 255
        torch.testing.assert_close(shown[:, 64 + GAP :], after)
        before = list(frames(source))[number].float() / 255
        small = torch.nn.functional.interpolate(
            shown[None, :, :64].permute(0, 3, 1, 2), (24, 32), mode="area"
        )
        assert (small[0].permute(1, 2, 0) - before).abs().mean() < 0.02


def rrdb_state(scale, channels, width=4, growth=32):
    """Random weights of the smallest RRDBNet, named as ESRGAN's authors name them."""
    torch.manual_seed(3)
    layers = {"conv_first": (channels, width), "trunk_conv": (width, width)}
    for block in range(1, 4):
        for conv in range(1, 6):
            made = width if conv == 5 else growth
            layers[f"RRDB_trunk.0.RDB{block}.conv{conv}"] = (width + (conv - 1) * growth, made)
    layers |= {f"upconv{number + 1}": (width, width) for number in range(scale.bit_length() - 1)}
    layers |= {"HRconv": (width, width), "conv_last": (width, channels)}
    state = {}
    for name, (given, made) in layers.items():
        calm = 0.2 if name == "conv_last" else 1.0
        state[f"{name}.weight"] = calm * torch.randn(made, given, 3, 3) / (9 * given) ** 0.5
        state[f"{name}.bias"] = torch.zeros(made) + (0.5 if name == "conv_last" else 0)
    return state


@pytest.fixture
def esrgan(run, folders, monkeypatch):
    """A tiny network of the ESRGAN family with random weights, as the host's loader gives it."""
    import folder_paths
    from safetensors.torch import save_file

    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "upscale_models", ([str(folders)], {".pth", ".safetensors"})
    )

    def make(scale=4, ending=".safetensors", channels=3):
        state = rrdb_state(scale, channels)
        name = f"tiny{scale}{ending}"
        save_file(state, folders / name) if ending == ".safetensors" else torch.save(state, folders / name)
        return run("UpscaleModelLoader", model_name=name)[0]

    return make


@pytest.fixture(scope="session")
def upscale_nodes(comfy_host, comfy_folder):
    """The host's own nodes for upscale models."""
    import asyncio

    import nodes

    path = str(Path(comfy_folder) / "comfy_extras" / "nodes_upscale_model.py")
    assert asyncio.run(nodes.load_custom_node(path, module_parent="comfy_extras"))
    return comfy_host


@pytest.mark.usefixtures("upscale_nodes")
@pytest.mark.parametrize(("scale", "ending"), [(4, ".pth"), (2, ".safetensors")])
def test_an_esrgan_network_makes_of_each_frame_what_it_makes_alone(
    upscale, of_file, film, esrgan, scale, ending
):
    network, source = esrgan(scale, ending), film(5)
    fields = {"height": 24 * scale, "colour": "none", "crf": 0}
    video, _, said = upscale(of_file(source), upscale_model=network, **fields)
    read = read_clip(video.get_stream_source())[0]
    for frame, made in zip(frames(source), read, strict=True):
        alone = network(frame.permute(2, 0, 1)[None].float() / 255)[0].permute(1, 2, 0)
        assert (made.float() - alone * 255).abs().mean() < 4  # yuv420p
    assert f"ESRGAN {scale}x" in said


@pytest.mark.usefixtures("upscale_nodes")
def test_tiles_hardly_show_and_colours_come_back_to_the_clips(upscale, of_file, film, esrgan):
    network, source = esrgan(), film(3, 80, 112)
    whole = upscale(of_file(source), upscale_model=network, tile=0, height=320)
    tiled = upscale(of_file(source), upscale_model=network, tile=64, height=320)
    a, b = (read_clip(one[0].get_stream_source())[0].float() for one in (whole, tiled))
    assert (a - b).abs().mean() < 1.5
    assert "tiles" in tiled[2]
    wild = upscale(of_file(source), upscale_model=network, tile=0, height=320, colour="none")
    distance = [float(one[2].split("colour ")[1].split(":")[0]) for one in (whole, wild)]
    assert 4 * distance[0] < distance[1]


@pytest.mark.usefixtures("upscale_nodes")
def test_half_precision_follows_the_host_and_leaves_the_loaded_model_alone(
    upscale, of_file, film, esrgan, monkeypatch
):
    import comfy.model_management as manager

    network, source = esrgan(2), film(2)
    before = {name: tensor.clone() for name, tensor in network.model.state_dict().items()}
    exact = upscale(of_file(source), upscale_model=network)[0]
    monkeypatch.setattr(manager, "should_use_fp16", lambda *_given, **_named: True)
    fast = upscale(of_file(source), upscale_model=network)[0]
    a, b = (read_clip(one.get_stream_source())[0].float() for one in (exact, fast))
    assert 0 <= (a - b).abs().mean() < 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.model.state_dict().items())
    assert network.dtype == torch.float32


@pytest.mark.usefixtures("upscale_nodes")
def test_other_weights_never_take_over_the_parts_of_a_job(upscale, of_file, film, esrgan, comfy_host):
    network, source = esrgan(2), film(60)
    with pytest.MonkeyPatch.context() as patch:
        stop = Stop(patch, comfy_host.ours("nodes.upscale"), 40)
        with pytest.raises(stop.error):
            upscale(of_file(source), upscale_model=network)
    parameter = next(network.model.parameters())
    before = parameter.data.clone()
    parameter.data.add_(1e-3)
    assert "from before" not in upscale(of_file(source), upscale_model=network)[2]
    parameter.data.copy_(before)
    assert "32 of them from before" in upscale(of_file(source), upscale_model=network)[2]


@pytest.mark.usefixtures("upscale_nodes")
def test_a_network_of_grey_pictures_is_refused(upscale, of_file, film, esrgan):
    with pytest.raises(Exception, match="choose a model for colour pictures"):
        upscale(of_file(film(2)), upscale_model=esrgan(2, channels=1))


@pytest.mark.usefixtures("upscale_nodes")
def test_tiles_shrink_until_the_memory_holds_them(upscale, of_file, film, esrgan, comfy_host, monkeypatch):
    import comfy.model_management as manager

    class FullError(RuntimeError):
        pass

    monkeypatch.setattr(manager, "OOM_EXCEPTION", FullError)
    module, sides = comfy_host.ours("nodes.host.upscalers"), []
    real = module._made

    def made(network, frame):
        sides.append(max(frame.shape[-2:]))
        if sides[-1] > 64:
            raise FullError("no room")
        return real(network, frame)

    monkeypatch.setattr(module, "_made", made)
    video = upscale(of_file(film(2, 24, 90)), upscale_model=esrgan(2), tile=256, height=48)[0]
    assert read_clip(video.get_stream_source())[0].shape == (2, 48, 180, 3)
    assert sides[0] == 90
    assert max(sides[2:]) <= 64


@pytest.fixture
def upsampler_cast(comfy_host, tmp_path, monkeypatch):  # noqa: ARG001
    """A cast whose upsampler has tiny random weights."""
    import folder_paths

    preset = UPSAMPLER_PRESETS["nano"]
    model = build("upsampler", replace(preset, num_layers=1), device="cpu")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    folder = tmp_path / "casts" / "tiny-upsampler"
    folder.mkdir(parents=True)
    save_model(folder / "upsampler.safetensors", "upsampler", model, dtype=torch.float32)
    write_cast(folder, "tiny-upsampler", {"upsampler": "upsampler.safetensors"})
    folder_paths.add_model_folder_path("moviegen", str(tmp_path / "casts"))
    return folder


def test_a_cast_with_an_upsampler_can_be_chosen_and_draws_detail_by_its_seed(
    upscale, of_file, film, upsampler_cast, comfy_host
):
    names = comfy_host.ours("nodes.host.upscalers").upscaler_names()
    assert names[:2] == ["lanczos", "bicubic"]
    assert upsampler_cast.name in names
    source = of_file(film(3))
    first, other, plain = (
        read_clip(upscale(source, **fields)[0].get_stream_source())[0]
        for fields in (
            {"upscaler": upsampler_cast.name},
            {"upscaler": upsampler_cast.name, "detail_seed": 1},
            {"upscaler": "lanczos"},
        )
    )
    assert first.shape == (3, 48, 64, 3)
    assert not torch.equal(first, other)
    assert not torch.equal(first, plain)


def drawn(run, cast, video, prompts, *, steps=1, denoise=0.2, **changes):
    sigmas = run("MovieGenSchedule", model=cast.model, steps=steps, imitated_steps=250, denoise=denoise)[0]
    positive, negative = prompts
    guider = run("CFGGuider", model=cast.model, positive=positive, negative=negative, cfg=1.0)[0]
    fields = {"height": 64, "width": 96, "fit": "crop", "colour": "wavelet", "window": 16, "overlap": 8}
    fields |= {"tile": 0, "detail_seed": 5, "crf": 0}
    return run(
        "MovieGenRedrawVideo",
        video=video,
        guider=guider,
        sampler=run("KSamplerSelect", sampler_name="euler")[0],
        sigmas=sigmas,
        vae=cast.vae,
        **(fields | changes),
    )


def test_sampling_makes_what_the_single_steps_make_of_the_enlarged_clip(
    run, cast, of_file, film, prompts, comfy_host
):
    source = film(13, 32, 48)
    video = drawn(run, cast, of_file(source), prompts, colour="none")[0]
    made = read_clip(video.get_stream_source())[0]
    assert made.shape == (13, 64, 96, 3)
    enlarged = torch.nn.functional.interpolate(
        torch.stack(list(frames(source))).permute(0, 3, 1, 2) / 127.5 - 1,
        (64, 96),
        mode="bicubic",
        antialias=True,
    )
    latent = run("VAEEncode", vae=cast.vae, pixels=((enlarged + 1) / 2).clamp(0, 1).permute(0, 2, 3, 1))[0]
    noise = comfy_host.ours("nodes.host.resampled").FrameNoise(16, 5)

    class Placed:
        seed = 5

        def generate_noise(self, given):
            shape = given["samples"].shape
            return noise.cut(0, shape[2], shape[-2:], slice(0, shape[-2]), slice(0, shape[-1]))[None]

    sigmas = run("MovieGenSchedule", model=cast.model, steps=1, imitated_steps=250, denoise=0.2)[0]
    guider = run("CFGGuider", model=cast.model, positive=prompts[0], negative=prompts[1], cfg=1.0)[0]
    sampler = run("KSamplerSelect", sampler_name="euler")[0]
    sampled = run(
        "SamplerCustomAdvanced",
        noise=Placed(),
        guider=guider,
        sampler=sampler,
        sigmas=sigmas,
        latent_image=latent,
    )[0]
    alone = run("MovieGenDecode", samples=sampled, vae=cast.vae, frames=13)[0]
    assert (made.float() - alone * 255).abs().mean() < 3


def test_windows_and_tiles_of_a_sampling_agree_because_they_see_the_same_noise(
    run, cast, of_file, film, prompts, comfy_host
):
    resampled = comfy_host.ours("nodes.host.resampled")
    source, seen, real = film(24, 32, 48), [], resampled.placed_noise

    def watched(noise, latent, piece, work):
        made = real(noise, latent, piece, work)
        seen.append((piece.frame, piece.top // 8, piece.left // 8, made))
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampled, "placed_noise", watched)
        drawn(run, cast, of_file(source), prompts, tile=64)
    whole = {}
    for frame, top, left, noise in seen:
        for t in range(noise.shape[2]):
            for x in range(min(noise.shape[-1], 12 - left)):
                cell = noise[0, :, t, 0, x]
                assert torch.equal(whole.setdefault((frame // 8 + t, top, left + x), cell), cell)
    assert len({(frame, left) for frame, _, left, _ in seen}) == len(seen) == 4


def test_the_plan_of_a_sampling_counts_the_memory_of_its_model_and_tries_nothing(
    run, cast, of_file, film, prompts, comfy_host, monkeypatch
):
    said, calls = [], []
    monkeypatch.setattr(
        comfy_host.ours("nodes.upscale").report, "say_on_node", lambda _n, text: said.append(text)
    )
    monkeypatch.setattr(
        cast.model.model, "memory_required", lambda input_shape, **_more: calls.append(input_shape) or 7e9
    )
    drawn(run, cast, of_file(film(9, 32, 48)), prompts, tile=64, window=16)
    assert calls[0] == [1, 16, 2, 8, 8]
    assert "about 7." in " ".join(said[0].split())
    assert "GB of memory" in " ".join(said[0].split())


def test_a_guider_of_another_family_and_windows_within_a_latent_frame_are_refused(
    run, cast, of_file, film, prompts, monkeypatch
):
    video = of_file(film(3, 32, 48))
    with pytest.raises(ValueError, match="make the difference a multiple of 8"):
        drawn(run, cast, video, prompts, window=16, overlap=4)
    monkeypatch.setattr(cast.vae, "latent_channels", 4)
    with pytest.raises(ValueError, match="connect the VAE of the model"):
        drawn(run, cast, video, prompts)


class Prompt:
    """The host's prompt, as much of it as is asked for."""

    def __init__(self, nodes):
        self.nodes = nodes

    def get_node(self, node_id):
        return self.nodes[node_id]


def test_the_wiring_has_one_name_whatever_the_ids_and_another_for_every_value(comfy_host):
    import types

    key = comfy_host.ours("nodes.host.resampled").wiring_key

    def named(ids="abc", text="a cat", slot=0, extra=1):
        first, second, third = ids
        nodes = {
            first: {"class_type": "Load", "inputs": {"name": "x"}},
            second: {"class_type": "Say", "inputs": {"text": text, "clip": [first, slot]}},
            third: {"class_type": "Us", "inputs": {"guider": [second, 0], "height": extra}},
        }
        return key(types.SimpleNamespace(dynprompt=Prompt(nodes), unique_id=third), ("guider",))

    assert named() == named("xyz") == named(extra=2)
    assert len({named(), named(text="a dog"), named(slot=1)}) == 3
    assert key(types.SimpleNamespace(dynprompt=None, unique_id=None), ("guider",)) is None


@pytest.mark.parametrize(("count", "padded"), [(1, 1), (5, 5), (6, 9), (16, 17), (17, 17)])
def test_frames_are_repeated_until_a_causal_vae_gives_them_all_back(comfy_host, count, padded):
    import math
    import types

    wan = types.SimpleNamespace(
        downscale_ratio=(lambda frames: max(0, math.floor((frames + 3) / 4)), 8, 8),
        upscale_ratio=(lambda cells: max(0, cells * 4 - 3), 8, 8),
        temporal_compression_decode=lambda: 4,
    )
    assert comfy_host.ours("nodes.host.resampled").padded_frames(wan, count) == padded


def test_a_vae_of_pictures_needs_no_repeated_frames(comfy_host):
    import types

    pictures_only = types.SimpleNamespace(downscale_ratio=8, upscale_ratio=8)
    assert comfy_host.ours("nodes.host.resampled").padded_frames(pictures_only, 7) == 7


def test_what_an_upscaled_clip_says_of_itself_names_no_temporary_file(upscale, api):
    parts = api.Types.VideoComponents(images=pictures(2) / 255, audio=None, frame_rate=FPS)
    path = upscale(api.InputImpl.VideoFromComponents(parts))[0].get_stream_source()
    with av.open(path) as container:
        assert "moviegen_" not in str(container.metadata)
    assert probe(path).fps == FPS
