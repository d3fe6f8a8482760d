"""The lines that status commands show: agents, breakers, the queue, rates, limits, pauses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

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
from ..health.connection import Connection, Line
from ..health.status import AgentStatus, BreakerStatus, Found, Limits, QueueStatus, Status
from ..ledger import EVERYWHERE, Where
from ..model import State
from ..queue import Enqueued
from ..words import Phrase, clause, say, verbatim
from ..words import commands as states
from ..words import events as w
from ..words import queue as q
from ..words.remedies import remedy_for
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
STATES = {
    State.WAITING: states.WAITING,
    State.RUNNING: states.RUNNING,
    State.ANSWERED: states.ANSWERED,
    State.DECLINED: states.DECLINED,
    State.FAILED: states.FAILED,
    State.CANCELLED: states.CANCELLED,
    State.EXPIRED: states.EXPIRED,
}
_NOT_THERE = {
    Found.MISSING: w.MISSING,
    Found.UNKNOWN: w.UNKNOWN,
    Found.SLOW: w.SLOW,
    Found.NOT_ASKED: w.NOT_ASKED,
}
_CONNECTIONS = {
    Line.NO_ADDRESS: w.NO_ADDRESS,
    Line.CONNECTED: w.CONNECTED,
    Line.AWAY: w.NOT_CONNECTED,
    Line.REFUSED: w.REFUSED,
    Line.SLOW: w.TOO_SLOW,
}
_ARRIVALS = {
    Enqueued.ACCEPTED: q.ACCEPTED,
    Enqueued.DUPLICATE: q.DUPLICATE,
    Enqueued.FULL: q.FULL,
    Enqueued.PERSON_FULL: q.PERSON_FULL,
    Enqueued.TOO_OFTEN: q.TOO_OFTEN,
}
_GUILDS_SHOWN = 5
_DETAIL_CHARS = 150
_NAME_CHARS = 40
_PROBES = 3


def pause_line(queue: QueueStatus) -> str:
    """Say whether messages are answered."""
    if queue.paused_since is None:
        return say(w.ON)
    paused = w.PAUSED_BY_OWNER if queue.paused_by_owner else q.PAUSED
    return say(paused(since=_ago(queue.paused_since)))


async def agent_lines(status: Status, bot: discord.Client, place: Where, prefix: str) -> list[str]:
    """Say of each agent that a place uses whether it exists."""
    everywhere = place == EVERYWHERE
    ids = status.agent_ids(place, (guild.id for guild in bot.guilds))
    if not ids:
        return [say(w.NONE_ANYWHERE if everywhere else w.NONE_ENABLED)]
    agents = await status.agents(ids)
    if agents is None:
        return [say(w.NOT_ASKED(id=one)) for one in ids]
    return [agent_line(one, prefix, detailed=everywhere) for one in agents]


def connection_lines(found: Connection, prefix: str, *, detailed: bool) -> Iterator[str]:
    """Say whether the agent's server can be used; details are for those who may mend it."""
    said = _CONNECTIONS[found.line]
    if found.line is Line.AWAY and found.since is not None:
        said = w.NOT_CONNECTED_SINCE(since=_ago(found.since))
    if not detailed or not found.detail:
        yield say(said, prefix)
        return
    yield _detailed(said, found.detail, prefix)
    if (remedy := remedy_for(found.detail)) is not None:
        yield say(remedy, prefix)


def agent_line(agent: AgentStatus, prefix: str, *, detailed: bool) -> str:
    """Say whether an agent exists; details, which may name the server's address, on demand."""
    if agent.info is not None:
        return f"✅ {named(agent.info)}"
    said = _NOT_THERE[agent.found](id=agent.id)
    if detailed and agent.detail:
        return _detailed(said, agent.detail, prefix)
    return say(said, prefix)


def _detailed(said: Phrase, detail: Phrase | str, prefix: str) -> str:
    shown = shorten(say(verbatim(clause(detail)), prefix), _DETAIL_CHARS)
    return say(w.DETAIL(said=said, detail=shown), prefix)


def breaker_lines(circuits: BreakerStatus, *, one_agent: bool) -> Iterator[str]:
    """Describe the breakers; where there are many agents, the closed ones are only counted."""
    yield _breaker(w.THE_BREAKER, circuits.server)
    quiet = 0
    for name, one in circuits.agents.items():
        if one_agent:
            yield _breaker(w.THE_AGENTS_BREAKER, one)
        elif one.state is BreakerState.CLOSED:
            quiet += 1
        else:
            yield _breaker(w.AN_AGENTS_BREAKER(id=name), one)
    for name, one in circuits.limited.items():
        yield _limited(w.THE_AGENT if one_agent else w.AN_AGENT(id=name), one)
    if quiet:
        yield say(w.QUIET(mark=BreakerState.CLOSED.mark, count=quiet))


