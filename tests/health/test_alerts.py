"""Alerts: one when an outage begins and one when it ends, to all whom it concerns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aurora.errors import Breakers, ErrorStats
from aurora.health.alerts import Alerts, masked, parse_webhook
from aurora.model import Unread
from aurora.reasons import Reason
from aurora.runs.background import Background
from aurora.settings import Settings
from aurora.words import phrase
from doubles.local_discord import Channel, LocalDiscord, Webhook
from sandbox.red import LocalRed
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.keepers import Keeper

URL = "ws://127.0.0.1:4500/ws"
RECOVERY = 60.0


class Office:
    """A real Red in two guilds, with an alert channel in each; one uses agent a, the other b."""

    def __init__(self, discord: LocalDiscord) -> None:
        self.discord = discord
        self.owner = discord.owner
        self.clock = FakeClock()
        self.settings = Settings(Keeper())
        self.background = Background()
        self.stats = ErrorStats(self.clock)
        self.breakers = Breakers(self.clock)
        self.waiting: dict[int | None, int] = {}
        self.rooms: dict[str, Channel] = {}
        self.alerts: Alerts
        self.red: LocalRed

    async def open(self, home: Path) -> None:
        """Boot the Red and set its guilds up."""
        for agent in ("a", "b"):
            guild = self.discord.add_guild(f"Guild of {agent}", owner=self.owner)
            room = self.rooms[agent] = self.discord.add_channel(guild, "alerts")
            await self.settings.set_guild(
                guild.id, agent_id=agent, enabled=True, alert_channel_id=room.id
            )
        await self.settings.set_world(letta_base_url=URL)
        self.red = await LocalRed.boot(home, discord=self.discord, owner=self.owner)
        self.alerts = Alerts(
            self.red.bot,
            self.settings,
            self.stats,
            self.background,
            self.clock,
            lambda: self.waiting,
        )
        self.stats.subscribe(self.alerts.recorded)
        self.breakers.subscribe(self.alerts.changed)

    def fail(self, agent: str | None, times: int = 5) -> None:
        """Let runs of an agent fail, or the server (None) take nothing."""
        for _ in range(times):
            permits = self.breakers.acquire(agent or "a")
            assert permits is not None
            if agent is None:
                permits.failed_to_accept()
            else:
                permits.failed_run()

    async def recover(self, *agents: str) -> None:
        """Let runs succeed once the breakers have had their time."""
        await self.clock.advance(RECOVERY)
        for agent in agents * 3:
            permits = self.breakers.acquire(agent)
            assert permits is not None
            permits.succeeded()

    async def said(self, agent: str | None = None) -> list[str]:
        """Return what was said in a guild's alert channel, or to the owner (None)."""
        await self.background.stop(10)
        room = self.discord.open_dm(self.owner) if agent is None else self.rooms[agent]
        return [message.content for message in self.discord.messages(room)]

    async def hook(self) -> Webhook:
        """Give the owner a webhook, and return it."""
        hook = self.discord.add_webhook(self.rooms["b"])
        await self.settings.set_world(alert_webhook=hook.url)
        return hook


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An office that is open."""
    discord = LocalDiscord()
    await discord.start()
    office = Office(discord)
    try:
        await office.open(tmp_path)
        yield office
    finally:
        await office.red.close()
        await discord.stop()
    assert discord.crashes == []


# -- outages


async def test_an_outage_of_the_server_is_told_once_to_everybody(office: Office) -> None:
    """With what waits, and what to do about it."""
    guild_a = office.rooms["a"].guild
    assert guild_a is not None
    office.waiting = {guild_a.id: 2, None: 5}
    office.fail(None)
    (text,) = await office.said()
    assert URL in text
    assert "wait: 7 now" in text
    assert f"<t:{office.clock.time():.0f}:t>" in text
    (text,) = await office.said("a")
    assert "wait: 2 now" in text
    assert URL not in text
    assert "[p]" not in text
    assert len(await office.said("b")) == 1


async def test_its_end_is_told_once_to_everybody(office: Office) -> None:
    """How long it took and how many waited."""
    office.fail(None)
    office.waiting = {None: 3}
    await office.recover("a")
    down, up = await office.said()
    assert "can't be reached" in down
    assert "The Letta server is in use again, after 1 min 0 s" in up
    assert "go on: 3" in up
    assert [len(await office.said(agent)) for agent in ("a", "b")] == [2, 2]


async def test_a_long_reason_is_cut_to_what_discord_takes(office: Office) -> None:
    """Refused for its length it would reach nobody."""
    await office.alerts.alert(phrase("The agent server refused the request: " + "why " * 1000))
    (text,) = await office.said()
    assert "refused the request" in text
    assert "more characters" in text


async def test_vain_tries_in_between_are_told_nobody(office: Office) -> None:
    """Ten of them, and still one pair."""
    office.fail(None)
    for _ in range(10):
        await office.clock.advance(RECOVERY)
        office.fail(None, 1)
    await office.recover("a")
    assert len(await office.said()) == len(await office.said("a")) == 2


async def test_a_second_outage_is_told_again(office: Office) -> None:
    """The first one is over."""
    for _ in range(2):
        office.fail(None)
        await office.recover("a")
    assert len(await office.said()) == len(await office.said("b")) == 4


async def test_an_agents_breaker_concerns_its_guilds_alone(office: Office) -> None:
    """And the owner, who reads which agent it is."""
    office.fail("a")
    await office.recover("a")
    down, up = await office.said()
    assert "The agent `a` fails" in down
    assert "The agent `a` is in use again" in up
    assert len(await office.said("a")) == 2
    assert await office.said("b") == []


async def test_two_agents_are_two_outages(office: Office) -> None:
    """What ails the one says nothing of the other."""
    office.fail("a")
    office.fail("b")
    assert len(await office.said()) == 2
    assert [len(await office.said(agent)) for agent in ("a", "b")] == [1, 1]


async def test_agents_that_fall_with_the_server_are_not_told_of(office: Office) -> None:
    """Runs that were under way when it went down count for them."""
    under_way = [office.breakers.acquire(agent) for agent in ("a", "b") for _ in range(5)]
    office.fail(None)
    for permits in under_way:
        assert permits is not None
        permits.failed_run()
    await office.recover("a", "b")
    assert len(await office.said()) == len(await office.said("a")) == 2


async def test_an_agent_that_fell_just_before_the_server_is_the_same_outage(
    office: Office,
) -> None:
    """Who was told of it hears of the end, and nothing else; the others hear of both."""
    office.fail("a")
    await office.clock.advance(1)
    for _ in range(5):
        permits = office.breakers.acquire("b")
        assert permits is not None
        permits.failed_to_accept()
    await office.recover("a", "b")
    assert len(await office.said()) == 2
    assert [len(await office.said(agent)) for agent in ("a", "b")] == [2, 2]


async def test_an_agent_that_still_fails_after_the_servers_outage_is_told_of(
    office: Office,
) -> None:
    """It was no part of it after all."""
    office.fail("a")
    for _ in range(5):
        permits = office.breakers.acquire("b")
        assert permits is not None
        permits.failed_to_accept()
    await office.recover("b")
    assert len(await office.said("a")) == 2
    office.fail("a", 1)
    assert "fails" in (await office.said())[-1]
    await office.recover("a")
    assert len(await office.said("a")) == 4
    assert len(await office.said()) == 4


async def test_a_reset_by_hand_ends_an_outage_too(office: Office) -> None:
    """Or the next one would be told nobody."""
    office.fail(None)
    office.breakers.reset()
    office.fail(None)
    down, up, _ = await office.said()
    assert "can't be reached" in down
    assert "is in use again" in up


async def test_the_end_does_not_overtake_the_beginning(office: Office) -> None:
    """However slowly Discord takes the first of the two."""
    office.discord.faults.rate_limit("POST", "/messages", retry_after=0.3, times=2)
    office.fail(None)
    await asyncio.sleep(0.05)
    office.breakers.reset()
    down, up = await office.said("a")
    assert "can't answer" in down
    assert "in use again" in up


async def test_guilds_without_alert_channel_or_agent_are_left_alone(office: Office) -> None:
    """Not asked for is not sent, and who has switched Aurora off does not care."""
    guild_a, guild_b = (office.rooms[agent].guild for agent in ("a", "b"))
    assert guild_a is not None
    assert guild_b is not None
    await office.settings.set_guild(guild_a.id, enabled=False)
    await office.settings.set_guild(guild_b.id, alert_channel_id=None)
    office.fail(None)
    assert await office.said("a") == await office.said("b") == []


async def test_an_agent_that_is_forgotten_counts_as_no_longer_out(office: Office) -> None:
    """Or the next outage of the same agent would be told nobody."""
    office.fail("a")
    await office.clock.advance(3601)
    office.breakers.agent("b")
    office.fail("a")
    assert len(await office.said()) == 3


# -- the other alerts


async def test_a_configuration_alert_is_for_the_owner_and_once_an_hour(office: Office) -> None:
    """With the bot's own prefix."""
    for _ in range(2):
        await office.alerts.alert(phrase("The token is wrong: `[p]set api letta`."))
    assert await office.said() == ["**Aurora**: The token is wrong: `!set api letta`."]
    await office.clock.advance(3600)
    await office.alerts.alert(phrase("The token is wrong: `[p]set api letta`."))
    assert len(await office.said()) == 2
    assert await office.said("a") == []


