import tempfile
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import MediaError
from moviegen_core.models import spool as spools
from moviegen_core.models import tae_stream
from moviegen_core.models.spool import Spool
from moviegen_core.models.tae import TAE_PRESETS, TemporalAutoencoder
from moviegen_core.models.tae_stream import Regroup, decode_chunks, encode_chunks

TINY = replace(
    TAE_PRESETS["nano"],
    encoder_widths=(8, 8, 8, 8),
    decoder_widths=(8, 8, 8, 8),
    encoder_blocks=(1, 0, 1, 0),
    decoder_blocks=(1, 0, 1, 0),
    head_width=4,
)
CLOSE = {"atol": 1e-5, "rtol": 0}


@pytest.fixture(scope="module")
def tae():
    """Weights of a size that lets every frame matter and keeps values near 1, as trained ones do."""
    torch.manual_seed(0)
    model = TemporalAutoencoder(TINY).requires_grad_(requires_grad=False)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    model.latent_mean.normal_()
    model.latent_scale.uniform_(0.5, 2)
    return model.eval()


def in_pieces(x, size):
    return x.split(size, dim=2)


@pytest.mark.parametrize("size", [1, 3, 8, 16, 65])
def test_encoding_in_chunks_equals_encoding_the_whole_for_every_length_and_chunk_size(tae, size):
    clip = torch.rand(1, 3, 65, 8, 16) * 2 - 1
    for count in range(1, 66):
        part = clip[:, :, :count]
        chunks = torch.cat(list(encode_chunks(tae, [part], size)), dim=2)
        assert_close(chunks, tae.encode(part), **CLOSE)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_decoding_in_chunks_equals_decoding_the_whole_for_every_length_and_chunk_size(tae, size):
    latent = torch.randn(1, 16, 9, 2, 1)
    for count in range(1, 66):
        cells = tae.grid.latent_frames(count)
        part = latent[:, :, :cells]
        chunks = torch.cat(list(decode_chunks(tae, [part], size)), dim=2)[:, :, :count]
        assert_close(chunks, tae.decode(part, count), **CLOSE)


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_it_does_not_matter_where_the_stream_is_cut(tae, cut):
    clip = torch.rand(2, 3, 41, 8, 8)
    latent = torch.cat(list(encode_chunks(tae, in_pieces(clip, cut), 8)), dim=2)
    assert_close(latent, tae.encode(clip), **CLOSE)
    copy = torch.cat(list(decode_chunks(tae, in_pieces(latent, cut), 2)), dim=2)
    assert_close(copy[:, :, :41], tae.decode(latent, 41), **CLOSE)


def test_the_image_autoencoder_streams_too(randomize):
    images = randomize(TemporalAutoencoder(TINY.flattened), std=0.1)
    clip = torch.rand(1, 3, 5, 8, 8)
    latent = torch.cat(list(encode_chunks(images, [clip], 2)), dim=2)
    assert_close(latent, images.encode(clip), **CLOSE)


def test_the_last_frame_reaches_the_first_through_the_attention_and_so_nothing_may_come_early(tae):
    latent = torch.randn(1, 16, 12, 1, 1)
    changed = latent.clone()
    changed[:, :, -1] += 1
    first, second = (next(decode_chunks(tae, in_pieces(x, 1), 2)) for x in (latent, changed))
    assert not torch.equal(first, second)


def test_no_chunk_is_longer_than_asked_at_any_layer(tae, monkeypatch):
    seen, real = [], tae_stream.repeat
    monkeypatch.setattr(
        tae_stream, "repeat", lambda x, **factors: seen.append(x.shape[2]) or real(x, **factors)
    )
    list(decode_chunks(tae, [torch.randn(1, 16, 40, 1, 1)], 2))
    assert max(seen) <= 2 * 4 + 4


def test_every_frame_of_a_layer_is_convolved_once(tae):
    counts = {True: 0, False: 0}
    conv = tae.decoder.head.conv.time
    whole = torch.randn(1, 16, 8, 1, 1)
    for streamed in counts:
        seen = []
        hook = conv.register_forward_hook(lambda _m, _x, out, seen=seen: seen.append(out.shape[2]))
        list(decode_chunks(tae, [whole], 1)) if streamed else tae.decode(whole, 64)
        hook.remove()
        counts[streamed] = sum(seen)
    assert counts[True] == counts[False] == 64


def test_what_does_not_fit_in_memory_comes_back_from_the_file_as_it_was():
    x = torch.randn(2, 3, 11, 5, 4)
    for budget in (0, 500, 10**6):
        with Spool(budget) as spool:
            for part in in_pieces(x, 2):
                spool.append(part)
            assert (spool.num_frames, spool.num_rows) == (11, 5)
            assert torch.equal(spool.rows(1, 3), x[:, :, :, 1:3])
            spool.put_rows(3, 5, -x[:, :, :, 3:5])
            expected = torch.cat([x[:, :, :, :3], -x[:, :, :, 3:]], dim=3)
            assert torch.equal(torch.cat(list(spool.chunks()), dim=2), expected)


def test_half_precision_is_spooled_bit_for_bit():
    x = torch.randn(1, 4, 6, 3, 3).bfloat16()
    with Spool(0) as spool:
        spool.append(x)
        assert torch.equal(spool.rows(0, 3), x)


def test_a_spool_keeps_no_more_in_memory_than_its_budget():
    with Spool(1000) as spool:
        for part in torch.randn(1, 4, 50, 3, 3).split(1, dim=2):
            spool.append(part)
        held = sum(piece.held.numel() * 4 for piece in spool.pieces if piece.held is not None)
        assert 0 < held <= 1000


def test_a_decode_through_the_file_gives_the_same(tae, monkeypatch):
    latent = torch.randn(1, 16, 12, 2, 2)
    expected = torch.cat(list(decode_chunks(tae, [latent], 3)), dim=2)
    monkeypatch.setattr(tae_stream, "Spool", lambda: Spool(0))
    assert torch.equal(torch.cat(list(decode_chunks(tae, [latent], 3)), dim=2), expected)


def test_a_full_temporary_folder_is_told_with_its_name(monkeypatch):
    class Full:
        def seek(self, *_place):
            return 0

        def write(self, _data):
            raise OSError(28, "No space left on device")

        def close(self):
            pass

    monkeypatch.setattr(spools.tempfile, "TemporaryFile", lambda **_options: Full())
    with Spool(0) as spool, pytest.raises(MediaError, match=f"{tempfile.gettempdir()} takes no more.*TMPDIR"):
        spool.append(torch.zeros(1, 1, 1, 1, 1))


@pytest.mark.parametrize("size", [1, 4, 7, 30])
def test_regrouping_keeps_every_frame_in_its_order(size):
    x = torch.arange(23.0).view(1, 1, 23, 1, 1)
    for cut in (1, 5, 23):
        chunks = list(Regroup(size).cut(in_pieces(x, cut)))
        assert torch.equal(torch.cat(chunks, dim=2), x)
        assert all(chunk.shape[2] == size for chunk in chunks[:-1])


def test_nothing_in_gives_nothing_out(tae):
    assert list(encode_chunks(tae, [], 8)) == []
    assert list(decode_chunks(tae, [], 2)) == []
