"""The chat page's server: what a window gets, what it can do, and who is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from aurora.model import Change
from doubles.local_discord import LocalDiscord
from sandbox.neighbourhood import Neighbourhood
from sandbox.page import Page, PageError, listen

Frame = dict[str, Any]


pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest_asyncio.fixture(loop_scope="package")
async def browser(page: Page) -> AsyncIterator[aiohttp.ClientSession]:
    """A client that sends what a browser showing the page sends."""
    headers = {"Origin": page.url.rstrip("/")}
    async with aiohttp.ClientSession(page.url, headers=headers) as session:
        yield session


async def act(
    browser: aiohttp.ClientSession, action: str, status: int = 200, **body: Any
) -> Frame:
    async with browser.post(f"/api/{action}", json=body) as response:
        answer: Frame = await response.json()
        assert response.status == status, answer
        return answer


async def frame(window: aiohttp.ClientWebSocketResponse, **wanted: str) -> Frame:
    """Return the next frame that has these values."""
    async with asyncio.timeout(5):
        while True:
            got: Frame = await window.receive_json()
            if all(got.get(key) == value for key, value in wanted.items()):
                return got


# -- what a window gets


async def test_a_new_window_gets_everything(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """The first frame has people, places, messages and the events so far."""
    said = discord.say(places.ada, places.general, "good morning")
    async with browser.ws_connect("/live") as window:
        picture = await frame(window)
    assert (picture["t"], picture["mode"]) == ("state", "local")
    assert picture["people"] == [str(user.id) for user in places.people]
    assert [one["name"] for one in picture["guilds"]] == ["Northern Lights", "Workshop"]
    names = {one["name"] for one in picture["guilds"][0]["channels"]}
    assert {"general", "dev", "ideas", "Lounge", "release notes", "Forecast lamp"} <= names
    messages = picture["messages"][str(places.general.id)]
    assert [one["id"] for one in messages] == [str(said.id)]


async def test_a_window_hears_what_happens_next(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A message after the connect arrives as Discord's own gateway event."""
    async with browser.ws_connect("/live") as window:
        await frame(window)
        discord.say(places.ada, places.general, "good morning")
        news = await frame(window, t="gateway", type="MESSAGE_CREATE")
    assert news["data"]["content"] == "good morning"


