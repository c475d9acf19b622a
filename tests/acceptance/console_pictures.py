"""Pictures of the console at the moments of a trial, for people to look at."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Page, expect

from app.framework.http.sessions import PREFIX
from tests.acceptance.browser import chromium, is_installed

PATIENCE_MS = 60_000


class Pictures:
    """Takes them of an overview that stays open for the whole trial, and of pages loaded anew.

    Without a folder it takes none.
    """

    def __init__(self, url: str, folder: Path | None = None, page: Page | None = None) -> None:
        self._console, self._folder, self._open_page = f"{url}{PREFIX}", folder, page
        self._moments = 0

    async def begin(self, token: str) -> None:
        """Sign in, and open the overview."""
        if self._open_page is None:
            return
        page = self._open_page
        page.set_default_timeout(PATIENCE_MS)
        await page.goto(self._console)
        await page.get_by_label("A token or an API key").fill(token)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#connection")).to_have_text("live", timeout=PATIENCE_MS)

    async def take(self, moment: str) -> None:
        """Take those of a moment; their names begin with its number."""
        if self._open_page is None or self._folder is None:
            return
        self._moments += 1
        words = re.sub(r"\W+", "-", moment.lower())
        name = f"{self._folder}/{self._moments:02}-{words}"
        await self._open_page.screenshot(path=f"{name}-open.png", full_page=True)
        page = await self._open_page.context.new_page()  # of the same session
        page.set_default_timeout(PATIENCE_MS)
        for what, path in (("overview", ""), ("projections", "/projections")):
            await page.goto(f"{self._console}{path}")
            await page.screenshot(path=f"{name}-{what}.png", full_page=True)
        await page.close()


@contextlib.asynccontextmanager
async def pictures(url: str, folder: Path | None) -> AsyncIterator[Pictures]:
    """What takes them in a browser; none without a folder, or without a browser."""
    if folder is None or not is_installed():
        yield Pictures(url)
        return
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    async with chromium() as browser:
        context = await browser.new_context(viewport={"width": 1280, "height": 900})
        yield Pictures(url, folder, await context.new_page())
