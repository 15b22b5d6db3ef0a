"""The cast as the host's own objects: files, text, frames, memory, previews."""

import weakref

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from moviegen_core.weights.cast import open_cast


def test_the_pack_adds_its_nodes_and_no_other_names(comfy_host):
    ours = {name for name in comfy_host.nodes if name.startswith("MovieGen")}
    assert {"MovieGenLoadCast", "MovieGenPrompt", "MovieGenDecode"} <= ours
    assert all(comfy_host.nodes[name].CATEGORY.startswith("Movie Gen/") for name in ours)


def test_time_and_sign_turn_round_in_one_place(comfy_host):
    convert = comfy_host.ours("nodes.convert")
    times = [0.0, 0.25, 1.0]
    sigmas = convert.sigmas_from_times(times)
    assert sigmas.tolist() == [1.0, 0.75, 0.0]
    assert convert.times_from_timesteps(sigmas * convert.TIMESTEPS).tolist() == times
    data, noise = torch.ones(2), torch.zeros(2)
    assert convert.prediction_from_velocity(data - noise).tolist() == [-1, -1]


def test_frames_survive_encode_and_decode_whole_and_in_tiles(run, cast):
    frames = torch.rand(20, 32, 48, 3)
    latent = run("VAEEncode", pixels=frames, vae=cast.vae)[0]
    assert latent["samples"].shape == (1, 16, 3, 4, 6)
    whole = run("VAEDecode", samples=latent, vae=cast.vae)[0]
    tiled = run(
        "VAEDecodeTiled",
        samples=latent,
        vae=cast.vae,
        tile_size=512,
        overlap=64,
        temporal_size=64,
        temporal_overlap=8,
    )[0]
    assert whole.shape == (24, 32, 48, 3)
    assert whole.min() >= 0
    assert whole.max() <= 1
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-4)
    encoded = run(
        "VAEEncodeTiled",
        pixels=frames,
        vae=cast.vae,
        tile_size=512,
        overlap=64,
        temporal_size=64,
        temporal_overlap=8,
    )[0]
    torch.testing.assert_close(encoded["samples"], latent["samples"], rtol=0, atol=1e-3)
    assert len(run("MovieGenDecode", samples=latent, vae=cast.vae, frames=20)[0]) == 20


def _in_tiles(run, cast, latent, side, frames):
    return run(
        "VAEDecodeTiled",
        samples=latent,
        vae=cast.vae,
        tile_size=side,
        overlap=16,
        temporal_size=frames,
        temporal_overlap=8,
    )[0]


def test_chunks_of_time_join_to_the_whole_and_tiles_of_a_frame_nearly(run, cast):
    frames = torch.rand(1, 128, 192, 3).expand(40, -1, -1, -1)
    latent = run("VAEEncode", pixels=frames, vae=cast.vae)[0]
    whole = run("VAEDecode", samples=latent, vae=cast.vae)[0]
    torch.testing.assert_close(_in_tiles(run, cast, latent, 512, 16), whole, rtol=0, atol=1e-5)
    pieced = _in_tiles(run, cast, latent, 96, 16)
    assert pieced.shape == whole.shape
    assert 1e-5 < (pieced - whole).abs().mean() < 0.02


def test_the_vae_is_the_cores_autoencoder(run, cast):
    frames = torch.rand(8, 32, 48, 3)
    tae = open_cast("nano").load("tae")
    with torch.no_grad():
        latent = tae.encode(frames.permute(3, 0, 1, 2)[None] * 2 - 1)
    torch.testing.assert_close(
        run("VAEEncode", pixels=frames, vae=cast.vae)[0]["samples"], latent, rtol=0, atol=1e-4
    )


def test_one_picture_encodes_and_odd_sizes_are_cropped_not_refused(run, cast):
    assert run("VAEEncode", pixels=torch.rand(1, 35, 50, 3), vae=cast.vae)[0]["samples"].shape == (
        *(1, 16, 1),
        *(4, 6),
    )


