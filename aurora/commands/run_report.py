"""All about one run, as a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redbot.core import commands

from ..health.runs import RunFacts
from ..ids import task_id
from ..model import Event, Judgement
from ..runs.usage import cost_of
from ..services import Services
from ..words import run_life as w
from ..words import say, verbatim
from .asking import prefix_for
from .report import Report
from .run_lines import MARKS, link, link_to, state_of_task
from .spending import tokens_of


async def report_on(ctx: commands.Context, services: Services, event: Event) -> Report:
    """Return what is kept of a run, for somebody who may see it; none of it is what was said."""
    facts = await services.runs.facts(event)
    report = Report(verbatim(f"{MARKS[event.state]} {task_id(event.id)}"))
    report.add(w.STATE, [say(state_of_task(event), await prefix_for(ctx))])
    asked = w.QUESTION(message=link_to(event), person=f"<@{event.author_id}>")
    report.add(w.ASKED, [say(asked)])
    report.add(w.TIMES, _times(facts))
    report.add(w.WORK, _work(facts))
    report.add(w.AGENT, _agent(facts))
    report.add(w.ANSWER, await _answers(ctx, services, facts))
    report.add(w.FEEDBACK, _feedback(await services.store.judgements_on(event.id)))
    return report


def _times(facts: RunFacts) -> Iterator[str]:
    event, turn = facts.event, facts.turn
    started = turn.started_at if turn is not None else None
    yield say(w.ACCEPTED(at=_at(event.accepted_at)))
    if started is not None:
        yield say(w.STARTED(at=_at(started)))
    if event.ended_at is not None:
        yield say(w.FINISHED(at=_at(event.ended_at)))
        if started is not None:
            yield say(w.TOOK(seconds=f"{max(0.0, event.ended_at - started):.1f}"))


def _at(moment: float) -> str:
    return f"<t:{moment:.0f}:F>"


def _work(facts: RunFacts) -> Iterator[str]:
    turn = facts.turn
    if turn is None:
        return
    yield say(w.ATTEMPTS(count=turn.attempts + turn.misses))
    if facts.steps:
        failed = sum(one.kind == "error" for one in facts.steps)
        yield say(w.STEPS(count=len(facts.steps), failed=failed))
    if facts.tools:
        tools = ", ".join(f"`{name}` × {count}" for name, count in facts.tools.items())
        yield say(w.TOOLS(tools=tools))
    yield say(tokens_of(cost_of(turn)))
    if turn.seconds:
        yield say(w.AGENTS_TIME(seconds=f"{turn.seconds:.1f}"))


def _agent(facts: RunFacts) -> Iterator[str]:
    turn = facts.turn
    if turn is not None and turn.agent_id is not None:
        yield say(w.AN_AGENT(id=turn.agent_id))
    if turn is not None and turn.routed:
        yield say(w.ROUTED(route=turn.routed))
    if turn is not None and turn.model:
        yield say(w.MODEL(name=turn.model))
    if turn is not None and turn.conversation_id is not None:
        yield say(w.CONVERSATION(id=turn.conversation_id))


def _feedback(judgements: Sequence[Judgement]) -> Iterator[str]:
    """Tell what is thought of an answer; who asked is not one among others."""
    others = [one.good for one in judgements if not one.own]
    for one in judgements:
        if one.own:
            yield say(w.OF_ASKER(mark="👍" if one.good else "👎"))
    if others:
        yield say(w.OF_OTHERS(good=others.count(True), bad=others.count(False)))


async def _answers(ctx: commands.Context, services: Services, facts: RunFacts) -> list[str]:
    """Return links to what was sent, where who asks may read."""
    event, hidden = facts.event, 0
    lines = []
    for send in facts.answers:
        if await services.run_guard.reads(ctx.author.id, event, send.channel_id):
            ids = send.message_ids
            lines += [f"<{link(event.guild_id, send.channel_id, one)}>" for one in ids]
        else:
            hidden += len(send.message_ids)
    if hidden:
        lines.append(say(w.ELSEWHERE(count=hidden)))
    return lines
