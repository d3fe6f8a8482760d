"""`[p]aurora runs`: which there are, what became of one, and what can be done about it."""

from typing import Literal, Optional

from redbot.core import commands

from ..guard.invoking import asks
from ..guard.policy import Act
from ..guard.runs import RunAct
from ..ids import task_id
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
from .run_file import send_file
from .run_lines import MARKS
from .run_names import find_run
from .run_overview import Whose, show_list, show_stats
from .run_report import report_on
from .setup import SetupCommands


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
        await show_list(ctx, self.services, [State(state)] if state else [], whose)

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

    @runs.command(name="stats")
    @asks(Act.RUNS)
    async def runs_stats(
        self,
        ctx: commands.Context,
        whose: Optional[Whose] = None,  # noqa: UP045 - as above
    ) -> None:
        """Show how many runs went well or failed, how long they took, and their tokens.

        `[whose]`: as for `[p]aurora runs list`.
        """
        await show_stats(ctx, self.services, whose)

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
        await show_list(ctx, self.services, [], None)

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
