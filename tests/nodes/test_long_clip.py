"""Long clips: windows under any sampler, decoding straight into a file, drift in numbers."""

from fractions import Fraction

import pytest
import torch

from moviegen_core.flow.schedule import linear_quadratic_times
from moviegen_core.flow.windows import spread_windows
from moviegen_core.media.read import probe, read_clip
from moviegen_core.media.read_sound import open_sound
from moviegen_core.media.sound import count_samples
from moviegen_core.stages.generate import denoise, encode_prompts, load_text_to_video
from moviegen_core.stages.settings import SamplingSettings
from moviegen_core.weights.cast import open_cast

CELLS, STEPS, GUIDANCE, SEED = 20, 3, 4.0, 7
"""160 frames of 48x32: beyond the 8 latent frames that nano learnt."""


def sampled(run, model, prompts, *, sampler="euler", cells=CELLS):
    sigmas = run("MovieGenSchedule", model=model, steps=STEPS, imitated_steps=250, denoise=1.0)[0]
    positive, negative = prompts
    guider = run("CFGGuider", model=model, positive=positive, negative=negative, cfg=GUIDANCE)[0]
    chosen = run("KSamplerSelect", sampler_name=sampler)[0] if isinstance(sampler, str) else sampler
    return run(
        "SamplerCustomAdvanced",
        noise=run("RandomNoise", noise_seed=SEED)[0],
        guider=guider,
        sampler=chosen,
        sigmas=sigmas,
        latent_image={"samples": torch.zeros(1, 16, cells, 4, 6)},
    )[0]["samples"]


def calls_of(model):
    """How many latent frames each forward of a model sees."""
    seen = []
    model.set_model_unet_function_wrapper(
        lambda apply, given: (
            seen.append(given["input"].shape[2]) or apply(given["input"], given["timestep"], **given["c"])
        )
    )
    return seen


def test_windows_of_a_sampler_make_what_the_core_makes(run, float_model, prompts):
    long = run("MovieGenLongClip", model=float_model, window=0, overlap=0)[0]
    models = load_text_to_video(open_cast("nano"))
    context = encode_prompts(models, ["FPS-16. a red ball bounces"], guided=True)
    noise = torch.randn(1, 16, CELLS, 4, 6, generator=torch.Generator().manual_seed(SEED))
    with torch.no_grad():
        alone = denoise(models, context, noise, SamplingSettings(num_steps=STEPS, guidance=GUIDANCE))
    assert SamplingSettings(num_steps=STEPS).grid == 250
    assert len(linear_quadratic_times(STEPS, grid=250)) == STEPS + 1
    torch.testing.assert_close(sampled(run, long, prompts), alone, rtol=1e-3, atol=1e-3)


def test_a_forward_never_sees_more_than_a_window_and_short_clips_are_as_before(run, float_model, prompts):
    long = run("MovieGenLongClip", model=float_model, window=6, overlap=2)[0]
    seen = calls_of(long)
    sampled(run, long, prompts)
    assert set(seen) == {6}
    assert len(seen) == STEPS * len(spread_windows(CELLS, 6, 2))
    torch.testing.assert_close(
        sampled(run, long, prompts, cells=5), sampled(run, float_model, prompts, cells=5)
    )
    assert "context_handler" not in float_model.model_options


@pytest.mark.parametrize("sampler", ["heun", "dpmpp_2m", "midpoint"])
def test_samplers_that_ask_between_steps_work_too(run, float_model, prompts, sampler):
    long = run("MovieGenLongClip", model=float_model, window=4, overlap=2)[0]
    chosen = run("MovieGenMidpointSampler")[0] if sampler == "midpoint" else sampler
    assert sampled(run, long, prompts, sampler=chosen, cells=9).isfinite().all()


def test_memory_is_asked_for_one_window(run, float_model, prompts):
    long = run("MovieGenLongClip", model=float_model, window=4, overlap=2)[0]
    asked, real = [], long.model.memory_required
    long.model.memory_required = lambda shape, **rest: asked.append(shape[2]) or real(shape, **rest)
    try:
        sampled(run, long, prompts)
    finally:
        del long.model.memory_required
    assert set(asked) == {4}


def test_an_overlap_that_does_not_fit_and_a_model_that_tells_nothing_are_refused(
    run, float_model, comfy_host, monkeypatch
):
    with pytest.raises(ValueError, match="overlap of 8 does not fit windows of 8"):
        run("MovieGenLongClip", model=float_model, window=0, overlap=8)
    monkeypatch.setattr(comfy_host.ours("nodes.host.windows"), "learnt_window", lambda _model: None)
    with pytest.raises(ValueError, match="set window, for Wan to 21"):
        run("MovieGenLongClip", model=float_model, window=0, overlap=0)
    monkeypatch.setattr(float_model.model.latent_format, "latent_dimensions", 2)
    with pytest.raises(ValueError, match="connect a video model"):
        run("MovieGenLongClip", model=float_model, window=4, overlap=0)