@pytest.mark.parametrize("shape", [(0, 32, 48, 3), (4, 7, 48, 3)])
def test_nothing_to_encode_is_refused_in_one_sentence(run, cast, shape):
    with pytest.raises(Exception, match="there is nothing to encode") as caught:
        run("VAEEncode", pixels=torch.rand(shape), vae=cast.vae)
    assert "\n" not in str(caught.value)


def test_a_foreign_latent_on_our_vae_is_refused_in_one_sentence(run, cast):
    with pytest.raises(Exception, match="use the VAE of the model that made it"):
        run("VAEDecode", samples={"samples": torch.zeros(1, 4, 8, 8)}, vae=cast.vae)


def features(run, cast, text):
    return run("CLIPTextEncode", clip=cast.clip, text=text)[0][0][0]


def test_a_weight_moves_the_letters_it_stands_on_and_no_others(run, cast):
    plain, loud = features(run, cast, "a red ball"), features(run, cast, "a (red:1.3) ball")
    assert plain.shape == loud.shape == (1, 11, 192)
    moved = (plain - loud).abs().amax(-1)[0] > 1e-6
    assert moved.tolist() == [False] * 2 + [True] * 3 + [False] * 6


def test_weight_one_changes_nothing_and_weight_zero_says_nothing_there(run, cast):
    plain, silent = features(run, cast, "a red ball"), features(run, cast, "a (red:0) ball")
    free = features(run, cast, "")
    torch.testing.assert_close(features(run, cast, "a (red:1.0) ball"), plain)
    torch.testing.assert_close(silent[:, 2:5], free.expand(-1, 3, -1))


def test_the_clip_is_the_cores_encoder(run, cast):
    from moviegen_core.models.text import tokenize

    ids, mask = tokenize(["a red ball"])
    with torch.no_grad():
        wanted = open_cast("nano").load("text")(ids, mask)[:, :11]
    torch.testing.assert_close(features(run, cast, "a red ball"), wanted, rtol=1e-4, atol=1e-4)


def test_a_prompt_too_long_for_the_encoder_is_refused_in_one_sentence(run, cast):
    with pytest.raises(Exception, match="at most 512 fit"):
        features(run, cast, "a" * 600)


def test_a_cast_that_is_gone_names_those_that_are_there(run):
    with pytest.raises(Exception, match="choose one of nano"):
        run("MovieGenLoadCast", cast="lost", role="video")


@pytest.mark.parametrize(
    ("kind", "role"), [("diffusion_models", "video"), ("text_encoders", "text"), ("vae", "tae")]
)
def test_shipped_files_head_the_lists_of_single_files_and_are_the_casts(comfy_host, kind, role):
    files = comfy_host.ours("nodes.host.files")
    first = files.file_names(kind)[0]
    assert first.startswith("nano/")
    assert files.find_file(kind, first) == open_cast("nano").path(role)


def test_files_of_the_user_come_behind_the_shipped_ones(comfy_host, monkeypatch):
    files = comfy_host.ours("nodes.host.files")
    mine = ["big/video.safetensors", "nano/video.safetensors", "old.ckpt"]
    monkeypatch.setattr(files.folder_paths, "get_filename_list", lambda kind: mine)
    assert files.file_names("diffusion_models") == ["nano/video.safetensors", "big/video.safetensors"]


