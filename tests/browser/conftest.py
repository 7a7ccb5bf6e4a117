"""Chromium for the tests of pages. They skip where there is none (Debian's package `chromium`)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 15_000  # milliseconds that a page may take


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"there is no Chromium on the PATH ({', '.join(CHROMIUM)})")
    return path


@pytest.fixture
def browse(chromium: str, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """An empty page of a new Chromium. Its paths are those of the test's web server.

    While it is open, Playwright runs an event loop in this thread. Django would refuse to read the
    database there, so no other test may find it open.
    """
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        # Without the sandbox of the system, which Chromium cannot have as root.
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": 1400, "height": 1000}
        )
        context.set_default_timeout(TIMEOUT)
        expect.set_options(timeout=TIMEOUT)
        yield context.new_page()
        browser.close()
