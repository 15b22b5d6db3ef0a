from dataclasses import replace

import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from moviegen_core.cli import main
from moviegen_core.errors import SettingsError
from moviegen_core.geometry import fit_frame
from moviegen_core.models.upsampler import UPSAMPLER_PRESETS, Upsampler
from moviegen_core.stages.settings import UpsampleSettings
from moviegen_core.stages.upsample import FrameNoise, add_detail, neural_upscaler
from moviegen_core.stages.upscale import Piece, UpscaleSettings, enlarge_in_tiles, upscale_stream
from moviegen_core.weights.files import save_model

TINY = replace(
    UPSAMPLER_PRESETS["nano"],
    latent_channels=4,
    encoder_widths=(8,),
    decoder_widths=(8,),
    encoder_blocks=(0,),
    decoder_blocks=(0,),
    head_width=4,
    width=16,
    num_layers=1,
    num_heads=2,
    ffn_width=16,
    table_sizes=(6, 4, 4),
)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = Upsampler(TINY).eval().requires_grad_(requires_grad=False)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return made


def upscaler(model, **settings):
    return neural_upscaler(model, name="tiny", content="tiny", settings=UpsampleSettings(**settings))


def test_any_size_and_length_fits_the_model(model):
    frames = torch.randint(0, 256, (17, 11, 19, 3), dtype=torch.uint8)
    how = UpscaleSettings(fit=fit_frame((11, 19), 40))
    made = torch.cat([part for part, _ in upscale_stream(upscaler(model, num_steps=1), frames, how)])
    assert made.shape == (17, 40, 68, 3)


def test_tiles_and_windows_see_the_same_noise_at_the_same_place():
    noise = FrameNoise(4, 0)
    whole = noise.cut(3, 5, (9, 11), slice(0, 9), slice(0, 11))
    assert torch.equal(noise.cut(4, 2, (9, 11), slice(2, 6), slice(5, 11)), whole[:, 1:3, 2:6, 5:11])
    assert torch.equal(FrameNoise(4, 0).cut(3, 5, (9, 11), slice(0, 9), slice(0, 11)), whole)
    assert not torch.equal(FrameNoise(4, 1).cut(3, 5, (9, 11), slice(0, 9), slice(0, 11)), whole)
    assert not torch.equal(whole[:, 0], whole[:, 1])


def test_the_same_seed_adds_the_same_detail_and_another_another(model):
    clip, piece = torch.rand(3, 4, 8, 8), Piece(frame=0, top=0, left=0, height=16, width=16, whole=(16, 16))
    made = [add_detail(model, clip, piece, FrameNoise(4, seed), 2) for seed in (0, 0, 1)]
    assert torch.equal(made[0], made[1])
    assert not torch.allclose(made[0], made[2], atol=1e-3)


def test_frames_of_different_windows_reach_each_other_at_every_step():
    """The first window does not see the last frame, but hears of it by the frames that both share."""
    torch.manual_seed(0)
    loud = Upsampler(TINY).eval().requires_grad_(requires_grad=False)
    for parameter in loud.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    clip, piece = torch.rand(3, 10, 8, 8), Piece(frame=0, top=0, left=0, height=16, width=16, whole=(16, 16))
    changed = clip.clone()
    changed[:, 6:] = 1 - changed[:, 6:]
    heard = {}
    for steps in (1, 4):
        made = [add_detail(loud, one, piece, FrameNoise(4, 0), steps) for one in (clip, changed)]
        heard[steps] = (made[0] - made[1])[:, 0].abs().max()
    assert heard[1] == 0
    assert heard[4] > 1e-5


def test_its_upscaler_doubles_and_fits_its_tables(model):
    made = upscaler(model)
    assert (made.factor, made.tile, made.window, made.overlap) == (2, 16, 8, 4)
    assert enlarge_in_tiles(made, torch.rand(3, 2, 16, 24), (32, 48)).shape == (3, 2, 32, 48)


def test_a_fresh_model_enlarges_as_its_autoencoder_would():
    torch.manual_seed(0)
    fresh = Upsampler(TINY).eval().requires_grad_(requires_grad=False)
    clip = torch.rand(3, 2, 8, 8)
    piece = Piece(frame=0, top=0, left=0, height=16, width=16, whole=(16, 16))
    plain = fresh.frames.decode(fresh.frames.encode(fresh.enlarged(clip[None])), 2)[0]
    assert_close(
        add_detail(fresh, clip, piece, FrameNoise(4, 0), 1), plain, atol=0.02, rtol=0
    )  # bfloat16, where it is fast


def test_no_step_is_refused():
    with pytest.raises(SettingsError, match="0 steps"):
        UpsampleSettings(num_steps=0)


def test_the_command_line_takes_a_weights_file(model, tmp_path):
    save_model(tmp_path / "tiny.safetensors", "upsampler", model)
    Image.new("RGB", (12, 10), "red").save(tmp_path / "in.png")
    words = ["upscale", str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png"), "--height", "20"]
    words += ["--device", "cpu", "--steps", "1", "--upscaler"]
    assert main([*words, str(tmp_path / "tiny.safetensors")]) == 0
    assert Image.open(tmp_path / "out.png").size == (24, 20)
    assert main([*words, str(tmp_path / "no-cast")]) == 2
