"""A page on a local Discord, and one browser for all windows on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page as Window
from playwright.async_api import async_playwright

from doubles.local_discord import LocalDiscord
from sandbox.neighbourhood import Neighbourhood, found
from sandbox.page import Page, listen
from tests.support.windows import CHROMIUM, FLAGS, LIMIT, looking_at


@pytest_asyncio.fixture(loop_scope="package")
async def discord() -> AsyncIterator[LocalDiscord]:
    local = LocalDiscord(bot_name="Aurora")
    await local.start()
    yield local
    await local.stop()


@pytest.fixture
def places(discord: LocalDiscord) -> Neighbourhood:
    return found(discord)


@pytest_asyncio.fixture(loop_scope="package")
async def page(discord: LocalDiscord, places: Neighbourhood) -> AsyncIterator[Page]:
    served = Page(discord, people=places.people)
    await served.start(listen(0))
    yield served
    await served.stop()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def tab() -> AsyncIterator[Window]:
    """One tab for all tests: each page has an origin of its own, and so a memory of its own."""
    async with async_playwright() as playwright:
        # Without a folder named, every launch gets a fresh one for its user data.
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = await browser.new_page()
        opened.set_default_timeout(LIMIT * 1000)
        yield opened
        await browser.close()


@pytest_asyncio.fixture(loop_scope="package")
async def window(tab: Window, page: Page) -> AsyncIterator[Window]:
    """A wide window on #general, as Ada."""
    async with looking_at(tab, page.url) as opened:
        yield opened
