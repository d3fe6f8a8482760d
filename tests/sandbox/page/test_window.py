"""What one sees in a window, and what a click does."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from doubles.local_discord import LocalDiscord, Payload
from sandbox import page as chat_page
from sandbox.neighbourhood import Neighbourhood
from tests.support.windows import NEEDS_BROWSER, newest, shown, write

pytestmark = [pytest.mark.asyncio(loop_scope="package"), NEEDS_BROWSER]


HOSTILE = [
    "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>",
    "[click](javascript:document.title='gone') <https://x\" onmouseover=\"document.title='gone'>",
    "**<b onclick=alert(1)>bold</b>** `<i>code</i>` ||<u>spoiler</u>||",
    "```html\n<iframe src=\"javascript:parent.document.title='gone'\"></iframe>\n```",
]


@pytest.mark.parametrize("text", HOSTILE, ids=["tags", "links", "nested", "fenced"])
async def test_hostile_text_stays_text(
    text: str, window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """What looks like HTML is shown as it was typed, and none of it becomes an element."""
    said = discord.say(places.bo, places.general, text)
    body = shown(window, said).locator(".text")
    await expect(body).to_be_visible()
    assert await body.locator("img, script, iframe, b, i").count() == 0
    links = await body.locator("a").evaluate_all("all => all.map(one => one.protocol)")
    assert set(links) <= {"https:", "http:"}
    assert await window.title() == "Aurora sandbox"


async def test_hostile_names_stay_text(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Names of people, embeds, buttons and channels are no more HTML than messages are."""
    tag = "<img src=x onerror=alert(1)>"
    eve = discord.add_user("eve", global_name=tag)
    discord.add_member(places.guild, eve)
    button = {"type": 2, "style": 2, "label": tag, "custom_id": "x"}
    embed = {"title": tag, "description": tag, "footer": {"text": tag}}
    said = discord.say(eve, places.general, "hello", embeds=[embed])
    said.components = [{"type": 1, "components": [button]}]
    discord.edit(said, f"hello {tag}")
    await expect(shown(window, said).get_by_role("button", name=tag)).to_be_visible()
    await expect(shown(window, said).locator(".body header b")).to_have_text(tag)
    assert await window.locator("#log img:not(.avatar)").count() == 0


@pytest.mark.parametrize("mark", ["`", "*", "_", "|", "**a", "[", "<@"])
async def test_long_nonsense_does_not_freeze_the_page(
    mark: str, window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Thousands of marks that nothing closes are drawn in no time."""
    said = discord.say(places.bo, places.general, (mark * 4000)[:4000])
    await expect(shown(window, said)).to_be_visible(timeout=2000)


@pytest.mark.parametrize("part", ["author", "title", "description", "name", "value", "footer"])
async def test_line_breaks_in_embeds_are_shown(
    part: str, window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """In every part of an embed, as Discord shows them."""
    text = f"{part} one\n{part} two"
    whole: dict[str, Payload] = {
        "author": {"author": {"name": text}},
        "footer": {"footer": {"text": text}},
        "name": {"fields": [{"name": text, "value": "x"}]},
        "value": {"fields": [{"name": "x", "value": text}]},
    }
    embed = whole.get(part, {part: text})
    said = discord.say(places.bo, places.general, "", embeds=[embed])
    body = shown(window, said).locator(".embed")
    await expect(body).to_be_visible()
    assert text in await body.inner_text()


async def test_markdown_reads_as_meant(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Bold, code, quotes, lists and fenced blocks look the part."""
    text = "**bold** and `code`, snake_case_name\n> quoted\n- item\n```py\nx = 1\n```"
    body = shown(window, discord.say(places.bo, places.general, text)).locator(".text")
    await expect(body.locator("strong")).to_have_text("bold")
    await expect(body.locator("p > code")).to_have_text("code")
    await expect(body.locator("blockquote")).to_have_text("quoted")
    await expect(body.locator(".item")).to_have_text("•item")
    await expect(body.locator("pre[data-lang=py]")).to_have_text("x = 1")
    assert await body.locator("em").count() == 0


async def test_replying_and_jumping_to_the_parent(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A reply shows what it answers; a click there leads back to it."""
    said = discord.say(places.bo, places.general, "the first of many")
    await shown(window, said).hover()
    await shown(window, said).get_by_role("button", name="Reply").click()
    await expect(window.locator("#replying")).to_contain_text("Replying to Bo")
    await write(window, "an answer to that")
    reply = await newest(discord, "general", "an answer to that")
    assert reply.referenced is said
    await expect(window.locator("#replying")).to_be_hidden()
    await shown(window, reply).locator(".quote").click()
    await expect(shown(window, said)).to_have_class(re.compile("flash"))


async def test_reactions_come_and_go_by_click(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """One joins a reaction by clicking it, and leaves it by clicking again."""
    said = discord.say(places.bo, places.general, "who comes along?")
    discord.react(places.bo, said, "❤️")
    chip = shown(window, said).locator(".reactions button")
    await expect(chip).to_have_text("❤️1")
    await chip.click()
    await expect(chip).to_have_text("❤️2")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await chip.click()
    await expect(chip).to_have_text("❤️1")
    assert said.reactions == {"❤️": {places.bo.id}}


async def test_a_button_can_be_pressed(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A press on the page is an interaction of the person one is."""
    said = discord.say(places.bo, places.general, "press me")
    said.components = [
        {"type": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "go"}]}
    ]
    discord.edit(said, "press me now")
    heard = discord.subscribe()
    await shown(window, said).get_by_role("button", name="Go", exact=True).click()
    while (news := await heard.get())[0] != "INTERACTION_CREATE":
        pass
    discord.unsubscribe(heard)
    assert news[1]["member"]["user"]["id"] == str(places.ada.id)


