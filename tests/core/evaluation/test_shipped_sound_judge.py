import torch

from moviegen_core.evaluation.agreement import tally
from moviegen_core.evaluation.measure_video import held_out_scenes
from moviegen_core.evaluation.sound_judge import ask_sound, open_sound_judge, sound_verdicts
from moviegen_core.theatre.sound.hearing import heard
from moviegen_core.training.sounds import mono


def test_the_shipped_judge_of_sounds_knows_what_held_out_scenes_sound_like():
    judge, scenes = open_sound_judge(), held_out_scenes(6, 900)
    rows = []
    for stems in (("effects", "ambience"), ("music",)):
        sounds = torch.stack([mono(scene, stems, num_frames=96, fps=16) for scene in scenes])
        rows += sound_verdicts(ask_sound(judge, sounds), [heard(scene, 6, stems) for scene in scenes])
    right = tally(rows, ("ambience", "music"))
    assert right["ambience"].share >= 0.8
    assert right["music"].share >= 0.8
