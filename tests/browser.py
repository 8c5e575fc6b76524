"""A real browser for tests, where the machine has one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

PROGRAMS = ("chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable")
MISSING = (
    "no browser to open the page in: install one as root, with"
    " `apt-get install chromium-headless-shell`, and run the tests again"
)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium without a window; skip without one.

    Close it before the module ends: Playwright runs an event loop in the meantime.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        # Root has no sandbox, which the page, a file of our own, does not need.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()
