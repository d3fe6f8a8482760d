"""The runs of somebody or of a server: the latest, how many there are, and how they went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from redbot.core import commands

from ..guard.invoking import manages, within_sight
from ..guard.policy import Act
from ..health.runs import METRICS_DAYS, Metrics, Overview
from ..ledger import EVERYWHERE, Where
from ..model import State
from ..services import Services
from ..words import run_life as w
from ..words import say
from ..words.usage import UNKNOWN
from .facts import count_line
from .report import Report
from .run_lines import MARKS, task_line
from .scope import in_words, place_of
from .spending import tokens_of

Whose = Literal["mine", "here", "everywhere"]

_SHOWN = 10
_LOOKED_AT = 100
"""How many of a place are looked at for those that somebody can see."""
_KINDS = (
    (w.COMPLETED, (State.ANSWERED, State.DECLINED)),
    (w.FAILED, (State.FAILED, State.EXPIRED)),
    (w.CANCELLED, (State.CANCELLED,)),
)


async def show_list(
    ctx: commands.Context, services: Services, states: list[State], whose: Whose | None
) -> None:
    """Show the overview of a person's or a place's runs, to who may see them."""
    own, place = await _meant(ctx, whose)
    if own:
        found = await services.runs.of_person(ctx.author.id, place, states, _SHOWN)
        listed = list(found.latest)
    else:
        found = await services.runs.of_place(place, states, _LOOKED_AT)
        seen = await within_sight(ctx, Act.RUNS, {one.event.channel_id for one in found.latest})
        listed = [one for one in found.latest if one.event.channel_id in seen]
    report = Report((w.MY_TASKS if own else w.TASKS)(where=in_words(place)))
    count = found.counts.get
    now = (w.PENDING, State.WAITING), (w.RUNNING, State.RUNNING)
    report.add(w.NOW, [say(words(count=count(state, 0))) for words, state in now])
    days = services.settings.world.retention_days
    report.add(w.ENDED(days=days), _ended(found))
    slots = w.PERSONS_SLOTS if own else w.SLOTS
    report.add(w.CAPACITY, [say(slots(capacity=found.capacity, free=found.free))])
    lines = [task_line(one, of_many=not own) for one in listed[:_SHOWN]] or [say(w.NONE)]
    report.add(w.LATEST, lines, beyond=_beyond(found, states, min(len(listed), _SHOWN)))
    await report.send(ctx, services, ephemeral=True)


async def show_stats(ctx: commands.Context, services: Services, whose: Whose | None) -> None:
    """Show the execution metrics of a person's or a place's runs, to who may see them."""
    own, place = await _meant(ctx, whose)
    person = ctx.author.id if own else None
    metrics = await services.runs.metrics(place, person)
    report = Report((w.MY_STATS if own else w.STATS)(where=in_words(place)))
    report.add(w.RAN(days=METRICS_DAYS), _metrics(metrics))
    days = services.settings.world.retention_days
    report.add(w.BY_STATE(days=days), _by_state(metrics))
    await report.send(ctx, services, ephemeral=True)


def _ended(found: Overview) -> Iterator[str]:
    for words, states in _KINDS:
        yield say(words(count=sum(found.counts.get(one, 0) for one in states)))
    if found.more:
        yield _bound(sum(found.counts.values()))


def _metrics(found: Metrics) -> Iterator[str]:
    used = found.used
    yield say(w.TOTAL(count=used.runs))
    yield say(w.SUCCESSFUL(count=used.answered))
    yield say(w.FAILED(count=used.failed))
    yield say(w.OTHERS(count=used.runs - used.answered - used.failed))
    average = found.average
    yield say(w.NO_AVERAGE if average is None else w.AVERAGE(seconds=f"{average:.1f}"))
    yield say(tokens_of(used))
    if used.unknown:
        yield say(UNKNOWN(count=used.unknown))


def _by_state(found: Metrics) -> Iterator[str]:
    for state in State:
        yield count_line(MARKS[state], state, found.counts)
    if found.more:
        yield _bound(sum(found.counts.values()))


def _bound(count: int) -> str:
    return say(w.AT_LEAST(count=count))


def _beyond(found: Overview, states: list[State], shown: int) -> int:
    return max(0, sum(found.counts.get(one, 0) for one in states or State) - shown)


async def _meant(ctx: commands.Context, whose: Whose | None) -> tuple[bool, Where]:
    """Return whether somebody means their own runs alone, and where."""
    here = EVERYWHERE if ctx.guild is None else ctx.guild.id
    if whose is None:
        owner = await ctx.bot.is_owner(ctx.author)
        whose = "here" if owner or await manages(ctx) else "mine"
    if whose == "mine":
        return True, here
    if whose == "everywhere" or ctx.guild is None:
        return False, await place_of(ctx, "everywhere")
    if not await manages(ctx):
        raise commands.UserFeedbackCheckFailure(say(w.MANAGERS_ALONE))
    return False, here
