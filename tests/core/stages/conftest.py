import pytest

from moviegen_core.stages.generate import load_text_to_video
from moviegen_core.weights.cast import open_cast


@pytest.fixture(scope="session")
def tiny_models(tiny_folder):
    return load_text_to_video(open_cast(tiny_folder))