def decoded(run, cast, latent, **changes):
    fields = {"fps": 16.0, "frames": 0, "crf": 0}
    return run("MovieGenDecodeVideo", samples=latent, vae=cast.vae, **(fields | changes))


@pytest.mark.parametrize("frames", [1, 8, 13, 100])
def test_a_decoded_file_has_the_frames_of_movie_gen_decode_and_no_more(run, cast, frames):
    cells = -(-frames // 8)
    latent = {"samples": torch.randn(1, 16, cells, 4, 6), "frames": frames}
    video, count, said = decoded(run, cast, latent)
    read, fps = read_clip(video.get_stream_source())
    images = run("MovieGenDecode", samples=latent, vae=cast.vae, frames=0)[0]
    assert (count, len(read), fps) == (frames, frames, 16)
    assert "as a stream" in said
    assert (read.float() - images * 255).abs().mean() < 3  # yuv420p halves the colours


def test_clips_of_a_batch_follow_each_other_and_sound_is_cut_to_them(run, cast):
    latent = {"samples": torch.randn(2, 16, 2, 4, 6), "frames": 13}
    audio = {"waveform": torch.randn(1, 2, 200_000) / 9, "sample_rate": 48000}
    video, count, _ = decoded(run, cast, latent, audio=audio, fps=23.976)
    path = video.get_stream_source()
    assert count == 13
    assert len(read_clip(path)[0]) == 26
    assert probe(path).fps == Fraction(24000, 1001)
    assert count_samples(open_sound(path)) == round(26 * Fraction(1001, 24000) * 48000)


class ForeignVAE:
    """As much of another family's VAE as is asked for: 4 frames a latent frame, but for the first."""

    latent_channels = 4

    def temporal_compression_decode(self):
        return 4

    def spacial_compression_decode(self):
        return 8

    def decode_tiled(self, latent, **tiles):
        assert tiles == {"tile_x": 64, "tile_y": 64, "overlap": 8, "tile_t": 16, "overlap_t": 2}
        _, _, T, H, W = latent.shape
        return torch.full((1, 4 * T - 3, 8 * H, 8 * W, 3), 0.5)


def test_another_vae_decodes_in_the_hosts_tiles_and_the_node_says_so(run):
    latent = {"samples": torch.zeros(1, 4, 3, 2, 2)}
    fields = {"samples": latent, "vae": ForeignVAE(), "fps": 16.0, "crf": 14}
    video, count, said = run("MovieGenDecodeVideo", frames=0, **fields)
    assert (count, len(read_clip(video.get_stream_source())[0])) == (9, 9)
    assert "cannot stream" in said
    assert run("MovieGenDecodeVideo", frames=5, **fields)[1] == 5
    with pytest.raises(ValueError, match="9 frames, not 12"):
        run("MovieGenDecodeVideo", frames=12, **fields)


def test_a_latent_of_another_model_is_refused_by_our_vae(run, cast):
    with pytest.raises(ValueError, match="connect the VAE of the model that made it"):
        decoded(run, cast, {"samples": torch.zeros(1, 4, 2, 4, 6)})
    with pytest.raises(ValueError, match="holds no frames"):
        decoded(run, cast, {"samples": torch.zeros(1, 16, 0, 4, 6)})


@pytest.fixture
def clip_of(comfy_host):  # noqa: ARG001 - the host comes first
    """A VIDEO in memory."""
    from comfy_api.latest import InputImpl, Types

    def make(images, fps=8):
        return InputImpl.VideoFromComponents(
            Types.VideoComponents(images=images, audio=None, frame_rate=Fraction(fps))
        )

    return make


def test_drift_is_what_parts_differ_from_the_first(run, clip_of):
    still = torch.rand(1, 24, 32, 3).repeat(32, 1, 1, 1) * 0.5 + 0.2
    colour, contrast, curve, said = run("MovieGenMeasureDrift", video=clip_of(still), seconds=1.0)
    assert (colour, contrast) == (0, 1)
    assert "cannot be seen" in said
    still[16:] = still[16:] * 0.8
    changed = run("MovieGenMeasureDrift", video=clip_of(still), seconds=1.0)
    assert changed[0] > 2
    assert changed[1] > 1.1
    assert changed[2].shape == curve.shape
    assert not torch.equal(changed[2], curve)
    assert "4 parts of 1 s" in changed[3]


def test_a_clip_of_one_part_has_no_drift_and_says_what_is_missing(run, clip_of):
    colour, contrast, _, said = run(
        "MovieGenMeasureDrift", video=clip_of(torch.rand(3, 8, 8, 3)), seconds=2.0
    )
    assert (colour, contrast) == (0, 1)
    assert "too few" in said
