"""`[p]aurora runs`: which there are, what became of one, and what can be done about it."""

from typing import Literal, Optional

from redbot.core import commands

from ..guard.invoking import asks, manages, within_sight
from ..guard.policy import Act
from ..guard.runs import RunAct
from ..health.runs import Overview
from ..ids import task_id
from ..ledger import EVERYWHERE, Where
from ..model import State
from ..services import Services
from ..words import Phrase, say
from ..words import queue as q
from ..words import run_life as w
from ..words.runs import NOTHING_TO_STOP
from .asking import refuse, tell, working
from .facts import STATES
from .overview import show_commands
from .queue import StateName
from .refusals import why_not
from .report import Report
from .run_file import send_file
from .run_lines import MARKS, task_line
from .run_names import find_run
from .run_report import report_on
from .scope import in_words, place_of
from .setup import SetupCommands

Whose = Literal["mine", "here", "everywhere"]

_SHOWN = 10
_LOOKED_AT = 100
"""How many of a place are looked at for those that somebody can see."""
_KINDS = (
    (w.COMPLETED, (State.ANSWERED, State.DECLINED)),
    (w.FAILED, (State.FAILED, State.EXPIRED)),
    (w.CANCELLED, (State.CANCELLED,)),
)


class RunsCommands:
    """Runs: one's own, and for who is in charge those of others."""

    services: Services

    @SetupCommands.aurora.group(name="runs", autohelp=False)
    async def runs(self, ctx: commands.Context) -> None:
        """See what became of what you asked, and stop it or try it again."""
        await show_commands(ctx)

    @runs.command(name="list")
    @asks(Act.RUNS)
    async def runs_list(
        self,
        ctx: commands.Context,
        # discord.py reads the annotation at run time and knows Optional in slash commands.
        state: Optional[StateName] = None,  # noqa: UP045
        whose: Optional[Whose] = None,  # noqa: UP045
    ) -> None:
        """List your latest runs, and how many more may run now.

        `[state]`: only those that are `waiting`, `running`, `answered`, `declined`, `failed`,
        `cancelled` or `expired`. `[whose]`: `mine`; `here`, for those who manage the server;
        `everywhere`, for the bot's owner.
        """
        await _list(ctx, self.services, [State(state)] if state else [], whose)

    @runs.command(name="show")
    @asks(Act.RUNS)
    async def runs_show(
        self,
        ctx: commands.Context,
        run: str,
        what: Optional[Literal["file"]] = None,  # noqa: UP045 - as above
    ) -> None:
        """Show all about a run, or with `file` its whole answer.

        `<run>`: its `task-…`, the id of its message or of an answer, or a link to one.
        """
        await _show(ctx, self.services, run, as_file=what is not None)

    @runs.command(name="cancel")
    @asks(Act.RUNS)
    async def runs_cancel(self, ctx: commands.Context, run: str) -> None:
        """Cancel a run that waits or is going on; nothing more of it gets out.

        `<run>`: as for `[p]aurora runs show`. For who asked, and for those who may delete
        messages there.
        """
        await _cancel(ctx, self.services, run)

    @runs.command(name="retry")
    @asks(Act.RUNS)
    async def runs_retry(self, ctx: commands.Context, run: str) -> None:
        """Try a run again that failed, expired or was cancelled; never one that was answered.

        `<run>`: as for `[p]aurora runs show`.
        """
        services = self.services
        async with working(ctx):
            event = await find_run(ctx, services, run, RunAct.RETRY)
            if isinstance(event, Phrase):
                await refuse(ctx, event)
                return
            own = event.author_id == ctx.author.id
            reason = await services.retries.retry(event, own=own)
        if reason is not None:
            await refuse(ctx, q.NOT_RETRIED(why=why_not(reason)))
            return
        await tell(ctx, w.RETRIED(task=f"`{task_id(event.id)}`"), ephemeral=True)

    # -- as the document on the life of tasks names them

    @SetupCommands.aurora.command(name="status", with_app_command=False)
    @asks(Act.RUNS)
    async def aurora_status(
        self,
        ctx: commands.Context,
        what: Literal["task"],  # noqa: ARG002 - there is no other
        run: str,
    ) -> None:
        """Do the same as `[p]aurora runs show`: `status task <run>`."""
        await _show(ctx, self.services, run, as_file=False)

    @SetupCommands.aurora.command(name="list", with_app_command=False)
    @asks(Act.RUNS)
    async def aurora_list(
        self,
        ctx: commands.Context,
        what: Literal["tasks"],  # noqa: ARG002 - there is no other
    ) -> None:
        """Do the same as `[p]aurora runs list`: `list tasks`."""
        await _list(ctx, self.services, [], None)

    @SetupCommands.aurora.command(name="cancel", with_app_command=False)
    @asks(Act.RUNS)
    async def aurora_cancel(
        self,
        ctx: commands.Context,
        what: Literal["task"],  # noqa: ARG002 - there is no other
        run: str,
    ) -> None:
        """Do the same as `[p]aurora runs cancel`: `cancel task <run>`."""
        await _cancel(ctx, self.services, run)


async def _list(
    ctx: commands.Context, services: Services, states: list[State], whose: Whose | None
) -> None:
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
    ended = [say(words(count=sum(count(one, 0) for one in kind))) for words, kind in _KINDS]
    if found.more:
        ended.append(say(w.AT_LEAST(count=sum(found.counts.values()))))
    days = services.settings.world.retention_days
    report.add(w.ENDED(days=days), ended)
    slots = w.PERSONS_SLOTS if own else w.SLOTS
    report.add(w.CAPACITY, [say(slots(capacity=found.capacity, free=found.free))])
    lines = [task_line(one, of_many=not own) for one in listed[:_SHOWN]] or [say(w.NONE)]
    report.add(w.LATEST, lines, beyond=_beyond(found, states, min(len(listed), _SHOWN)))
    await report.send(ctx, services, ephemeral=True)


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


async def _show(ctx: commands.Context, services: Services, run: str, *, as_file: bool) -> None:
    event = await find_run(ctx, services, run, RunAct.SEE)
    if isinstance(event, Phrase):
        await refuse(ctx, event)
    elif as_file:
        await send_file(ctx, services, event)
    else:
        report = await report_on(ctx, services, event)
        await report.send(ctx, services, ephemeral=True)


async def _cancel(ctx: commands.Context, services: Services, run: str) -> None:
    event = await find_run(ctx, services, run, RunAct.STOP)
    if isinstance(event, Phrase):
        await refuse(ctx, event)
        return
    task = f"`{task_id(event.id)}`"
    if event.state.final:
        state = f"{MARKS[event.state]} {say(STATES[event.state])}"
        await refuse(ctx, w.ENDED_ALREADY(task=task, state=state))
        return
    if not await services.stopping.stop(event, ctx.author.id):
        await refuse(ctx, NOTHING_TO_STOP)
        return
    await tell(ctx, w.CANCELLED_IT(task=task), ephemeral=True)
