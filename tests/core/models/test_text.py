from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.errors import PromptError, SettingsError
from moviegen_core.models.text import END, FIRST_BYTE, PAD, TEXT_PRESETS, ByteEncoder, check_prompt, tokenize

TINY = replace(TEXT_PRESETS["nano"], width=8, num_layers=2, num_heads=2, ffn_width=12, max_bytes=96)
PROMPTS = ["a red ball", "", "🏄🐨 🌊", "كرة حمراء تقفز", "\u202eright to left\u202c", "e\u0301"]


@pytest.fixture
def encoder(randomize):
    return randomize(ByteEncoder(TINY), std=0.5)


def test_any_text_can_be_read_back_from_its_tokens():
    ids, mask = tokenize(PROMPTS)
    for prompt, row, counts in zip(PROMPTS, ids.tolist(), mask, strict=True):
        length = int(counts.sum())
        assert bytes(token - FIRST_BYTE for token in row[: length - 1]).decode() == prompt
        assert row[length - 1] == END
        assert set(row[length:]) <= {PAD}
        assert counts[:length].all()


def test_half_of_a_broken_emoji_is_read_as_something_and_does_not_stop_the_work():
    ids, mask = tokenize(["a \ud83d b"])
    assert mask.sum() == len("a ? b") + 1
    check_prompt("a \ud83d b", 96)
    assert ids.shape == mask.shape


def test_the_common_length_is_a_multiple_and_holds_the_longest_prompt():
    for size in (0, 14, 15, 16, 40):
        ids, _ = tokenize(["x" * size, "x"], multiple=16)
        assert ids.shape[1] % 16 == 0
        assert 0 <= ids.shape[1] - (size + 1) < 16


@pytest.mark.parametrize("size", [3, 14, 15, 31])
def test_padding_changes_no_feature_of_a_prompt(encoder, size):
    short, long = (tokenize(["x" * size], multiple) for multiple in (1, 64))
    assert_close(encoder(*long)[:, : size + 1], encoder(*short), atol=1e-5, rtol=1e-4)


def test_the_prompts_of_a_batch_do_not_meet(encoder):
    ids, mask = tokenize(["a red ball", "a blue boat sails"])
    assert_close(encoder(ids, mask)[:1], encoder(ids[:1], mask[:1]), atol=1e-5, rtol=1e-4)


def test_words_in_another_order_are_another_prompt(encoder):
    one, other = (encoder(*tokenize([prompt])) for prompt in ("cat fish", "fish cat"))
    assert not torch.allclose(one.sum(1), other.sum(1), atol=1e-3)


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_a_prompt_that_says_nothing_is_refused_with_one_that_does(prompt):
    with pytest.raises(PromptError, match=r"empty.*red ball"):
        check_prompt(prompt, 512)


def test_a_prompt_too_long_is_refused_with_both_lengths_counted_in_bytes():
    with pytest.raises(PromptError, match="100000 bytes long and this cast reads 480"):
        check_prompt("x" * 100_000, 512)
    check_prompt("é" * 240, 512)
    with pytest.raises(PromptError, match="482 bytes"):
        check_prompt("é" * 241, 512)


def test_more_tokens_than_positions_are_refused_with_both_numbers(encoder):
    with pytest.raises(PromptError, match=r"112 bytes .* 96"):
        encoder(*tokenize(["x" * 100]))


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(SettingsError, match=r"width 8 .* num_heads 3"):
        replace(TINY, num_heads=3)


def test_every_parameter_lives_in_a_layer_of_the_given_operations(operations, strays):
    assert not strays(ByteEncoder(TINY, operations=operations))
