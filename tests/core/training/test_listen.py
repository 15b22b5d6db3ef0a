from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.geometry import SoundGrid
from moviegen_core.models.audio import AUDIO_PRESETS, AudioTransformer
from moviegen_core.theatre.events import events
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.training.listen import FAMILIES, Listener, onsets

TINY = replace(AUDIO_PRESETS["nano"], width=8, num_layers=1, num_heads=2, ffn_width=12, context_widths=(6,))


@pytest.fixture
def pair():
    torch.manual_seed(0)
    audio = AudioTransformer(TINY)
    return audio, Listener(audio)


def ask(audio):
    latent = torch.randn(2, TINY.latent_channels, 5)
    audio(latent, torch.rand(2), audio.context([torch.randn(2, 3, 6)]))


def test_every_clear_event_is_an_onset_in_the_frame_in_which_it_begins_and_nothing_else_is():
    scenes = sample_scenes(11, 12)
    assert any(events(scene, 4) for scene in scenes)
    for scene in scenes:
        found = onsets(scene, ("effects",), 4, SoundGrid())
        times = {
            (int(event.time * 25), FAMILIES.index(event.kind.split()[0]))
            for event in events(scene, 4)
            if event.strength >= 0.05 and event.time <= 3.9
        }
        assert {tuple(place) for place in found.nonzero().tolist()} == times


def test_without_effects_nothing_begins():
    assert all(
        onsets(scene, ("ambience", "music"), 2, SoundGrid()).eq(0).all() for scene in sample_scenes(3, 4)
    )


def test_the_right_answer_costs_less_than_the_wrong_one_and_a_missed_event_more_than_a_false_one(pair):
    audio, listener = pair
    truth = torch.zeros(2, 5, len(FAMILIES))
    with torch.no_grad():
        listener.answer.weight.zero_()
        costs = []
        for bias, target in ((-3.0, truth), (-3.0, truth + 1), (3.0, truth)):
            listener.answer.bias.fill_(bias)
            ask(audio)
            costs.append(listener(target, torch.rand(2)))
    right, missed, false = costs
    assert right < false < missed


def test_what_is_learnt_reaches_the_transformer(pair):
    audio, listener = pair
    for parameter in audio.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    ask(audio)
    listener(torch.zeros(2, 5, len(FAMILIES)), torch.rand(2)).backward()
    assert audio.patch.weight.grad.abs().max() > 0


def test_each_forward_pass_is_asked_about_once(pair):
    audio, listener = pair
    ask(audio)
    listener(torch.zeros(2, 5, len(FAMILIES)), torch.rand(2))
    with pytest.raises(RuntimeError, match="there was none"):
        listener(torch.zeros(2, 5, len(FAMILIES)), torch.rand(2))


def test_a_listener_adds_nothing_to_what_the_transformer_says(pair):
    audio, _ = pair
    latent, times = torch.randn(2, TINY.latent_channels, 5), torch.rand(2)
    context = audio.context([torch.randn(2, 3, 6)])
    twin = AudioTransformer(TINY)
    twin.load_state_dict(audio.state_dict())
    assert_close(audio(latent, times, context), twin(latent, times, context))


def test_a_noisy_sample_counts_more_than_a_clean_one_which_tells_its_onsets_itself(pair):
    audio, listener = pair
    truth = torch.zeros(2, 5, len(FAMILIES))
    truth[1] = 1  # the answer is right about the first and wrong about the second
    with torch.no_grad():
        listener.answer.weight.zero_()
        listener.answer.bias.fill_(-3.0)
        ask(audio)
        wrong_is_noisy = listener(truth, torch.tensor([0.9, 0.1]))
        ask(audio)
        wrong_is_clean = listener(truth, torch.tensor([0.1, 0.9]))
    assert_close(wrong_is_noisy / wrong_is_clean, torch.tensor(9.0), rtol=0.05, atol=0)
