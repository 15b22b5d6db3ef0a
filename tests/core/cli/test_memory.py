import ctypes
import platform
import subprocess
import sys

import pytest

from moviegen_core.cli.memory import keep_freed_memory

COUNT_FAULTS = """
import resource, sys
from moviegen_core.cli.memory import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory()

def step():
    return len([bytes([number]) * 2_000_000 for number in range(8)])

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the setting")
def test_steps_that_need_the_same_blocks_again_get_the_same_pages_again():
    give_back, keep = (
        int(subprocess.run([sys.executable, "-c", COUNT_FAULTS, how], capture_output=True, check=True).stdout)
        for how in ("give back", "keep")
    )
    assert keep < give_back / 4


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert not keep_freed_memory()