def _breaker(name: Phrase, found: BreakerSnapshot) -> str:
    known = {"mark": found.state.mark, "name": name}
    match found.state:
        case BreakerState.OPEN:
            return say(w.OPEN(**known, wait=_wait(found)))
        case BreakerState.HALF_OPEN:
            return say(w.HALF_OPEN(**known, successes=found.successes, tries=_PROBES))
        case _:
            failing = w.CLOSED_FAILING if found.failures else w.CLOSED
            return say(failing(**known, failures=found.failures))


def _limited(name: Phrase, found: BreakerSnapshot) -> str:
    known = {"mark": found.state.mark, "name": name}
    if found.state is BreakerState.OPEN:
        return say(w.LIMITED(**known, wait=_wait(found)))
    return say(w.LIMITED_TRIED(**known))


def _wait(found: BreakerSnapshot) -> str:
    return humanize_timedelta(seconds=math.ceil(found.retry_in) or 1)


def queue_lines(queue: QueueStatus, bot: discord.Client) -> Iterator[str]:
    """Say how much waits and runs, and since when."""
    waiting = queue.counts.get(State.WAITING, 0)
    yield say((q.WAITING if queue.room is None else q.WAITING_OF)(count=waiting, room=queue.room))
    yield say(q.RUNNING(count=queue.counts.get(State.RUNNING, 0)))
    if queue.oldest is not None:
        yield say(q.OLDEST(since=_ago(queue.oldest)))
    if queue.paused_since is not None:
        yield say(q.PAUSED(since=_ago(queue.paused_since)))
    # Servers whose own admins have paused them are named: what waits there looks stuck.
    paused = [guild for one in queue.paused_guilds if (guild := bot.get_guild(one)) is not None]
    for guild in paused[:_GUILDS_SHOWN]:
        yield say(q.PAUSED_BY(name=_guild_name(bot, guild.id)))
    if (more := len(paused) - _GUILDS_SHOWN) > 0:
        yield say(q.PAUSED_MORE(count=more))


def ended_lines(queue: QueueStatus) -> Iterator[str]:
    """Say how much ended, and how."""
    for state in State:
        if state.final:
            yield count_line(SIGNS[state], state, queue.counts)


def count_line(sign: str, state: State, counts: Mapping[State, int]) -> str:
    """Say how many are in a state."""
    return f"{sign} {_count(STATES[state], counts.get(state, 0))}"


def arrival_lines(queue: QueueStatus) -> Iterator[str]:
    """Say how much came since Aurora was loaded."""
    for name, what in _ARRIVALS.items():
        yield _count(what, queue.totals.get(name, 0))


def fullest_lines(queue: QueueStatus, bot: discord.Client) -> Iterator[str]:
    """Say where most waits."""
    for guild_id, count in queue.fullest[:_GUILDS_SHOWN]:
        yield _count(_guild_name(bot, guild_id), count)


def limit_lines(limits: Limits) -> Iterator[str]:
    """Say within which limits messages are answered."""
    yield say(q.AT_A_TIME(everywhere=limits.everywhere, guild=limits.guild))
    yield say(q.BY_ONE(agent=limits.agent, user=limits.user))
    if limits.pace is not None:
        yield say(q.PACE(seconds=f"{limits.pace:g}"))
    yield say(q.LONGEST(longest=humanize_timedelta(seconds=limits.waiting)))


def rate_lines(summary: Summary) -> Sequence[str]:
    """Say how often runs failed, of late and in all."""

    def line(when: Phrase, rate: float, errors: int, runs: int) -> str:
        if not runs:
            return say(w.NO_RUNS(when=when))
        shown = {"mark": mark(rate), "rate": f"{rate:.1%}"}
        return say(w.RATE(**shown, when=when, errors=errors, runs=runs))

    return [
        line(
            w.LAST_MINUTES,
            summary.recent_rate,
            summary.recent_errors,
            summary.recent_operations,
        ),
        line(w.SINCE_LOADED, summary.rate, summary.errors, summary.operations),
    ]


def operation_line(one: Operation) -> str:
    """Say how a run went."""
    how = say(w.WENT_WELL) if one.error is None else f"❌ {one.error}"
    return f"{how} · {say(w.SECONDS(seconds=f'{one.duration:.1f}'))} · <t:{one.at:.0f}:T>"


def _ago(since: float) -> str:
    return f"<t:{since:.0f}:R>"


def _count(what: Phrase | str, count: int) -> str:
    return say(q.COUNT(what=what, count=count))


def _guild_name(bot: discord.Client, guild_id: int | None) -> str:
    if guild_id is None:
        return say(q.DIRECT_MESSAGES)
    guild = bot.get_guild(guild_id)
    return discord.utils.escape_markdown(guild.name[:_NAME_CHARS]) if guild else str(guild_id)
