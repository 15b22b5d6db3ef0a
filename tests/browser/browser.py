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
def opened(server, playwright, **settings):
    """A page with the frontend, past its first-time greetings, and what it complained about.

    Args:
        server: a running ComfyUI.
        playwright: started.
        settings: of the frontend, beside English and no tutorial; dots in their names written as "__".

    Yields:
        The page; ``page.complaints`` grows.
    """
    wanted = {"Comfy__TutorialCompleted": True, "Comfy__Locale": "en"} | settings
    server.post("/settings", {name.replace("__", "."): value for name, value in wanted.items()})
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


def open_template(page, server, pack, name):
    """Open a shipped workflow by the template browser's own address, and wait until it lies on the canvas."""
    page.add_init_script(
        "localStorage.clear(); sessionStorage.clear()"
    )  # what was open before is not restored
    visit(page, f"{server.url}/?template={name}&source={pack}")
    page.wait_for_function("() => window.app?.graph?.nodes.some((node) => node.type.startsWith('MovieGen'))")
    page.wait_for_timeout(1000)  # the frontend draws it


def run_shown(page, server, patience):
    """Press Run, and wait until the server has done what it was asked.

    Args:
        page: with a workflow on its canvas.
        server: behind it.
        patience: seconds.
    """
    before = server.get("/history").keys()
    page.evaluate("async () => { await app.queuePrompt(0) }")
    for _ in range(patience):
        page.wait_for_timeout(1000)  # the page goes on living meanwhile
        new = [job for key, job in server.get("/history").items() if key not in before]
        if new:
            assert new[0]["status"]["status_str"] == "success", new[0]["status"]["messages"][-1]
            return
    raise TimeoutError(f"the workflow did not end within {patience} s")
