"""K-weighting: the standard's filters, at every rate."""

import pytest
import torch

from moviegen_core.media.sound import sound_from
from moviegen_core.media.weighting import high_pass, k_power, k_weighted, shelf


def test_at_48_khz_the_filters_are_the_standards_tables():
    b, a = shelf(48000)
    assert b == pytest.approx([1.53512485958697, -2.69169618940638, 1.19839281085285], abs=1e-12)
    assert a == pytest.approx([1, -1.69065929318241, 0.73248077421585], abs=1e-12)
    b, a = high_pass(48000)
    assert b == pytest.approx([1, -2, 1], abs=1e-12)
    assert a == pytest.approx([1, -1.99004745483398, 0.99007225036621], abs=1e-12)


def test_the_filter_run_in_stretches_is_the_recursion_run_sample_by_sample():
    wave = torch.randn(700, dtype=torch.float64)
    expected = wave
    for b, a in (shelf(44100), high_pass(44100)):
        out = [0.0, 0.0]
        padded = [0.0, 0.0, *expected.tolist()]
        for n in range(2, len(padded)):
            feed = sum(b[k] * padded[n - k] for k in range(3))
            out.append(feed - a[1] * out[n - 1] - a[2] * out[n - 2])
        expected = torch.tensor(out[2:], dtype=torch.float64)
    filtered = torch.cat(list(k_weighted(sound_from(wave[None].float(), 44100))), 1)[0]
    assert (filtered - expected).abs().max() < 1e-5


@pytest.mark.parametrize("sample_rate", [44100, 48000])
def test_a_sines_power_is_weighted_by_the_factor_named_for_its_frequency(sample_rate):
    hz = torch.tensor([0.0, 40.0, 997.0, 9000.0])
    waves = torch.sin(2 * torch.pi * hz.double()[:, None] * torch.arange(sample_rate) / sample_rate).float()
    for wave, factor in zip(waves[1:], k_power(hz, sample_rate)[1:], strict=True):
        after = torch.cat(list(k_weighted(sound_from(wave[None], sample_rate))), 1)[0]
        late = slice(sample_rate // 2, None)
        assert float(after[late].square().mean() / wave[late].square().mean()) == pytest.approx(
            float(factor), rel=2e-3
        )
    assert float(k_power(hz, sample_rate)[0]) == 0
