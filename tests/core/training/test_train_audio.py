import random
from dataclasses import replace
from fractions import Fraction
from functools import partial

import pytest
import torch
from torch.testing import assert_close

from moviegen_core.models import audio, vision
from moviegen_core.models.audio_codec import CODEC_PRESETS, AudioCodec
from moviegen_core.models.prompt import seen_sound_prompt
from moviegen_core.theatre.questions import NO_ANSWER
from moviegen_core.theatre.sampling import sample_scenes
from moviegen_core.theatre.sound.questions import SOUND_QUESTIONS
from moviegen_core.training import sound_latents
from moviegen_core.training.loop import LoopConfig, new_run, train_step
from moviegen_core.training.optimizer import OptimizerConfig
from moviegen_core.training.run import SOUND_ROLES, Session, train
from moviegen_core.training.sound_latents import SoundLatentConfig, SoundLatentStore, sound_fingerprint
from moviegen_core.training.train_audio import (
    LASTING,
    RING,
    AudioObjective,
    AudioRecipe,
    SoundModel,
    draw_conditions,
    draw_sound_prompt,
    read_sound_captions,
    ringing,
)
from moviegen_core.training.train_text import TextRecipe
from moviegen_core.training.watch import WatchingObjective
from moviegen_core.weights.build import build
from moviegen_core.weights.files import load_model, save_model

CODEC = replace(
    CODEC_PRESETS["nano"],
    latent_channels=4,
    linear_channels=2,
    encoder_widths=(4, 4, 4),
    decoder_widths=(4, 4, 4),
    encoder_units=(0, 0, 0),
    decoder_units=(0, 0, 0),
)
LATENTS = SoundLatentConfig(seconds=1, frame_rates=(8, 4), shard_size=2)
RECIPE = AudioRecipe(
    preset="tiny",
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=3e-3), num_steps=4, warmup_steps=1, log_every=1),
    latents=LATENTS,
    lengths=(10, 20),
    frames_per_step=40,
    first_shards=2,
    steps_per_shard=4,
)
SIZE = 16


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    return AudioCodec(CODEC).eval()


@pytest.fixture(scope="module")
def store(codec, tmp_path_factory):
    return SoundLatentStore(tmp_path_factory.mktemp("latents"), codec, SIZE, LATENTS)


@pytest.fixture(autouse=True)
def _tiny_presets(monkeypatch):
    small = replace(
        audio.AUDIO_PRESETS["nano"],
        width=16,
        num_layers=1,
        num_heads=2,
        ffn_width=24,
        context_widths=(8,),
        vision_width=6,
        latent_channels=4,
    )
    eyes = replace(
        vision.VISION_PRESETS["nano"], size=SIZE, stem_widths=(4,), patch=4, width=8, feature_width=6
    )
    reader = replace(audio.AUDIO_TEXT_PRESETS["nano"], width=8, num_layers=1, num_heads=1, ffn_width=8)
    monkeypatch.setitem(audio.AUDIO_PRESETS, "tiny", small)
    monkeypatch.setitem(vision.VISION_PRESETS, "tiny", eyes)
    monkeypatch.setitem(audio.AUDIO_TEXT_PRESETS, "tiny", reader)


@pytest.fixture
def objective(store):
    torch.manual_seed(0)
    parts = {part: build(role, "tiny", device="cpu") for part, role in SOUND_ROLES.items()}
    return AudioObjective(SoundModel(**parts), RECIPE, store)


def conditions(count=4000, frames=100):
    rng = random.Random(0)
    return [draw_conditions(RECIPE, frames, rng) for _ in range(count)]


def is_generated(one, frames=100):
    return one.masked == slice(0, frames)


def test_a_fifth_of_the_samples_is_told_nothing_and_a_tenth_of_the_rest_lacks_text_or_picture():
    drawn = conditions()
    nothing = [one for one in drawn if not one.text and not one.video and is_generated(one)]
    assert len(nothing) / len(drawn) == pytest.approx(0.2 + 0.8 * 0.01 * 0.5, abs=0.02)
    for name in ("text", "video"):
        assert sum(getattr(one, name) for one in drawn) / len(drawn) == pytest.approx(0.8 * 0.9, abs=0.02)


def test_in_four_tenths_some_sound_is_known_at_most_a_quarter_of_it_in_one_or_two_pieces():
    knowing = [one for one in conditions() if not is_generated(one)]
    assert len(knowing) / 4000 == pytest.approx(0.4, abs=0.03)
    lengths = [one.masked.stop - one.masked.start for one in knowing]
    assert 75 <= min(lengths) < 78
    assert max(lengths) <= 100
    assert any(one.masked.stop == 100 for one in knowing)  # extension
    assert any(one.masked.start > 0 and one.masked.stop < 100 for one in knowing)  # infilling