async def test_nothing_falls_between_picture_and_news(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Messages sent all the while a window connects are each in the picture or in the news."""

    async def talk() -> list[str]:
        said = []
        for number in range(100):
            said.append(str(discord.say(places.ada, places.general, f"{number}").id))
            await asyncio.sleep(0)
        return said

    talking = asyncio.create_task(talk())
    async with browser.ws_connect("/live") as window:
        picture = await frame(window)
        said = await talking
        seen = {one["id"] for one in picture["messages"][str(places.general.id)]}
        while said[-1] not in seen:
            seen.add((await frame(window, type="MESSAGE_CREATE"))["data"]["id"])
    assert seen == set(said)


async def test_events_are_told_live_and_kept(
    browser: aiohttp.ClientSession, page: Page, places: Neighbourhood
) -> None:
    """A step reaches open windows at once and later ones with the picture."""
    change = Change(
        "evt_1", 1 << 60, places.general.id, places.guild.id, 1 << 59, "lane", "queued", 12.5
    )
    async with browser.ws_connect("/live") as window:
        await frame(window)
        await page.on_change(change)
        told = (await frame(window, t="change"))["change"]
    async with browser.ws_connect("/live") as late:
        kept = (await frame(late))["changes"]
    assert kept == [told]
    assert (told["step"], told["at"], told["message_id"]) == ("queued", 12.5, str(1 << 60))


async def test_the_picture_says_whose_a_reaction_is(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Discord only counts reactions; a page where everybody can undo theirs needs the names."""
    said = discord.say(places.ada, places.general, "good morning")
    discord.react(places.bo, said, "👍")
    async with browser.ws_connect("/live") as window:
        [message] = (await frame(window))["messages"][str(places.general.id)]
    assert message["reactors"] == {"👍": [str(places.bo.id)]}


async def test_people_see_only_their_places(
    browser: aiohttp.ClientSession, places: Neighbourhood
) -> None:
    """Somebody who is not on a server is not shown its channels."""
    async with browser.ws_connect("/live") as window:
        sees = (await frame(window))["sees"]
    assert str(places.bench.id) in sees[str(places.bo.id)]
    assert str(places.bench.id) not in sees[str(places.dov.id)]


async def test_a_window_can_ask_for_a_fresh_picture(browser: aiohttp.ClientSession) -> None:
    """When the world itself changes, a window asks for everything again."""
    async with browser.ws_connect("/live") as window:
        await frame(window)
        await window.send_str("state")
        assert (await frame(window, t="state"))["guilds"]


async def test_stopping_hangs_up(browser: aiohttp.ClientSession, page: Page) -> None:
    """A stopped page leaves no window waiting, and no task of its own."""
    async with browser.ws_connect("/live") as window:
        await frame(window)
        await page.stop()
        async with asyncio.timeout(5):
            assert (await window.receive()).type is aiohttp.WSMsgType.CLOSE
    left = [task.get_name() for task in asyncio.all_tasks()]
    assert not [name for name in left if name.startswith("page-")]


async def test_two_pages_cannot_share_a_port(page: Page) -> None:
    """A taken port is refused with a sentence that says what to do."""
    port = int(page.url.rstrip("/").rpartition(":")[2])
    with pytest.raises(PageError, match=rf"Port {port} cannot be used.*--port"):
        listen(port)


# -- what a person can do


async def test_saying_and_replying(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """What is written on the page stands in the local Discord, replies included."""
    common: Frame = {"as": str(places.bo.id), "channel": str(places.general.id)}
    first = await act(browser, "say", **common, content="hello")
    await act(browser, "say", **common, content="me again", reply_to=first["message"])
    parent, reply = discord.messages(places.general)
    assert (parent.content, parent.author) == ("hello", places.bo)
    assert (reply.content, reply.referenced) == ("me again", parent)


async def test_editing_and_deleting(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """One's own message can be changed and taken away."""
    said = discord.say(places.bo, places.general, "helo")
    common: Frame = {"as": str(places.bo.id), "message": str(said.id)}
    await act(browser, "edit", **common, content="hello")
    assert (said.content, said.edited) == ("hello", True)
    await act(browser, "delete", **common)
    assert discord.messages(places.general) == []


@pytest.mark.parametrize("action", ["edit", "delete"])
async def test_other_peoples_messages_are_theirs(
    action: str, browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Nobody can change or delete what somebody else wrote."""
    said = discord.say(places.bo, places.general, "mine")
    body: Frame = {"as": str(places.ada.id), "message": str(said.id), "content": "yours"}
    answer = await act(browser, action, 400, **body)
    assert "Only whoever wrote" in answer["error"]
    assert said.content == "mine"


async def test_reacting_and_taking_it_back(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A reaction comes and goes."""
    said = discord.say(places.bo, places.general, "hello")
    common: Frame = {"as": str(places.ada.id), "message": str(said.id), "emoji": "👍"}
    await act(browser, "react", **common, on=True)
    assert said.reactions == {"👍": {places.ada.id}}
    await act(browser, "react", **common, on=False)
    assert said.reactions == {}


async def test_pressing_a_button(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A press reaches the bot as an interaction of whoever pressed."""
    said = discord.say(places.bo, places.general, "choose")
    button = {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes"}
    said.components = [{"type": 1, "components": [button]}]
    heard = discord.subscribe()
    body: Frame = {"as": str(places.ada.id), "message": str(said.id), "custom_id": "yes"}
    await act(browser, "press", **body)
    name, data = heard.get_nowait()
    assert (name, data["data"]["custom_id"]) == ("INTERACTION_CREATE", "yes")
    assert data["member"]["user"]["id"] == str(places.ada.id)


async def test_opening_a_dm_and_typing(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """A DM with the bot opens on demand, and the bot sees typing in it."""
    me: Frame = {"as": str(places.cleo.id)}
    channel = (await act(browser, "dm", **me))["channel"]
    assert int(channel) == discord.open_dm(places.cleo).id
    heard = discord.subscribe()
    await act(browser, "typing", **me, channel=channel)
    assert heard.get_nowait()[0] == "TYPING_START"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"as": "1"}, "who you are"),
        ({"as": None}, "`as` must be an id"),
        ({"channel": "1"}, "not here any more"),
        ({"reply_to": "1"}, "not here any more"),
        ({"content": "  "}, "Write something"),
        ({"content": "x" * 2001}, "2000 characters; this one has 2001"),
        ({"content": 5}, "Write something"),
    ],
)
async def test_impossible_messages_are_explained(
    change: Frame, said: str, browser: aiohttp.ClientSession, places: Neighbourhood
) -> None:
    """Whatever cannot be said is refused with a sentence for the person."""
    body: Frame = {"as": str(places.bo.id), "channel": str(places.general.id), "content": "hello"}
    assert said in (await act(browser, "say", 400, **(body | change)))["error"]


async def test_permissions_hold_on_the_page_too(
    browser: aiohttp.ClientSession, places: Neighbourhood
) -> None:
    """Somebody who is not on a server cannot write there."""
    body: Frame = {"as": str(places.dov.id), "channel": str(places.bench.id), "content": "hello"}
    assert "dov may not write" in (await act(browser, "say", 400, **body))["error"]


async def test_nobody_is_the_bot(
    browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """The page cannot speak in the bot's name."""
    body: Frame = {
        "as": str(discord.bot_user.id),
        "channel": str(places.general.id),
        "content": "hi",
    }
    await act(browser, "say", 400, **body)
    assert discord.messages(places.general) == []


async def test_unknown_actions_and_broken_bodies(browser: aiohttp.ClientSession) -> None:
    """Nonsense gets an answer, and no traceback."""
    await act(browser, "format_disk", 404)
    for broken in (b"{", b"[]", b'"x"'):
        async with browser.post("/api/say", data=broken) as response:
            assert response.status == 400
            assert (await response.json())["error"]


# -- who is refused


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", ""])
async def test_foreign_hosts_are_refused(host: str, browser: aiohttp.ClientSession) -> None:
    """A name that was made to point at this machine gets nothing, not even the page."""
    async with browser.get("/", headers={"Host": host}) as response:
        assert response.status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_foreign_origins_cannot_act(
    origin: str, browser: aiohttp.ClientSession, discord: LocalDiscord, places: Neighbourhood
) -> None:
    """Another site cannot write a message through a visitor's browser."""
    body: Frame = {"as": str(places.bo.id), "channel": str(places.general.id), "content": "hello"}
    async with browser.post("/api/say", json=body, headers={"Origin": origin}) as response:
        assert response.status == 403
    assert discord.messages(places.general) == []


async def test_no_origin_is_a_foreign_origin(page: Page) -> None:
    """Browsers name the origin of what acts; what does not name it is no browser on this page."""
    async with aiohttp.ClientSession() as stranger:
        async with stranger.post(f"{page.url}api/say", json={}) as response:
            assert response.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await stranger.ws_connect(f"{page.url}live")


async def test_foreign_windows_hear_nothing(browser: aiohttp.ClientSession) -> None:
    """Another site cannot listen in through a WebSocket."""
    with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
        await browser.ws_connect("/live", headers={"Origin": "http://evil.example"})


async def test_nothing_from_outside_may_load(browser: aiohttp.ClientSession) -> None:
    """Even if text became markup, the browser would not run it."""
    async with browser.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
