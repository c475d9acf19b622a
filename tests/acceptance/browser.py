"""A headless Chromium: the one that CHROMIUM names, else our own, else one on the PATH."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.acceptance.services import ROOT

FOLDER = ROOT / "tests/browser"
OWN = FOLDER / "node_modules/.cache/chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

NO_OTHER_HOST = (
    "--host-resolver-rules=MAP rebound.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser that finds no host but this one."""
    found = _executable()
    assert found, (
        "There is no Chromium. On Linux x86-64 `make test` installs one; elsewhere install "
        "Chromium or Chrome, and let CHROMIUM name its executable if the PATH does not lead to it."
    )
    executable, environment = found
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, env={**os.environ, **environment}, args=[NO_OTHER_HOST]
        )
        try:
            yield browser
        finally:
            await browser.close()


class Observer:
    """Notes what a page asks for, and what goes wrong in it."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", lambda request: self.errors.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)


def is_installed() -> bool:
    """Whether there is one."""
    return _executable() is not None


def _executable() -> tuple[str, dict[str, str]] | None:
    """The browser, and what it needs in its environment."""
    named = os.environ.get("CHROMIUM")
    if not named and (OWN / ".unpacked").exists():
        needs = {
            "LD_LIBRARY_PATH": str(OWN / "al2023/lib"),
            "FONTCONFIG_FILE": str(FOLDER / "fonts.conf"),
        }
        return str(OWN / "chromium"), needs
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    return (found, {}) if found else None