def test_a_shard_holds_latents_pictures_and_what_is_heard(store):
    shard = store.shard(0)
    assert shard.latents_NCF.shape == (2, 4, 25)
    assert shard.frames_NCTHW.shape == (2, 3, 8, SIZE, SIZE)
    assert shard.fps == 8
    assert store.shard(1).fps == 4
    assert set(shard.stems) <= set(LATENTS.stems)


def test_a_shard_on_disk_is_read_and_not_made_again(store, codec, monkeypatch):
    made = store.shard(0)
    monkeypatch.setattr(sound_latents, "render", None)
    again = SoundLatentStore(store.folder.parent, codec, SIZE, LATENTS).shard(0)
    assert again.latents_NCF.equal(made.latents_NCF)
    assert again.frames_NCTHW.equal(made.frames_NCTHW)
    assert (again.scenes, again.stems) == (made.scenes, made.stems)


def test_another_encoder_other_statistics_or_another_picture_size_never_meet_old_latents():
    torch.manual_seed(0)
    other = AudioCodec(CODEC)
    names = {sound_fingerprint(other, SIZE, LATENTS), sound_fingerprint(other, 32, LATENTS)}
    other.latent_scale.mul_(2)
    names.add(sound_fingerprint(other, SIZE, LATENTS))
    next(other.encoder.parameters()).data.add_(1)
    names.add(sound_fingerprint(other, SIZE, LATENTS))
    assert len(names) == 4


def test_batches_of_every_length_hold_as_many_latent_frames_and_the_pictures_seen_meanwhile(objective):
    for step in range(6):
        batch = objective.batch(step, random.Random(step))
        rows, _, length = batch.data_BCF.shape
        assert rows * length == RECIPE.frames_per_step
        assert len(batch.seen) == length
        assert batch.seen[0] == 0
        assert batch.seen[-1] == batch.frames_BCTHW.shape[2] - 1


def test_the_pictures_of_a_piece_are_those_of_its_own_time(objective, store):
    batch = objective.batch(1, random.Random(1))
    shards = [store.shard(index) for index in range(2)]
    latents = {(shard.fps, row): shard.latents_NCF[row].float() for shard in shards for row in range(2)}
    piece = batch.data_BCF[0]
    for (fps, row), whole in latents.items():
        for start in range(25 - piece.shape[1] + 1):
            if whole[:, start : start + piece.shape[1]].equal(piece):
                clip = store.shard(0 if fps == 8 else 1).frames_NCTHW[row]
                first = int(Fraction(2 * start + 1, 50) * fps)
                shown = (batch.frames_BCTHW[0, :, 0] + 1) * 127.5
                assert_close(shown, clip[:, first].float(), atol=0.6, rtol=0)
                return
    pytest.fail("the piece is in no shard")


def test_a_step_depends_on_its_number_alone(objective):
    first, other = objective(5)["total"], objective(6)["total"]
    assert objective(5)["total"] == first != other


def test_samples_without_text_have_the_empty_prompt_and_the_others_the_papers_form(objective):
    for step in range(20):
        batch = objective.batch(step, random.Random(step))
        for prompt, one in zip(batch.prompts, batch.conditions, strict=True):
            assert prompt.startswith("This audio has quality") if one.text else prompt == ""


def test_some_texts_say_nothing_but_which_music_is_played_or_that_there_is_none():
    scene, rng = sample_scenes(3, 1)[0], random.Random(0)
    drawn = [draw_sound_prompt(scene, ("effects", "ambience"), 8, rng, 0.25) for _ in range(400)]
    assert 60 < drawn.count(seen_sound_prompt()) < 140
    assert draw_sound_prompt(scene, ("music",), 8, rng, 1.0).startswith(seen_sound_prompt("x").split('""')[0])
    assert 'applicable): ""' not in draw_sound_prompt(scene, ("music",), 8, rng, 1.0)


def test_known_frames_and_hidden_pictures_do_not_change_the_loss(objective):
    """The loss looks at masked frames alone, and a sample without picture has features of zero."""
    batch = objective.batch(0, random.Random(0))
    hidden = [replace(one, video=False) for one in batch.conditions]
    blind = replace(batch, conditions=hidden)
    assert objective.features(blind).eq(0).all()
    assert not objective.features(batch).eq(0).all()


def test_a_few_steps_lower_the_loss_of_a_fixed_batch(objective):
    loop = replace(RECIPE.loop, num_steps=40)
    state = new_run(objective.model, loop)
    losses = [train_step(state, lambda _: objective(3), loop)["total"] for _ in range(20)]
    assert losses[-1] < losses[0]


def test_an_event_of_any_family_sounds_from_its_onset_for_a_fifth_of_a_second_and_never_before():
    onsets = torch.zeros(2, 20, 4)
    onsets[0, 3, 1] = onsets[0, 18, 2] = 1
    sounding = ringing(onsets)
    assert sounding[0, 0].nonzero().flatten().tolist() == [*range(3, 3 + RING), 18, 19]
    assert sounding[1].eq(0).all()


