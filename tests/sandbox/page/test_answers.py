"""A conversation on the page, with everything behind it running."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from doubles.local_discord import LocalDiscord
from sandbox.servers import Backend
from sandbox.stack import Stack
from tests.support.windows import LIMIT, NEEDS_BROWSER, looking_at, newest, write

pytestmark = [pytest.mark.asyncio(loop_scope="package"), NEEDS_BROWSER]


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def stack(rest_data: Path) -> AsyncIterator[Stack]:
    async with Stack({}, backend=Backend.REST, data=rest_data) as running:
        yield running


@pytest.fixture
def discord(stack: Stack) -> LocalDiscord:
    assert stack.discord is not None
    return stack.discord


@pytest_asyncio.fixture(loop_scope="package")
async def window(tab: Page, stack: Stack) -> AsyncIterator[Page]:
    """A wide window on #general, as Ada."""
    assert stack.page is not None
    async with looking_at(tab, stack.page.url) as opened:
        yield opened


async def test_a_mention_is_answered_before_ones_eyes(window: Page) -> None:
    """One types "@Aurora hello", reads the answer, and sees the event reach its end."""
    await write(window, "@Aurora hello from the browser")
    asked = window.locator(".msg", has_text="hello from the browser").first
    await expect(asked.locator(".pill")).to_have_text("@Aurora")
    answer = window.locator(
        ".msg", has=window.locator(".quote", has_text="hello from the browser")
    )
    await expect(answer.locator(".body header b")).to_have_text("Aurora", timeout=LIMIT * 1000)
    card = window.locator(".card", has_text="hello from the browser")
    await expect(card).to_have_attribute("data-step", "answered", timeout=LIMIT * 1000)
    await expect(card.locator("li")).to_have_text(
        [
            re.compile("^Waiting"),
            re.compile("^Working"),
            re.compile("^discord_send"),
            re.compile("^Answered"),
        ]
    )


async def test_a_private_conversation(window: Page, discord: LocalDiscord) -> None:
    """The DM opens on demand; the answer comes in it, and only that person sees it."""
    await window.get_by_role("radio", name="Bo").click()
    await window.locator("#places").get_by_role("button", name="Aurora").click()
    await expect(window.locator("#title")).to_contain_text("in private")
    await write(window, "hello in private")
    answer = window.locator(".msg", has=window.locator(".quote", has_text="hello in private"))
    await expect(answer).to_be_visible(timeout=LIMIT * 1000)
    said = await newest(discord, "", "hello in private")
    assert [user.name for user in said.channel.recipients] == ["bo", "Aurora"]