def test_foreign_and_mistaken_files_are_refused_in_one_sentence(comfy_host, tmp_path):
    from safetensors.torch import save_file

    files, model = comfy_host.ours("nodes.host.files"), comfy_host.ours("nodes.host.model")
    save_file({"x": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(Exception, match="another program's file"):
        model.load_model(tmp_path / "foreign.safetensors")
    with pytest.raises(Exception, match="holds a tae model, a video was asked for"):
        model.load_model(files.find_cast("nano").path("tae"))
    with pytest.raises(Exception, match="does not exist"):
        model.load_model(tmp_path / "gone.safetensors")


def test_half_a_cast_is_refused_with_what_is_missing(run, comfy_host, tmp_path, monkeypatch):
    import json

    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "cast.json").write_text(
        json.dumps({"name": "half", "roles": {"tae": "t.safetensors"}})
    )
    monkeypatch.setattr(
        comfy_host.ours("nodes.host.files"), "cast_folders", lambda: {"half": tmp_path / "half"}
    )
    with pytest.raises(Exception, match="cast half has no video; it has tae"):
        run("MovieGenLoadCast", cast="half", role="video")


class Peak(TorchDispatchMode):
    """The most bytes that lived at once among tensors made inside."""

    def __init__(self):
        super().__init__()
        self.live, self.now, self.most = {}, 0, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for one in out if isinstance(out, (tuple, list)) else [out]:
            if isinstance(one, torch.Tensor):
                self.hold(one)
        return out

    def hold(self, tensor):
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if self.live.setdefault(key, 0) == 0:
            self.now += size
            self.most = max(self.most, self.now)
        self.live[key] += 1
        weakref.finalize(tensor, self.drop, key, size)

    def drop(self, key, size):
        self.live[key] -= 1
        if self.live[key] == 0:
            self.now -= size


def test_the_model_needs_within_twice_of_what_it_says(float_model):
    model = float_model.model
    x, context = torch.randn(2, 16, 4, 14, 24), torch.randn(2, 40, 192)
    with torch.no_grad(), Peak() as peak:
        model.diffusion_model(x, torch.full((2,), 500.0), context)
    said = model.memory_required(list(x.shape))
    assert said / 2 <= peak.most <= said * 2, (said, peak.most)


def test_the_vae_needs_within_twice_of_what_it_says(cast):
    latent, pixels = torch.randn(1, 16, 2, 8, 8), torch.randn(1, 3, 16, 64, 64)
    with torch.no_grad():
        for work, given, said in (
            (cast.vae.first_stage_model.decode, latent, cast.vae.memory_used_decode),
            (cast.vae.first_stage_model.encode, pixels, cast.vae.memory_used_encode),
        ):
            with Peak() as peak:
                work(given)
            told = said(given.shape, torch.float32)
            assert told / 2 <= peak.most <= told * 2, (told, peak.most)


def test_a_preview_shows_the_colours_and_the_motion_of_the_clip(comfy_host):
    preview = comfy_host.ours("nodes.preview")
    tae = open_cast("nano").load("tae")
    factors = preview.fit_preview(tae)
    clip = -torch.ones(1, 3, 16, 32, 48)
    for frame in range(16):
        clip[:, 0, frame, 8:24, 2 * frame : 2 * frame + 16] = 1
    with torch.no_grad():
        shown = factors.frames(tae.encode(clip)[0]).float() / 127.5 - 1
    assert shown.shape == (16, 8, 12, 3)
    wanted = torch.nn.functional.avg_pool3d(clip, (1, 4, 4))[0].permute(1, 2, 3, 0)
    black = (wanted + 1).square().mean()
    assert (shown - wanted).square().mean() < 0.65 * black
    columns = torch.arange(12.0)
    middle = (((shown[..., 0] + 1).sum(1)) * columns).sum(-1) / (shown[..., 0] + 1).sum((1, 2))
    assert middle[-1] > middle[0] + 3


def test_the_preview_plays_on_while_a_step_lasts_and_stops_with_the_sampling(comfy_host, float_model):
    import threading
    import time

    live, shown = comfy_host.ours("nodes.host.live"), []
    player = live.ClipPlayer(
        float_model.model.latent_format, lambda frame, steps, total: shown.append((frame.shape, steps, total))
    )
    with player:
        player.update(torch.randn(1, 16, 2, 4, 6), 1, 3)
        deadline = time.monotonic() + 30
        while len(shown) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    count = len(shown)
    assert count >= 2
    assert set(shown) == {((8, 12, 3), 1, 3)}
    assert "moviegen-preview" not in {thread.name for thread in threading.enumerate()}
