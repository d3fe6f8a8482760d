"""The facts of the status commands, as lines of a report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import discord
from redbot.core.utils.chat_formatting import humanize_timedelta

from ..chat.splitting import shorten
from ..errors import (
    BreakerSnapshot,
    BreakerState,
    Operation,
    Summary,
    mark,
)
from ..health.status import AgentStatus, BreakerStatus, Found, Limits, QueueStatus
from ..model import State
from ..queue import Enqueued
from .agents import named

SIGNS = {
    State.WAITING: "⏳",
    State.RUNNING: "▶️",
    State.ANSWERED: "✅",
    State.DECLINED: "💤",
    State.FAILED: "⚠️",
    State.CANCELLED: "⏹️",
    State.EXPIRED: "⌛",
}
_NOT_THERE = {
    Found.MISSING: "❌ `{id}`: the Letta server does not have it, or refuses me",
    Found.UNKNOWN: "⚠️ `{id}`: the Letta server can't be asked now",
    Found.SLOW: "⚠️ `{id}`: the Letta server took too long to answer",
    Found.NOT_ASKED: "`{id}` (not asked)",
}
_GUILDS_SHOWN = 5
_DETAIL_CHARS = 150
_NAME_CHARS = 40
_PROBES = 3


def pause_line(queue: QueueStatus) -> str:
    """Say whether messages are answered."""
    if queue.paused_since is None:
        return "▶️ on"
    by_owner = " by the bot owner, everywhere" if queue.paused_by_owner else ""
    return f"⏸️ paused since <t:{queue.paused_since:.0f}:R>{by_owner}"


def agent_line(agent: AgentStatus, *, detailed: bool) -> str:
    """Say whether an agent exists; details, which may name the server's address, on demand."""
    if agent.info is not None:
        return f"✅ {named(agent.info)}"
    detail = f": {shorten(agent.detail, _DETAIL_CHARS)}" if detailed and agent.detail else ""
    return _NOT_THERE[agent.found].format(id=agent.id) + detail


def breaker_lines(circuits: BreakerStatus, *, one_agent: bool) -> Iterator[str]:
    """Describe the breakers; where there are many agents, the closed ones are only counted."""
    yield _breaker("Letta server", circuits.server)
    quiet = 0
    for name, one in circuits.agents.items():
        if one_agent:
            yield _breaker("agent", one)
        elif one.state is BreakerState.CLOSED:
            quiet += 1
        else:
            yield _breaker(f"agent `{name}`", one)
    if quiet:
        yield f"{BreakerState.CLOSED.mark} agents in use: {quiet} closed"


def _breaker(name: str, found: BreakerSnapshot) -> str:
    text = f"{found.state.mark} {name}: {found.state}"
    match found.state:
        case BreakerState.OPEN:
            wait = humanize_timedelta(seconds=math.ceil(found.retry_in) or 1)
            return f"{text}, tried again in {wait}"
        case BreakerState.HALF_OPEN:
            return f"{text}, {found.successes} of {_PROBES} tries went well"
        case _:
            return f"{text}, {found.failures} failures in a row" if found.failures else text


def queue_lines(queue: QueueStatus, bot: discord.Client) -> Iterator[str]:
    """Say how much waits and runs, and since when."""
    room = "" if queue.room is None else f" of {queue.room}"
    yield f"waiting: {queue.counts.get(State.WAITING, 0)}{room}"
    yield f"running: {queue.counts.get(State.RUNNING, 0)}"
    if queue.oldest is not None:
        yield f"waiting longest: since <t:{queue.oldest:.0f}:R>"
    if queue.paused_since is not None:
        yield f"⏸️ paused since <t:{queue.paused_since:.0f}:R>"
    # Servers whose own admins have paused them are named: what waits there looks stuck.
    paused = [guild for one in queue.paused_guilds if (guild := bot.get_guild(one)) is not None]
    for guild in paused[:_GUILDS_SHOWN]:
        yield f"⏸️ paused by its admins: {_guild_name(bot, guild.id)}"
    if (more := len(paused) - _GUILDS_SHOWN) > 0:
        yield f"⏸️ and {more} more"


def ended_lines(queue: QueueStatus) -> Iterator[str]:
    """Say how much ended, and how."""
    for state in State:
        if state.final:
            yield f"{SIGNS[state]} {state}: {queue.counts.get(state, 0)}"


def arrival_lines(queue: QueueStatus) -> Iterator[str]:
    """Say how much came since Aurora was loaded."""
    for name in (Enqueued.ACCEPTED, Enqueued.DUPLICATE, Enqueued.FULL):
        yield f"{name}: {queue.totals.get(name, 0)}"


def fullest_lines(queue: QueueStatus, bot: discord.Client) -> Iterator[str]:
    """Say where most waits."""
    for guild_id, count in queue.fullest[:_GUILDS_SHOWN]:
        yield f"{_guild_name(bot, guild_id)}: {count}"


def limit_lines(limits: Limits) -> Iterator[str]:
    """Say within which limits messages are answered."""
    yield f"answered at a time: {limits.everywhere}, of one server {limits.guild}"
    yield f"by one agent {limits.agent}, for one person {limits.user}"
    if limits.pace is not None:
        yield f"in a channel one each {limits.pace:g} s"
    longest = humanize_timedelta(seconds=limits.waiting)
    yield f"nobody waits longer than {longest}, pauses left out"


def rate_lines(summary: Summary) -> Sequence[str]:
    """Say how often runs failed, of late and in all."""

    def line(name: str, rate: float, errors: int, operations: int) -> str:
        if not operations:
            return f"{name}: no runs"
        return f"{mark(rate)} {name}: {rate:.1%} of {operations} runs failed ({errors})"

    return [
        line(
            "last 5 minutes",
            summary.recent_rate,
            summary.recent_errors,
            summary.recent_operations,
        ),
        line("since Aurora was loaded", summary.rate, summary.errors, summary.operations),
    ]


def operation_line(one: Operation) -> str:
    """Say how a run went."""
    how = "✅ went well" if one.error is None else f"❌ {one.error}"
    return f"{how} · {one.duration:.1f} s · <t:{one.at:.0f}:T>"


def _guild_name(bot: discord.Client, guild_id: int | None) -> str:
    if guild_id is None:
        return "direct messages"
    guild = bot.get_guild(guild_id)
    return discord.utils.escape_markdown(guild.name[:_NAME_CHARS]) if guild else str(guild_id)