def test_an_error_where_an_event_sounds_weighs_more(objective):
    plain, heavy = (replace(RECIPE, event_weight=weight) for weight in (0.0, 50.0))
    steps = [step for step in range(20) if objective.batch(step, random.Random(step)).onsets_BFE.any()]
    losses = []
    for recipe in (plain, heavy):
        objective.recipe = recipe
        losses.append(objective(steps[0]))
    assert losses[0]["flow"] == losses[0]["weighted"] == losses[1]["flow"]
    assert losses[1]["weighted"] != losses[0]["weighted"]


def test_what_lasts_is_the_same_for_every_piece_of_a_sound(objective):
    batch = objective.batch(0, random.Random(0))
    assert batch.classes_BQ.shape == (len(batch.prompts), len(LASTING))
    assert not {"impact", "footstep", "splash", "thunder"} & set(LASTING)


READING = replace(
    RECIPE, text=TextRecipe(loop=replace(RECIPE.loop, num_steps=3, warmup_steps=1), batch=16, first_seed=500)
)


def test_a_reading_lesson_tells_in_words_what_is_heard():
    prompts, classes_BQ = read_sound_captions(READING, 0)
    music = classes_BQ[:, list(SOUND_QUESTIONS).index("music")]
    assert [float(prompt.split("music with a ")[1][:4]) > 0.5 for prompt in prompts] == (music > 0).tolist()
    assert (classes_BQ[:, list(SOUND_QUESTIONS).index("instrument")] == NO_ANSWER).equal(music == 0)
    assert read_sound_captions(READING, 1)[0] != prompts == read_sound_captions(READING, 0)[0]


def test_a_recipe_with_reading_lessons_gives_them_first_and_only_once(codec, tmp_path):
    save_model(tmp_path / "audio_codec.safetensors", "audio_codec", codec)
    file, out = tmp_path / "audio_codec.safetensors", tmp_path / "run"
    run = partial(train, "audio", out, recipe=READING, codec=file)
    run(session=Session(steps=2))
    lessons = (out / "text" / "curve.csv").read_text()
    assert "ambience" in lessons.splitlines()[0]
    run(session=Session(steps=3, resume=True))
    assert (out / "text" / "curve.csv").read_text() == lessons


def test_a_sitting_that_ends_while_reading_leaves_weights_and_goes_on_reading(codec, tmp_path):
    save_model(tmp_path / "audio_codec.safetensors", "audio_codec", codec)
    run = partial(
        train, "audio", tmp_path / "run", recipe=READING, codec=tmp_path / "audio_codec.safetensors"
    )
    run(session=Session(minutes=0))
    load_model(tmp_path / "run" / "audio_text.safetensors", "audio_text")
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()
    run(session=Session(resume=True))
    assert (tmp_path / "run" / "checkpoint.safetensors").exists()


def test_a_lesson_in_watching_teaches_the_frame_encoder_alone_and_shows_every_clip(objective):
    watching = WatchingObjective(objective)
    watching(3)["total"].backward()
    grads = {name.split(".")[0] for name, one in objective.model.named_parameters() if one.grad is not None}
    assert grads == {"vision", "watcher"}
    assert watching(3)["total"] == watching(3)["total"] != watching(4)["total"]


def test_a_recipe_with_watching_lessons_gives_them_after_those_in_reading_and_once(codec, tmp_path):
    save_model(tmp_path / "audio_codec.safetensors", "audio_codec", codec)
    seen, out = [], tmp_path / "run"
    recipe = replace(READING, watching=replace(RECIPE.loop, num_steps=2))
    run = partial(train, "audio", out, recipe=recipe, codec=tmp_path / "audio_codec.safetensors")
    run(session=Session(on_step=lambda _, losses: seen.append(tuple(losses))))
    kinds = [next(name for name in ("ambience", "flow", "watch") if name in losses) for losses in seen]
    assert kinds == ["ambience"] * 3 + ["watch"] * 2 + ["flow"] * 4
    seen.clear()
    run(session=Session(resume=True, on_step=lambda _, losses: seen.append(losses)))
    assert not seen
    assert (out / "vision" / "curve.csv").is_file()


def test_shards_join_as_training_goes_on(objective):
    assert [objective.num_shards(step) for step in (0, 3, 4, 8)] == [2, 2, 3, 4]


def test_training_writes_a_file_for_each_of_the_three_roles(codec, tmp_path):
    save_model(tmp_path / "audio_codec.safetensors", "audio_codec", codec)
    path = train("audio", tmp_path / "run", recipe=RECIPE, codec=tmp_path / "audio_codec.safetensors")
    assert path.name == "audio.safetensors"
    for role in SOUND_ROLES.values():
        load_model(tmp_path / "run" / f"{role}.safetensors", role)
