"""One ComfyUI and one Chromium for all tests here; skipped with the reason where one of them is missing."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OPTIONS = os.environ.get("COMFYUI_OPTIONS", "").split()
"""More of ComfyUI's command line, such as --front-end-root FOLDER."""


def load(name):
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"browser_tests_{name}", HERE / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def browser():
    """The module that opens pages."""
    return load("browser")


@pytest.fixture(scope="session")
def playwright(browser):
    sync_api = pytest.importorskip("playwright.sync_api", reason="browser tests need playwright")
    with sync_api.sync_playwright() as started:
        if browser.find_chromium(started) is None:
            pytest.skip("browser tests need a Chromium; install it, or run: playwright install chromium")
        yield started


@pytest.fixture(scope="session")
def server(playwright, tmp_path_factory):  # noqa: ARG001 - without a browser no server is started
    folder = os.environ.get("COMFYUI_PATH")
    if not folder:
        pytest.skip("set COMFYUI_PATH to the folder of a ComfyUI to run the tests in its frontend")
    with load("comfy").running(folder, tmp_path_factory.mktemp("host") / "comfyui", *OPTIONS) as running:
        yield running


@pytest.fixture(scope="session")
def english_page(server, playwright, browser):
    with browser.opened(server, playwright) as page:
        yield page


@pytest.fixture
def page(english_page):
    """The frontend in English, with nothing to complain about yet."""
    english_page.complaints.clear()
    return english_page
