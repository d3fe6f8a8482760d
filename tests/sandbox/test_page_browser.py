"""The chat page in a real browser, with everything behind it running."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, async_playwright, expect

from doubles.local_discord import LocalDiscord, Message
from sandbox.neighbourhood import Neighbourhood
from sandbox.page import listen
from sandbox.stack import Stack

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

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # The one program that pip can't bring; CI installs it, and a machine without it says so.
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is on PATH"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with Stack({}) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Without a folder named, every launch gets a fresh one for its user data.
        running = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A window on #general, as Ada; it must not have complained when the test is over."""
    complaints: list[str] = []

    def listen_in(message: ConsoleMessage) -> None:
        # Lost connections and refusals are caused here on purpose; the browser logs each.
        expected = ("WebSocket connection", "Failed to load resource")
        if message.type == "error" and not message.text.startswith(expected):
            complaints.append(message.text)

    context = await browser.new_context(viewport={"width": 1360, "height": 850})
    context.set_default_timeout(LIMIT * 1000)
    window = await context.new_page()
    window.on("console", listen_in)
    window.on("pageerror", lambda error: complaints.append(str(error)))
    assert stack.page is not None
    await window.goto(stack.page.url)
    await window.wait_for_selector("body[data-ready]")
    yield window
    await context.close()
    assert complaints == []


@pytest.fixture
def discord(stack: Stack) -> LocalDiscord:
    assert stack.discord is not None
    return stack.discord


@pytest.fixture
def places(stack: Stack) -> Neighbourhood:
    assert stack.places is not None
    return stack.places


def shown(page: Page, message: Message) -> Locator:
    """Find a message on the page."""
    return page.locator(f"#m-{message.id}")


async def write(page: Page, text: str) -> None:
    """Type a message and send it."""
    box = page.get_by_label("Message")
    await box.press_sequentially(text)
    await box.press("Enter")


async def newest(discord: LocalDiscord, place: str, content: str) -> Message:
    """Wait for a message with these words in a channel."""

    def there() -> Message | None:
        world = discord.world
        said = [one for one in world.messages.values() if content in one.content]
        return next((one for one in said if one.channel.name == place), None)

    return await discord.wait_for(there, LIMIT)


async def test_a_mention_is_answered_before_ones_eyes(page: Page) -> None:
    """One types "@Aurora hello", reads the answer, and sees the event reach its end."""
    await write(page, "@Aurora hello from the browser")
    asked = page.locator(".msg", has_text="hello from the browser").first
    await expect(asked.locator(".pill")).to_have_text("@Aurora")
    answer = page.locator(".msg", has=page.locator(".quote", has_text="hello from the browser"))
    await expect(answer.locator(".body header b")).to_have_text("Aurora", timeout=LIMIT * 1000)
    card = page.locator(".card", has_text="hello from the browser")
    await expect(card).to_have_attribute("data-step", "answered", timeout=LIMIT * 1000)
    await expect(card.locator("li")).to_have_text(
        [
            re.compile("^Waiting"),
            re.compile("^Working"),
            re.compile("^discord_send"),
            re.compile("^Answered"),
        ]
    )


async def test_names_are_offered_while_typing(page: Page, discord: LocalDiscord) -> None:
    """After an @ the names are offered; Enter takes one, and it becomes a real mention."""
    box = page.get_by_label("Message")
    await box.press_sequentially("psst @cl")
    await expect(page.get_by_role("option")).to_have_text(re.compile("cleo"))
    await box.press("Enter")
    await expect(box).to_have_value("psst @cleo ")
    await box.press("Enter")
    said = await newest(discord, "general", "psst")
    assert [user.name for user in said.mentions] == ["cleo"]


HOSTILE = [
    "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>",
    "[click](javascript:document.title='gone') <https://x\" onmouseover=\"document.title='gone'>",
    "**<b onclick=alert(1)>bold</b>** `<i>code</i>` ||<u>spoiler</u>||",
    "```html\n<iframe src=\"javascript:parent.document.title='gone'\"></iframe>\n```",
]


