import pytest

from moviegen_core.errors import MediaError, SettingsError
from moviegen_core.stages.content import content_key, file_key
from moviegen_core.stages.jobs import JOB_FILE, open_job

FACTS = {"input": "abc", "height": 1080}


@pytest.fixture
def result(tmp_path):
    return tmp_path / "out.mp4"


def test_a_new_job_has_a_folder_and_nothing_to_say(result):
    job = open_job(result, FACTS, resume=False)
    assert (job.folder.is_dir(), job.notice, job.num_done(".mp4")) == (True, "", 0)


def test_units_count_as_far_as_there_is_no_gap(result):
    job = open_job(result, FACTS, resume=False)
    for number in (0, 1, 3):
        job.unit(number, ".mp4").touch()
    assert job.num_done(".mp4") == 2


def test_the_same_job_is_gone_on_with_when_asked_and_refused_when_not(result):
    open_job(result, FACTS, resume=False).unit(0, ".mp4").touch()
    assert open_job(result, FACTS, resume=True).num_done(".mp4") == 1
    with pytest.raises(SettingsError, match="--resume"):
        open_job(result, FACTS, resume=False)


@pytest.mark.parametrize("resume", [True, False])
def test_changed_settings_start_afresh_and_say_which(result, resume):
    open_job(result, FACTS, resume=False).unit(0, ".mp4").touch()
    job = open_job(result, {"input": "abc", "height": 720}, resume=resume)
    assert job.num_done(".mp4") == 0
    assert job.notice == "parts of an earlier run are not used: height 1080 is now 720"


def test_resuming_nothing_says_so(result):
    assert "nothing to resume" in open_job(result, FACTS, resume=True).notice


def test_what_was_half_written_is_swept_away(result):
    job = open_job(result, FACTS, resume=False)
    (job.folder / ".000000.mp4").touch()
    open_job(result, FACTS, resume=True)
    assert sorted(path.name for path in job.folder.iterdir()) == [JOB_FILE]


def test_a_folder_that_is_not_ours_is_left_alone(result):
    folder = result.with_name("out.mp4.parts")
    folder.mkdir()
    (folder / "holiday.jpg").touch()
    with pytest.raises(MediaError, match="not a folder of parts"):
        open_job(result, FACTS, resume=True)
    assert (folder / "holiday.jpg").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "no.mp4.parts").write_text("a file in the way")
    with pytest.raises(MediaError, match=r"no\.mp4\.parts"):
        open_job(tmp_path / "no.mp4", FACTS, resume=False)


def test_a_closed_job_leaves_nothing(result):
    job = open_job(result, FACTS, resume=False)
    job.unit(0, ".mp4").touch()
    job.close()
    assert list(result.parent.iterdir()) == []


def test_keys_follow_content(tmp_path):
    assert content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
    assert content_key({"a": 1}) != content_key({"a": 2})
    for name, text in (("one", "same"), ("two", "same"), ("three", "other")):
        (tmp_path / name).write_text(text)
    assert file_key(tmp_path / "one") == file_key(tmp_path / "two") != file_key(tmp_path / "three")