async def test_a_new_conversation_is_told_in_its_servers_channel_alone(office: Office) -> None:
    """It is the admins who have opened a place to more people; the owner need not know."""
    room = office.rooms["a"]
    assert room.guild is not None
    office.alerts.renewed(make_event(channel_id=room.id, guild_id=room.guild.id))
    office.alerts.renewed(make_event(guild_id=None))
    (said,) = await office.said("a")
    assert room.mention in said
    assert "new conversation" in said
    assert await office.said("b") == []
    assert await office.said() == []


async def test_what_was_not_read_is_told_by_channel_and_time(office: Office) -> None:
    """To the admins of the server, and all of it to the owner."""
    room_a, room_b = (office.rooms[agent] for agent in ("a", "b"))
    assert room_a.guild is not None
    assert room_b.guild is not None
    office.alerts.missed(
        [
            Unread(room_a.guild.id, 11, 1000.0, 2000.0),
            Unread(room_b.guild.id, 22, 3000.0, 4000.0),
            Unread(None, 33, 5000.0, 6000.0),
        ]
    )
    (told,) = await office.said("a")
    assert told.endswith("again:\n- <#11>, from <t:1000:f> to <t:2000:f>")
    (told,) = await office.said()
    assert told.endswith(
        "again:\n- a direct message, from <t:5000:f> to <t:6000:f>"
        "\n- <#22>, from <t:3000:f> to <t:4000:f>\n- <#11>, from <t:1000:f> to <t:2000:f>"
    )


