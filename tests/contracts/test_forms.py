"""What the nodes that need no model do with their inputs."""

import math
import sys

import pytest
import torch


@pytest.fixture
def run(pack):
    """Run a node by its id."""

    def call(node_id, **inputs):
        pack.said.clear()
        return pack.classes[node_id].execute(**inputs)

    return call


def empty(run, **changes):
    settings = {"aspect": "16:9 (wide)", "side": 144, "seconds": 2.0, "fps": 16.0, "batch_size": 1}
    return run("MovieGenEmptyLatent", **(settings | changes))


class Model:
    """Any flow model: the schedule asks for its highest noise level alone."""

    sigma_max = torch.tensor(1.0)

    def get_model_object(self, name):
        assert name == "model_sampling"
        return self


class Autoencoder:
    """Decodes a latent to frames that carry their own number."""

    latent_channels = 16

    def decode(self, latent):
        B, _, T, H, W = latent.shape
        return torch.arange(8.0 * T).view(1, -1, 1, 1, 1).expand(B, -1, 8 * H, 8 * W, 3)


@pytest.mark.parametrize(
    "aspect", ["16:9 (wide)", "4:3", "1:1 (square)", "3:4", "9:16 (tall)", "21:9 (cinema)"]
)
@pytest.mark.parametrize("side", [16, 100, 144, 700])
def test_every_aspect_and_size_snaps_to_whole_patches(run, aspect, side):
    latent = empty(run, aspect=aspect, side=side)[0]["samples"]
    assert latent.shape[3] % 2 == latent.shape[4] % 2 == 0
    assert latent.shape[:2] == (1, 16)


def test_the_default_clip_is_the_size_nano_was_trained_at(run):
    latent, frames, fps = empty(run).args
    assert latent["samples"].shape == (1, 16, 4, 14, 24)
    assert (frames, latent["frames"], fps) == (32, 32, 16.0)


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"), [(0, 16, 1), (1, 24, 24), (1.3, 16, 21), (2, 29.97, 60)]
)
def test_a_length_in_seconds_becomes_whole_frames(run, seconds, fps, frames):
    latent, count, _ = empty(run, seconds=seconds, fps=fps).args
    assert count == frames
    assert latent["samples"].shape[2] == math.ceil(frames / 8)


def test_the_node_says_what_it_snapped_and_nothing_when_all_fits(run, pack):
    empty(run, seconds=1.33, side=100)
    told = pack.said[0]
    assert "size snapped from 133.3x75 to multiples of 16" in told
    assert "length snapped from 1.33 s" in told
    assert "3 frames more are sampled" in told
    empty(run, aspect="1:1 (square)", side=128)
    assert "\n" not in pack.said[0]


def test_a_batch_holds_as_many_empty_clips(run):
    latent = empty(run, batch_size=3)[0]["samples"]
    assert latent.shape[0] == 3
    assert not latent.any()


@pytest.mark.parametrize(
    ("changes", "words"), [({"seconds": 65.0}, "at most 64"), ({"fps": 0.0}, "such as 16")]
)
def test_an_impossible_clip_is_refused_with_the_way_out(run, changes, words):
    with pytest.raises(ValueError, match=words):
        empty(run, **changes)


@pytest.mark.parametrize(("steps", "grid"), [(1, 1), (1, 250), (7, 250), (50, 250), (50, 1000), (50, 50)])
def test_sigmas_fall_from_one_to_zero_in_exactly_that_many_steps(run, steps, grid):
    sigmas = run("MovieGenSchedule", model=Model(), steps=steps, imitated_steps=grid, denoise=1.0)[0]
    assert sigmas.shape == (steps + 1,)
    assert sigmas[0] == 1
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()


def test_the_first_half_of_the_steps_is_as_fine_as_the_imitated_schedule(run):
    sigmas = run("MovieGenSchedule", model=Model(), steps=50, imitated_steps=250, denoise=1.0)[0]
    torch.testing.assert_close(sigmas[:26].diff(), torch.full((25,), -1 / 250))


def test_denoise_is_the_noise_level_the_schedule_starts_from(run):
    def schedule(denoise):
        return run("MovieGenSchedule", model=Model(), steps=8, imitated_steps=250, denoise=denoise)[0]

    assert schedule(0.5)[0] == 0.5
    assert schedule(0.5)[-1] == 0
    assert len(schedule(0.0)) == 0


def test_more_steps_than_the_imitated_schedule_has_are_refused(run):
    with pytest.raises(ValueError, match="steps <= grid"):
        run("MovieGenSchedule", model=Model(), steps=60, imitated_steps=50, denoise=1.0)


@pytest.mark.parametrize("frames", [1, 8, 9, 20, 24])
def test_decode_gives_exactly_the_frames_the_latent_stands_for(run, frames):
    latent = {"samples": torch.zeros(2, 16, math.ceil(frames / 8), 2, 2), "frames": frames}
    images, count = run("MovieGenDecode", samples=latent, vae=Autoencoder(), frames=0).args
    assert count == frames
    assert images[:, 0, 0, 0].tolist() == 2 * list(range(frames))