async def test_edits_and_deletions_show(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """An edited message says so; a deleted one is gone, and its reply says that."""
    said = discord.say(places.bo, places.general, "sooo wrong")
    reply = discord.say(places.cleo, places.general, "is it?", reply_to=said)
    discord.edit(said, "quite right")
    await expect(shown(window, said)).to_contain_text("quite rightedited")
    discord.delete(said)
    await expect(shown(window, said)).to_have_count(0)
    await expect(shown(window, reply)).to_contain_text("not here any more")


async def test_being_somebody_else(window: Page, discord: LocalDiscord) -> None:
    """One chooses who one is, and sees and says what that person may."""
    await expect(window.locator("#places")).to_contain_text("Workshop")
    await window.get_by_role("radio", name="Dov").click()
    await expect(window.locator("#places")).not_to_contain_text("Workshop")
    await write(window, "this is dov speaking")
    said = await newest(discord, "general", "this is dov speaking")
    assert said.author.name == "dov"


async def test_unread_places_are_marked(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """News in another channel marks it until it is opened."""
    discord.say(places.bo, places.dev, "over here")
    dev = window.locator(f"[data-place='{places.dev.id}']")
    await expect(dev).to_have_class(re.compile("unread"))
    await dev.click()
    await expect(dev).not_to_have_class(re.compile("unread"))
    await expect(window.locator("#log")).to_contain_text("over here")


async def test_categories_are_headings(window: Page) -> None:
    """Channels in a category stand under its name."""
    section = window.locator("#places section", has_text="Northern Lights")
    await expect(section.get_by_role("heading", name="Backstage")).to_be_visible()
    await expect(section.get_by_role("button").last).to_have_text("setup")


async def test_new_channels_appear(
    window: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A channel that comes into the world shows up without a reload."""
    discord.add_channel(places.guild, "brand-new")
    await expect(window.locator("#places")).to_contain_text("brand-new")


async def test_a_lost_connection_comes_back(
    window: Page, page: chat_page.Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """While the page's server is away the page says so; then it shows what was missed."""
    port = int(page.url.rstrip("/").rpartition(":")[2])
    await page.stop()
    await expect(window.locator("#offline")).to_be_visible()
    missed = discord.say(places.bo, places.general, "said while nobody listened")
    await page.start(chat_page.listen(port))
    await expect(window.locator("#offline")).to_be_hidden()
    await expect(shown(window, missed)).to_be_visible()
