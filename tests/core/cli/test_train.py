import pytest

from moviegen_core.cli import train as command


@pytest.fixture
def calls(monkeypatch):
    """Stand in for the training itself, which has its own tests; note what it is asked for."""
    found = []

    def train(role, out, session, *, trainers, **sources):
        assert role in trainers
        found.append((role, out, session, sources))
        for step in (1, 2, 3):
            session.on_step(step, {"total": 0.5})
        return out / f"{role}.safetensors"

    monkeypatch.setattr(command, "train", train)
    return found


def test_options_reach_the_recipe_and_the_weights_file_is_told(moviegen, calls, tmp_path):
    words = ("--out", "runs/tae", "--minutes", "1.5", "--steps", "900", "--resume", "--device", "cpu")
    answer = moviegen("train", "tae", *words)
    [(role, out, session, sources)] = calls
    assert answer.code == 0
    assert (role, out.resolve()) == ("tae", tmp_path / "runs" / "tae")
    assert (session.minutes, session.steps, session.resume, session.device) == (1.5, 900, True, "cpu")
    assert not sources
    assert "tae.safetensors" in answer.out
    assert "loss 0.5000" in answer.err


def test_json_counts_the_steps(moviegen, calls):
    facts = moviegen("train", "video", "--out", "run", "--minutes", "1", "--device", "cpu", "--json").facts
    assert facts["steps"] == 3
    assert len(calls) == 1


def test_a_run_starts_from_a_cast_that_is_there(moviegen, calls):
    words = ("--out", "run", "--minutes", "1", "--device", "cpu")
    moviegen("train", "tae", *words, "--start", "nano")
    assert calls[0][2].start.name == "nano"
    assert "no-such" in moviegen("train", "tae", *words, "--start", "no-such").refusal
    assert len(calls) == 1


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "long"])
def test_a_time_budget_that_is_none_is_refused(moviegen, calls, minutes):
    assert "minutes" in moviegen("train", "tae", "--out", "run", "--minutes", minutes).refusal
    assert not calls


def test_a_role_without_a_recipe_is_refused(moviegen, tmp_path):
    assert "director" in moviegen("train", "director", "--out", "run", "--minutes", "1").refusal
    assert not list(tmp_path.iterdir())


def test_a_run_folder_that_cannot_be_is_refused(moviegen, calls, tmp_path):
    (tmp_path / "file").touch()
    assert "is a file" in moviegen("train", "tae", "--out", "file", "--minutes", "1").refusal
    assert "does not exist" in moviegen("train", "tae", "--out", "no/such/run", "--minutes", "1").refusal
    assert not calls


def test_files_to_learn_from_reach_their_role_and_no_other(moviegen, calls, tmp_path):
    (tmp_path / "real.safetensors").touch()
    words = ("--out", "run", "--minutes", "1", "--device", "cpu")
    moviegen("train", "tae", *words, "--footage", "real.safetensors")
    moviegen("train", "video", *words, "--tae", "tae.safetensors")
    moviegen("train", "audio", *words, "--codec", "codec.safetensors")
    assert [[file.name for file in sources.values()] for _, _, _, sources in calls] == [
        ["real.safetensors"],
        ["tae.safetensors"],
        ["codec.safetensors"],
    ]
    assert "is for audio" in moviegen("train", "audio_codec", *words, "--codec", "x.safetensors").refusal
    assert "is for tae" in moviegen("train", "video", *words, "--footage", "real.safetensors").refusal
    assert "is for video" in moviegen("train", "tae", *words, "--tae", "tae.safetensors").refusal


def test_footage_that_is_not_there_is_collected_first(moviegen, calls, monkeypatch):
    built = []
    monkeypatch.setattr(command, "build_footage", built.append)
    moviegen(
        "train", "tae", "--out", "run", "--minutes", "1", "--device", "cpu", "--footage", "new.safetensors"
    )
    assert [path.name for path in built] == ["new.safetensors"]
    assert len(calls) == 1
