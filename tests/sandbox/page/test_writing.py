"""The box to write in: one Enter sends once, and nothing that was written is lost."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

from doubles.local_discord import LocalDiscord
from sandbox.neighbourhood import Neighbourhood
from tests.support.windows import NEEDS_BROWSER, newest, shown, write

pytestmark = [pytest.mark.asyncio(loop_scope="package"), NEEDS_BROWSER]


async def test_names_are_offered_while_typing(window: Page, discord: LocalDiscord) -> None:
    """After an @ the names are offered; Enter takes one, and it becomes a real mention."""
    box = window.get_by_label("Message")
    await box.press_sequentially("psst @cl")
    await expect(window.get_by_role("option")).to_have_text(re.compile("cleo"))
    await box.press("Enter")
    await expect(box).to_have_value("psst @cleo ")
    await box.press("Enter")
    said = await newest(discord, "general", "psst")
    assert [user.name for user in said.mentions] == ["cleo"]


async def test_refusals_are_shown(window: Page, discord: LocalDiscord) -> None:
    """What Discord would refuse is said below the box, and the text is kept."""
    box = window.get_by_label("Message")
    await box.fill("x" * 2001)
    await box.press("Enter")
    await expect(window.get_by_role("alert")).to_contain_text("at most 2000 characters")
    assert len(await box.input_value()) == 2001
    assert not [one for one in discord.world.messages.values() if "xxx" in one.content]


@pytest_asyncio.fixture(loop_scope="package")
async def held_up(window: Page) -> AsyncIterator[asyncio.Event]:
    """Let no message through before this is set."""
    gate = asyncio.Event()

    async def wait(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await window.route("**/api/say", wait)
    yield gate
    gate.set()
    await window.unroute_all(behavior="wait")


def said(discord: LocalDiscord, places: Neighbourhood) -> list[str]:
    """List what was said in #general."""
    return [one.content for one in discord.messages(places.general)]


async def test_a_held_enter_sends_once(
    window: Page, held_up: asyncio.Event, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """The key repeats itself as long as it is down."""
    await write(window, "held down")
    for _ in range(4):
        await window.keyboard.down("Enter")
    held_up.set()
    await newest(discord, "general", "held down")
    await window.keyboard.up("Enter")
    await write(window, "held no more")
    await newest(discord, "general", "held no more")
    assert said(discord, places) == ["held down", "held no more"]


async def test_a_held_enter_that_took_a_name_sends_nothing(window: Page) -> None:
    """One stroke does one thing."""
    box = window.get_by_label("Message")
    await box.press_sequentially("psst @cl")
    await expect(window.get_by_role("option")).to_have_text(re.compile("cleo"))
    for _ in range(3):
        await window.keyboard.down("Enter")
    await window.keyboard.up("Enter")
    await expect(box).to_have_value("psst @cleo ")


async def test_a_held_shift_enter_makes_lines(window: Page) -> None:
    """It sends nothing, so it may repeat itself."""
    box = window.get_by_label("Message")
    await box.press_sequentially("lines")
    await window.keyboard.down("Shift")
    for _ in range(3):
        await window.keyboard.down("Enter")
    await window.keyboard.up("Enter")
    await window.keyboard.up("Shift")
    await expect(box).to_have_value("lines\n\n\n")


async def test_an_enter_that_ends_a_composition_sends_nothing(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """It chooses among the words that an input method offers."""
    box = window.get_by_label("Message")
    await box.focus()
    keys = await window.context.new_cdp_session(window)
    composition = {"text": "にほん", "selectionStart": 3, "selectionEnd": 3}
    await keys.send("Input.imeSetComposition", composition)
    # The input method took the key, so no character comes of it.
    taken = {"type": "rawKeyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
    await keys.send("Input.dispatchKeyEvent", taken)
    await keys.send("Input.insertText", {"text": "日本"})
    # Safari tells of the end before it tells of the key, which says only by its code whose it was.
    await box.evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"
    )
    await keys.send("Input.insertText", {"text": "語"})
    await box.press("Enter")
    await newest(discord, "general", "語")
    assert said(discord, places) == ["日本語"]


async def test_what_is_under_way_is_not_sent_again(
    window: Page, held_up: asyncio.Event, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A second Enter sends what was written since, after what went before it."""
    await write(window, "slow to go")
    await window.keyboard.press("Enter")
    await window.get_by_role("button", name="Send").click()
    await write(window, "slow as well")
    held_up.set()
    await newest(discord, "general", "slow as well")
    assert said(discord, places) == ["slow to go", "slow as well"]
    await expect(window.get_by_label("Message")).to_have_value("")


async def test_what_is_refused_comes_back_before_what_was_written_since(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Neither is lost, nor to whom it was an answer."""
    asked = asyncio.Event()

    async def refuse(route: Route) -> None:
        await asked.wait()
        await route.fulfill(status=400, json={"error": "Not that."})

    await window.route("**/api/say", refuse)
    said = discord.say(places.bo, places.general, "say the word")
    await shown(window, said).hover()
    await shown(window, said).get_by_role("button", name="Reply").click()
    await write(window, "please")
    await window.get_by_label("Message").press_sequentially("and thanks")
    asked.set()
    await expect(window.get_by_role("alert")).to_have_text("Not that.")
    await expect(window.get_by_label("Message")).to_have_value("please\nand thanks")
    await expect(window.locator("#replying")).to_be_visible()