async def test_of_many_unread_channels_the_latest_are_named(office: Office) -> None:
    """In a message that Discord takes."""
    guild = office.rooms["a"].guild
    assert guild is not None
    ids = range(10**18, 10**18 + 200)
    office.alerts.missed([Unread(guild.id, one, 1.7e9, 1.7e9 + one % 1000) for one in ids])
    (told,) = await office.said("a")
    assert told.count("<#") == 12
    assert f"<#{ids[-1]}>" in told
    assert told.endswith("and 188 more channels")
    assert len(told) < 2000


def record(office: Office, *errors: str | None) -> None:
    for error in errors:
        office.stats.record(error)


async def test_lasting_errors_without_an_outage_are_told(office: Office) -> None:
    """Some agents answer and most do not; no breaker opens."""
    record(office, None, *["TimeoutError"] * 9)
    assert await office.said() == []
    await office.clock.advance(31)
    record(office, "TimeoutError")
    (text,) = await office.said()
    assert "10 of the last 11 runs failed" in text
    await office.clock.advance(60)
    record(office, *["TimeoutError"] * 10)
    assert len(await office.said()) == 1


async def test_errors_that_passed_start_anew(office: Office) -> None:
    """Half a minute in a row is meant."""
    record(office, *["TimeoutError"] * 5)
    await office.clock.advance(20)
    record(office, *[None] * 6)
    await office.clock.advance(20)
    record(office, *["TimeoutError"] * 5)
    assert await office.said() == []


async def test_an_outage_is_not_told_a_third_time_as_an_error_rate(office: Office) -> None:
    """Neither while it lasts nor right after it."""
    record(office, *["HTTPException"] * 5)
    office.fail(None)
    for _ in range(5):
        await office.clock.advance(RECOVERY)
        record(office, *["HTTPException"] * 5)
        office.fail(None, 1)
    await office.recover("a")
    for _ in range(5):
        await office.clock.advance(20)
        record(office, *["HTTPException"] * 5)
    assert len(await office.said()) == 2


# -- what Discord refuses


async def test_a_webhook_hears_what_the_owner_hears(office: Office) -> None:
    """In its own channel."""
    await office.hook()
    office.fail("a")
    (text,) = await office.said()
    assert await office.said("b") == [text]