def test_decode_gives_all_frames_of_a_latent_that_others_joined(run):
    latent = {"samples": torch.zeros(1, 16, 6, 2, 2), "frames": 20}
    assert run("MovieGenDecode", samples=latent, vae=Autoencoder(), frames=0)[1] == 48


def test_a_count_given_by_hand_wins_and_one_too_large_is_refused(run):
    latent = {"samples": torch.zeros(1, 16, 3, 2, 2), "frames": 20}
    assert run("MovieGenDecode", samples=latent, vae=Autoencoder(), frames=17)[1] == 17
    with pytest.raises(ValueError, match="give 1 to 24"):
        run("MovieGenDecode", samples=latent, vae=Autoencoder(), frames=25)


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (1, 4, 3, 8, 8), (1, 16, 8, 8)])
def test_a_latent_of_another_family_is_refused_by_decode(run, shape):
    with pytest.raises(ValueError, match="connect the VAE of the model that made it"):
        run("MovieGenDecode", samples={"samples": torch.zeros(shape)}, vae=Autoencoder(), frames=0)


def test_trim_keeps_the_first_frames_by_count_or_by_the_latents_own(run):
    images, latent = torch.arange(24.0).view(24, 1, 1, 1), {"samples": torch.zeros(1), "frames": 20}
    assert len(run("MovieGenTrimFrames", images=images, frames=5)[0]) == 5
    assert len(run("MovieGenTrimFrames", images=images, frames=0, samples=latent)[0]) == 20
    assert len(run("MovieGenTrimFrames", images=images, frames=0)[0]) == 24
    with pytest.raises(ValueError, match="24 frames came and 25 are wanted"):
        run("MovieGenTrimFrames", images=images, frames=25)


def test_no_frames_at_all_are_refused_by_trim(run):
    with pytest.raises(ValueError, match="0 frames came"):
        run("MovieGenTrimFrames", images=torch.zeros(0, 8, 8, 3), frames=0)


class Clip:
    """Remembers what it was asked to encode."""

    def tokenize(self, text):
        self.text = text
        return text

    def encode_from_tokens_scheduled(self, tokens):
        return [[tokens, {}]]


def test_the_prompt_keeps_the_artists_words_behind_rate_and_camera(run, pack):
    words = "  A (red:1.3) ball,\nΩ bounces  "
    out = run("MovieGenPrompt", clip=Clip(), text=words, camera="zoom in", fps=24.0, seconds=3.0)
    assert out[1] == out[0][0][0] == pack.said[0] == f"FPS-24. zoom in. {words}"
    assert out.args[2:] == (24.0, 3.0)


def test_an_empty_prompt_is_the_free_branch_and_a_camera_alone_is_refused(run, pack):
    out = run("MovieGenPrompt", clip=Clip(), text=" ", camera="not said", fps=16.0, seconds=1.0)
    assert out[1] == ""
    assert "without words" in pack.said[0]
    with pytest.raises(ValueError, match="describe the clip"):
        run("MovieGenPrompt", clip=Clip(), text=" ", camera="zoom in", fps=16.0, seconds=1.0)


def test_a_prompt_too_long_for_the_encoder_is_refused(run):
    with pytest.raises(ValueError, match="shorten it"):
        run("MovieGenPrompt", clip=Clip(), text="a" * 600, camera="not said", fps=16.0, seconds=1.0)


def test_an_instruction_becomes_a_caption_that_is_shown_and_can_be_overruled(run, pack):
    form = {"instruction": "make the ball blue", "caption": "FPS-16. a red ball bounces", "by_hand": ""}
    assert run("MovieGenEditPrompt", **form).args == (
        "A blue ball bounces.",
        "a red ball bounces",
        "recolour",
    )
    assert pack.said[0] == "A blue ball bounces.\n(recolour)"
    assert run("MovieGenEditPrompt", **form | {"by_hand": "a cat"})[0] == "a cat"
    with pytest.raises(ValueError, match="or write by_hand"):
        run("MovieGenEditPrompt", **form | {"instruction": "hello"})


@pytest.mark.parametrize("shape", [(8, 32, 48), (1800, 1080, 1920), (100_000, 360, 640), (10**7, 16, 16)])
def test_the_mattes_of_a_clip_never_fill_the_memory_and_small_ones_keep_their_size(pack, shape):
    keep = sys.modules[f"{pack.root.__name__}.nodes.keep"]
    frames, height, width = shape
    size = keep.matte_size(height, width, frames)
    assert min(size) >= 1
    assert frames * size[0] * size[1] <= max(keep.MATTE_VALUES, frames)
    assert size == (height, width) or frames * height * width > keep.MATTE_VALUES
