import torch
from torch.testing import assert_close

from moviegen_core.training.listen import FAMILIES
from moviegen_core.training.watch import TAPS, Watcher


def watcher():
    torch.manual_seed(0)
    return Watcher(6)


def test_an_answer_sees_the_frames_around_it_and_none_further():
    features = torch.randn(1, 60, 6)
    watching, reach = watcher(), 2 * (TAPS // 2)
    scores = watching(features)
    for distance, is_seen in ((reach, True), (reach + 1, False)):
        other = features.clone()
        other[:, 30 + distance] += 3
        assert torch.allclose(watching(other)[0, 30], scores[0, 30]) != is_seen


def test_how_large_features_are_tells_nothing():
    features = torch.randn(2, 20, 6)
    assert_close(watcher()(7 * features), watcher()(features), rtol=1e-3, atol=1e-4)


def test_clips_that_are_not_shown_do_not_count():
    features, onsets = torch.randn(3, 20, 6), (torch.rand(3, 20, len(FAMILIES)) < 0.1).float()
    watching, shown = watcher(), torch.tensor([True, False, True])
    other = onsets.clone()
    other[1] = 1 - other[1]
    assert watching.loss(features, onsets, shown) == watching.loss(features, other, shown)
    assert_close(
        watching.loss(features, onsets, shown),
        watching.loss(features[[0, 2]], onsets[[0, 2]], torch.tensor([True, True])),
    )
    assert watching.loss(features, onsets, torch.zeros(3, dtype=torch.bool)) == 0


def test_moments_that_features_show_are_learnt():
    torch.manual_seed(1)
    onsets = (torch.rand(4, 40, len(FAMILIES)) < 0.1).float()
    features = torch.cat([onsets, torch.randn(4, 40, 2)], dim=2)
    watching, shown = watcher(), torch.ones(4, dtype=torch.bool)
    optimizer = torch.optim.Adam(watching.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        losses.append(watching.loss(features, onsets, shown))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.2 * losses[0]
