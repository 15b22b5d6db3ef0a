import io

import pytest

from moviegen_core.cli.progress import BAR_WIDTH, Progress, clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (8.31, "8.3 s"), (125, "2:05"), (3600, "1:00:00")]
)
def test_seconds_read_as_people_write_them(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize("done", [0, 1, 5, 10, 12])
def test_the_bar_never_changes_its_width(done):
    progress = Progress("x", 10, io.StringIO())
    progress.done = done
    bar = progress.text(1.0).split("[")[1].split("]")[0]
    assert len(bar) == BAR_WIDTH
    assert bar.count("#") == min(BAR_WIDTH * done // 10, BAR_WIDTH)


def test_half_the_steps_leave_as_long_again():
    progress = Progress("x", 10, io.StringIO())
    progress.done = 5
    assert "30.0 s left" in progress.text(30.0)


def test_a_log_gets_one_line_for_quick_work_and_no_control_characters():
    log = io.StringIO()
    with Progress("x", 100, log) as progress:
        for _ in range(100):
            progress.advance()
    assert log.getvalue().count("\n") == 1
    assert "\r" not in log.getvalue()
    assert "100/100" in log.getvalue()


def test_a_terminal_sees_one_line_rewritten_and_ended():
    terminal = Terminal()
    with Progress("x", 3, terminal) as progress:
        progress.advance(3)
        progress.say("a line of its own")
    assert terminal.getvalue().count("\n") == 2
    assert "\ra line of its own\n" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")
