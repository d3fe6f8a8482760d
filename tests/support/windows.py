"""A browser's window on the page, and what is looked for in it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import ConsoleMessage, Error, Locator, Page

from doubles.local_discord import LocalDiscord, Message

CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which,
            ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        ),
    ),
    None,
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LIMIT = 20.0
# The one program that pip can't bring; CI installs it, and a machine without it says so.
NEEDS_BROWSER = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is on PATH")


@asynccontextmanager
async def looking_at(tab: Page, url: str) -> AsyncIterator[Page]:
    """Open the page in a wide window, on #general, as Ada; it must not complain meanwhile."""
    complaints: list[str] = []

    def hear(error: Error) -> None:
        complaints.append(str(error))

    def listen_in(message: ConsoleMessage) -> None:
        # Lost connections and refusals are caused here on purpose; the browser logs each.
        expected = ("WebSocket connection", "Failed to load resource")
        if message.type == "error" and not message.text.startswith(expected):
            complaints.append(message.text)

    tab.on("console", listen_in)
    tab.on("pageerror", hear)
    await tab.set_viewport_size({"width": 1360, "height": 850})
    await tab.goto(url)
    await tab.wait_for_selector("body[data-ready]")
    yield tab
    await tab.goto("about:blank")
    tab.remove_listener("console", listen_in)
    tab.remove_listener("pageerror", hear)
    assert complaints == []


def shown(window: Page, message: Message) -> Locator:
    """Find a message on the page."""
    return window.locator(f"#m-{message.id}")


async def write(window: Page, text: str) -> None:
    """Type a message and send it."""
    box = window.get_by_label("Message")
    await box.press_sequentially(text)
    await box.press("Enter")


async def newest(discord: LocalDiscord, place: str, content: str) -> Message:
    """Wait for a message with these words in a channel."""

    def there() -> Message | None:
        world = discord.world
        said = [one for one in world.messages.values() if content in one.content]
        return next((one for one in said if one.channel.name == place), None)

    return await discord.wait_for(there, LIMIT)
