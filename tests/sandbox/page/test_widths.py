"""The page in windows of every width, down to a phone's."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from doubles.local_discord import LocalDiscord
from sandbox.neighbourhood import Neighbourhood
from sandbox.page import Page as ChatPage
from sandbox.page import RealBot, listen
from tests.support.windows import NEEDS_BROWSER, looking_at, newest, shown, write

PHONE = 360  # pixels; the narrowest window that the page is made for

pytestmark = [pytest.mark.asyncio(loop_scope="package"), NEEDS_BROWSER]


@pytest.mark.parametrize("width", [1360, 1000, 640, 420, PHONE])
async def test_nothing_sticks_out(
    width: int, window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """The page fits its window; neither it nor the conversation scrolls sideways."""
    await window.set_viewport_size({"width": width, "height": 800})
    field = {"name": "Lanes", "value": "three\nof them", "inline": True}
    embed = {"title": "t" * 90, "description": "d" * 90, "fields": [field] * 3}
    said = discord.say(
        places.bo, places.general, f"{'w' * 200}\n```\n{'c' * 200}\n```", embeds=[embed]
    )
    discord.say(places.cleo, places.general, "q" * 200, reply_to=said)
    await expect(shown(window, said)).to_be_visible()
    assert await window.evaluate("document.documentElement.scrollWidth") <= width
    assert await window.locator("#log").evaluate("log => log.scrollWidth <= log.clientWidth")
    box = await window.get_by_label("Message").bounding_box()
    assert box is not None
    assert box["width"] >= 220


@pytest_asyncio.fixture(loop_scope="package")
async def phone(window: Page) -> Page:
    """The same window, as narrow as a phone."""
    await window.set_viewport_size({"width": PHONE, "height": 740})
    return window


async def test_on_a_phone_the_places_are_behind_a_button(
    phone: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Chosen by name, and out of the way again when one has chosen."""
    side, menu = phone.locator("#side"), phone.get_by_role("button", name="Places")
    await expect(side).to_be_hidden()
    discord.say(places.bo, places.dev, "over here")
    await expect(menu).to_have_class("unread")
    await menu.click()
    await expect(menu).to_have_attribute("aria-expanded", "true")
    await expect(side.get_by_text("Northern Lights")).to_be_visible()
    await side.get_by_role("button", name="dev", exact=True).click()
    await expect(side).to_be_hidden()
    await expect(phone.locator("#title h1")).to_have_text("dev")
    await expect(menu).not_to_have_class("unread")
    await write(phone, "from a phone")
    assert (await newest(discord, "dev", "from a phone")).author is places.ada


async def test_on_a_phone_the_events_are_behind_a_button(phone: Page) -> None:
    """They come over the conversation; a tap beside them, or Escape, puts them away."""
    events = phone.locator("#events")
    await expect(events).to_be_hidden()
    await phone.get_by_role("button", name="Events").click()
    await expect(events).to_be_visible()
    await phone.mouse.click(10, 400)
    await expect(events).to_be_hidden()
    await phone.get_by_role("button", name="Events").click()
    await phone.keyboard.press("Escape")
    await expect(events).to_be_hidden()


async def test_on_a_phone_one_can_be_somebody_else(phone: Page) -> None:
    """Beside the places, as in a wide window."""
    await phone.get_by_role("button", name="Places").click()
    await phone.get_by_role("radio", name="Cleo").click()
    await phone.keyboard.press("Escape")
    await expect(phone.get_by_label("Message")).to_have_attribute(
        "placeholder", re.compile("cleo")
    )


async def test_a_wide_window_needs_no_buttons_for_what_it_shows(window: Page) -> None:
    """Places and events stand beside the conversation."""
    for name in ("Places", "Events"):
        await expect(window.get_by_role("button", name=name, exact=True)).to_be_hidden()
    await expect(window.locator("#side")).to_be_visible()
    await expect(window.locator("#events")).to_be_visible()


@pytest.mark.parametrize("width", [1360, PHONE])
async def test_a_bot_on_the_real_discord_is_told_of_at_every_width(width: int, tab: Page) -> None:
    """There is no conversation to hide it behind."""
    real = RealBot("Aurora#1", "https://discord.example/invite", ("!aurora enable agent-1",))
    served = ChatPage(None, real=real)
    await served.start(listen(0))
    async with looking_at(tab, served.url) as window:
        await window.set_viewport_size({"width": width, "height": 740})
        await expect(window.locator("#real")).to_contain_text("!aurora enable agent-1")
        await expect(window.locator("#real")).to_be_in_viewport()
        await expect(window.locator("main")).to_be_hidden()
        assert await window.evaluate("document.documentElement.scrollWidth") <= width
    await served.stop()