@pytest.mark.parametrize("trouble", ["gone", "token", "403", "500", "cut"])
async def test_a_webhooks_trouble_is_logged_without_its_secret(
    office: Office, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And keeps nobody else from hearing of the outage."""
    office.alerts.patience = 0.2
    hook = await office.hook()
    secret = hook.token
    match trouble:
        case "gone":
            office.discord.remove_webhook(hook)
        case "token":
            hook.token = "other"
        case "cut":
            office.discord.faults.add("POST", "/webhooks/", status=0)
        case status:
            office.discord.faults.add("POST", "/webhooks/", status=int(status))
    with caplog.at_level(logging.INFO):
        office.fail("a")
        assert len(await office.said()) == len(await office.said("a")) == 1
    ours = [one for one in caplog.records if one.name.startswith("red.aurora")]
    assert "No alert by the webhook" in ours[-1].getMessage()
    assert secret not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_vanished_alert_channel_is_switched_off(office: Office) -> None:
    """It is logged once; the others hear of everything."""
    room = office.rooms["a"]
    guild = room.guild
    assert guild is not None
    office.discord.delete_channel(room)
    office.fail(None)
    assert len(await office.said()) == 1
    assert office.settings.guild(guild.id).alert_channel_id is None
    await office.recover("a")
    assert len(await office.said("b")) == 2


@pytest.mark.parametrize("status", [403, 500])
async def test_an_alert_channel_that_refuses_stays_set(
    office: Office, status: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tomorrow it may take it."""

    async def no_rest(_seconds: float) -> None:
        """Let discord.py try again at once."""

    room = office.rooms["a"]
    guild = room.guild
    assert guild is not None
    route = f"/channels/{room.id}/messages"
    office.discord.faults.add("POST", route, status=status, code=50013, times=9)
    monkeypatch.setattr("discord.http.asyncio.sleep", no_rest)
    office.fail("a")
    assert await office.said("a") == []
    assert office.settings.guild(guild.id).alert_channel_id == room.id
    assert "No alert in server" in caplog.text


async def test_an_alert_pings_nobody(office: Office) -> None:
    """What a server says of itself may hold anything."""
    await office.hook()
    await office.alerts.alert(phrase("@everyone"))
    await office.said()
    said = [call.body for call in office.discord.calls if call.method == "POST"]
    said = [body for body in said if isinstance(body, dict) and "content" in body]
    assert len(said) == 2
    assert all(body["allowed_mentions"]["parse"] == [] for body in said)


# -- the webhook's address

TOKEN = "t" * 68


@pytest.mark.parametrize(
    "text",
    [
        f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}",
        f" <https://discordapp.com/api/webhooks/123456789012345678/{TOKEN}> ",
        f"https://canary.discord.com/api/webhooks/123456789012345678/{TOKEN}",
        f"https://ptb.discord.com/api/v10/webhooks/123456789012345678/{TOKEN}",
    ],
)
def test_a_webhooks_address_is_known_in_all_its_spellings(text: str) -> None:
    """And kept in one of them."""
    url = parse_webhook(text)
    assert url == f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}"
    assert TOKEN not in masked(url)


@pytest.mark.parametrize(
    "text",
    [
        f"http://discord.com/api/webhooks/123456789012345678/{TOKEN}",
        f"https://discord.com.example/api/webhooks/123456789012345678/{TOKEN}",
        f"https://example.com/https://discord.com/api/webhooks/123456789012345678/{TOKEN}",
        f"https://ada:pw@discord.com/api/webhooks/123456789012345678/{TOKEN}",
        f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}/slack",
        f"https://discord.com/api/webhooks/123456789012345678/{TOKEN}?thread_id=1",
        "https://discord.com/api/webhooks/123456789012345678/short",
        "off",
    ],
)
def test_nothing_else_is_a_webhooks_address(text: str) -> None:
    """Alerts go to Discord alone."""
    assert parse_webhook(text) is None


async def test_a_provider_that_limits_an_agent_concerns_its_guilds_alone(office: Office) -> None:
    """And the owner, who reads what to look at; the server's outage is another matter."""
    office.waiting = {None: 4}
    await office.settings.set_world(dm_agent_id="a")
    permits = office.breakers.acquire("a")
    assert permits is not None
    permits.settle(Reason.OVERLOADED)
    for _ in range(5):
        permits = office.breakers.acquire("b")
        assert permits is not None
        permits.failed_to_accept()
    office.breakers.reset()
    said = await office.said()
    assert "provider limits the agent `a`" in said[0]
    assert "wait: 4 now" in said[0]
    assert "limits of the account" in said[0]
    assert any("The provider of the agent `a` is in use again" in one for one in said)
    assert len(said) == 4
    assert (len(await office.said("a")), len(await office.said("b"))) == (4, 2)


async def test_an_alert_says_since_when_it_fails(office: Office) -> None:
    """From the first failure; it is told only once it has lasted."""
    office.alerts._failing_for = lambda _key: 40.0
    office.fail(None)
    office.breakers.reset()
    down, up = await office.said()
    assert f"<t:{office.clock.time() - 40:.0f}:t>" in down
    assert "after 40 s" in up
