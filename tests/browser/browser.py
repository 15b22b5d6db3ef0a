"""Chromium on a running ComfyUI."""

import contextlib
import shutil
from pathlib import Path

VIEW = {"width": 1920, "height": 1080}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium(playwright):
    """The system's Chromium, which plays H.264, or playwright's own, which may not; None without any."""
    own = playwright.chromium.executable_path
    return next(filter(None, map(shutil.which, NAMES)), own if Path(own).exists() else None)


@contextlib.contextmanager
def opened(server, playwright, locale="en"):
    """A page with the frontend, past its first-time greetings, and what it complained about.

    Args:
        server: a running ComfyUI.
        playwright: started.
        locale: language of the frontend.

    Yields:
        The page; ``page.complaints`` grows.
    """
    server.post("/settings", {"Comfy.TutorialCompleted": True, "Comfy.Locale": locale})
    browser = playwright.chromium.launch(
        executable_path=find_chromium(playwright), args=["--no-sandbox", "--disable-gpu"]
    )
    try:
        page = browser.new_page(viewport=VIEW)
        page.complaints = []
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        yield page
    finally:
        browser.close()


def visit(page, address):
    """Open an address and wait until the frontend has its nodes."""
    page.goto(address)
    page.wait_for_function(
        "() => window.app?.graph && window.LiteGraph?.registered_node_types?.MovieGenLoadCast",
        timeout=90_000,
    )


def run_shown(page, server, patience):
    """Press Run, and wait until the server has done what it was asked.

    Args:
        page: with a workflow on its canvas.
        server: behind it.
        patience: milliseconds.
    """
    before = len(server.get("/history"))
    page.evaluate("async () => { await app.queuePrompt(0) }")
    page.wait_for_function(
        f"""async () => {{
          const jobs = Object.values(await (await fetch("/history")).json());
          return jobs.length > {before} && jobs.at(-1).status?.completed;
        }}""",
        timeout=patience,
        polling=500,
    )
