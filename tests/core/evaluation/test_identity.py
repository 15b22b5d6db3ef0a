import torch

from moviegen_core.evaluation import identity
from moviegen_core.evaluation.identity import constancy


def answering(monkeypatch, actors):
    told = [{"actor": actor, "colour": "red", "place": "beach", "action": "jumps"} for actor in actors]
    seen = []
    monkeypatch.setattr(identity, "ask", lambda _judge, clips: seen.append(clips.shape) or told)
    return seen


def test_a_clip_that_keeps_its_actor_is_constant(monkeypatch):
    answering(monkeypatch, ["cat"] * 4)
    assert constancy(None, torch.zeros(3, 32, 4, 4), 8).shares == {"actor": 1, "colour": 1, "place": 1}


def test_a_clip_whose_actor_changes_half_way_is_half_constant(monkeypatch):
    seen = answering(monkeypatch, ["cat", "cat", "ball", "ball"])
    found = constancy(None, torch.zeros(3, 35, 4, 4), 8)
    assert found.shares["actor"] == 0.5
    assert found.answers["actor"] == ("cat", "cat", "ball", "ball")
    assert seen == [(4, 3, 8, 4, 4)]
