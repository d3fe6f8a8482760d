"""A page on a local Discord, and one browser for all windows on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright
from playwright.async_api import Page as Window

from doubles.local_discord import LocalDiscord
from sandbox.neighbourhood import Neighbourhood, found
from sandbox.page import Page, listen

from .looking import CHROMIUM, FLAGS, open_window


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
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Without a folder named, every launch gets a fresh one for its user data.
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="package")
async def window(chromium: Browser, page: Page) -> AsyncIterator[Window]:
    """A wide window on #general, as Ada."""
    async with open_window(chromium, page.url) as opened:
        yield opened