@pytest.mark.parametrize("text", HOSTILE, ids=["tags", "links", "nested", "fenced"])
async def test_hostile_text_stays_text(
    text: str, page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """What looks like HTML is shown as it was typed, and none of it becomes an element."""
    said = discord.say(places.bo, places.general, text)
    body = shown(page, said).locator(".text")
    await expect(body).to_be_visible()
    assert await body.locator("img, script, iframe, b, i").count() == 0
    links = await body.locator("a").evaluate_all("all => all.map(one => one.protocol)")
    assert set(links) <= {"https:", "http:"}
    assert await page.title() == "Aurora sandbox"


async def test_hostile_names_stay_text(
    page: Page, discord: LocalDiscord, places: Neighbourhood
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
    await expect(shown(page, said).get_by_role("button", name=tag)).to_be_visible()
    await expect(shown(page, said).locator(".body header b")).to_have_text(tag)
    assert await page.locator("#log img:not(.avatar)").count() == 0


@pytest.mark.parametrize("mark", ["`", "*", "_", "|", "**a", "[", "<@"])
async def test_long_nonsense_does_not_freeze_the_page(
    mark: str, page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Thousands of marks that nothing closes are drawn in no time."""
    said = discord.say(places.bo, places.general, (mark * 4000)[:4000])
    await expect(shown(page, said)).to_be_visible(timeout=2000)


async def test_markdown_reads_as_meant(
    page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Bold, code, quotes, lists and fenced blocks look the part."""
    text = "**bold** and `code`, snake_case_name\n> quoted\n- item\n```py\nx = 1\n```"
    body = shown(page, discord.say(places.bo, places.general, text)).locator(".text")
    await expect(body.locator("strong")).to_have_text("bold")
    await expect(body.locator("p > code")).to_have_text("code")
    await expect(body.locator("blockquote")).to_have_text("quoted")
    await expect(body.locator(".item")).to_have_text("•item")
    await expect(body.locator("pre[data-lang=py]")).to_have_text("x = 1")
    assert await body.locator("em").count() == 0


async def test_replying_and_jumping_to_the_parent(
    page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A reply shows what it answers; a click there leads back to it."""
    said = discord.say(places.bo, places.general, "the first of many")
    await shown(page, said).hover()
    await shown(page, said).get_by_role("button", name="Reply").click()
    await expect(page.locator("#replying")).to_contain_text("Replying to Bo")
    await write(page, "an answer to that")
    reply = await newest(discord, "general", "an answer to that")
    assert reply.referenced is said
    await expect(page.locator("#replying")).to_be_hidden()
    await shown(page, reply).locator(".quote").click()
    await expect(shown(page, said)).to_have_class(re.compile("flash"))


async def test_reactions_come_and_go_by_click(
    page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """One joins a reaction by clicking it, and leaves it by clicking again."""
    said = discord.say(places.bo, places.general, "who comes along?")
    discord.react(places.bo, said, "❤️")
    chip = shown(page, said).locator(".reactions button")
    await expect(chip).to_have_text("❤️1")
    await chip.click()
    await expect(chip).to_have_text("❤️2")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await chip.click()
    await expect(chip).to_have_text("❤️1")
    assert said.reactions == {"❤️": {places.bo.id}}


async def test_a_button_can_be_pressed(
    page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A press on the page is an interaction of the person one is."""
    said = discord.say(places.bo, places.general, "press me")
    said.components = [
        {"type": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "go"}]}
    ]
    discord.edit(said, "press me now")
    heard = discord.subscribe()
    await shown(page, said).get_by_role("button", name="Go", exact=True).click()
    while (news := await heard.get())[0] != "INTERACTION_CREATE":
        pass
    discord.unsubscribe(heard)
    assert news[1]["member"]["user"]["id"] == str(places.ada.id)


async def test_edits_and_deletions_show(
    page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """An edited message says so; a deleted one is gone, and its reply says that."""
    said = discord.say(places.bo, places.general, "sooo wrong")
    reply = discord.say(places.cleo, places.general, "is it?", reply_to=said)
    discord.edit(said, "quite right")
    await expect(shown(page, said)).to_contain_text("quite rightedited")
    discord.delete(said)
    await expect(shown(page, said)).to_have_count(0)
    await expect(shown(page, reply)).to_contain_text("not here any more")


async def test_being_somebody_else(page: Page, discord: LocalDiscord) -> None:
    """One chooses who one is, and sees and says what that person may."""
    await expect(page.locator("#places")).to_contain_text("Workshop")
    await page.get_by_role("radio", name="Dov").click()
    await expect(page.locator("#places")).not_to_contain_text("Workshop")
    await write(page, "this is dov speaking")
    said = await newest(discord, "general", "this is dov speaking")
    assert said.author.name == "dov"


async def test_a_private_conversation(page: Page, discord: LocalDiscord) -> None:
    """The DM opens on demand; the answer comes in it, and only that person sees it."""
    await page.get_by_role("radio", name="Bo").click()
    await page.locator("#places").get_by_role("button", name="Aurora").click()
    await expect(page.locator("#title")).to_contain_text("in private")
    await write(page, "hello in private")
    answer = page.locator(".msg", has=page.locator(".quote", has_text="hello in private"))
    await expect(answer).to_be_visible(timeout=LIMIT * 1000)
    said = await newest(discord, "", "hello in private")
    assert [user.name for user in said.channel.recipients] == ["bo", "Aurora"]


async def test_unread_places_are_marked(
    page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """News in another channel marks it until it is opened."""
    discord.say(places.bo, places.dev, "over here")
    dev = page.locator(f"[data-place='{places.dev.id}']")
    await expect(dev).to_have_class(re.compile("unread"))
    await dev.click()
    await expect(dev).not_to_have_class(re.compile("unread"))
    await expect(page.locator("#log")).to_contain_text("over here")


async def test_categories_are_headings(page: Page) -> None:
    """Channels in a category stand under its name."""
    section = page.locator("#places section", has_text="Northern Lights")
    await expect(section.get_by_role("heading", name="Backstage")).to_be_visible()
    await expect(section.get_by_role("button").last).to_have_text("setup")


async def test_new_channels_appear(
    page: Page, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A channel that comes into the world shows up without a reload."""
    discord.add_channel(places.guild, "brand-new")
    await expect(page.locator("#places")).to_contain_text("brand-new")


async def test_refusals_are_shown(page: Page, discord: LocalDiscord) -> None:
    """What Discord would refuse is said below the box, and the text is kept."""
    box = page.get_by_label("Message")
    await box.fill("x" * 2001)
    await box.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("at most 2000 characters")
    assert len(await box.input_value()) == 2001
    assert not [one for one in discord.world.messages.values() if "xxx" in one.content]


async def test_a_lost_connection_comes_back(
    page: Page, stack: Stack, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """While the page's server is away the page says so; then it shows what was missed."""
    assert stack.page is not None
    port = int(stack.page.url.rstrip("/").rpartition(":")[2])
    await stack.page.stop()
    await expect(page.locator("#offline")).to_be_visible()
    missed = discord.say(places.bo, places.general, "said while nobody listened")
    await stack.page.start(listen(port))
    await expect(page.locator("#offline")).to_be_hidden()
    await expect(shown(page, missed)).to_be_visible()


@pytest.mark.parametrize("width", [1360, 1000, 420])
async def test_nothing_sticks_out(width: int, page: Page) -> None:
    """The page fits its window; it never scrolls sideways."""
    await page.set_viewport_size({"width": width, "height": 800})
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await expect(page.get_by_label("Message")).to_be_visible()
