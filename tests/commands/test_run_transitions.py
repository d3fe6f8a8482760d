"""Every transition of a run, for each kind of person who may want it: one table, by the commands.

It mirrors `aurora/guard/runs.py`, whose acts it asks for one by one where no command does them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from aurora.agents.protocol import Accepted
from aurora.commands.runs import RunsCommands
from aurora.guard.runs import RunAct, RunGuard
from aurora.health.runs import Runs
from aurora.ids import new_event_id, task_id
from aurora.model import Event, State, Trace, Turn
from aurora.reasons import Reason
from aurora.runs.retrying import Reread, Retries
from doubles.local_discord import Overwrite, User, permissions
from tests.support.events import make_context
from tests.support.scripts import NEVER
from tests.support.workers import Bench, start_bench

TABLE = """
                asker member moderator manager outside owner robot stranger barred
see             x     -      -         x       -       x     -     -        -
cancel waiting  x     -      x         x       -       x     -     -        -
cancel running  x     -      x         x       -       x     -     -        -
cancel ended    -     -      -         -       -       -     -     -        -
retry           x     -      -         x       -       x     -     -        -
retry answered  -     -      -         -       -       -     -     -        -
answer          x     -      -         -       -       -     -     -        -
judge           x     x      x         x       -       x     -     -        -
go_on           x     -      -         -       -       -     -     -        -
read            x     x      x         x       -       -     -     -        -
"""
"""An x is what somebody may. `outside`: who manages the server and does not see the place.
`barred`: who asked, and may not use the bot any more."""

_HEAD, *_LINES = TABLE.strip("\n").splitlines()
PEOPLE = _HEAD.split()
ROWS = {line[:16].strip(): dict(zip(PEOPLE, line[16:].split(), strict=True)) for line in _LINES}
COMMANDS = {
    "see": RunAct.SEE,
    "cancel waiting": RunAct.STOP,
    "cancel running": RunAct.STOP,
    "cancel ended": RunAct.STOP,
    "retry": RunAct.RETRY,
    "retry answered": RunAct.RETRY,
}
GUILD, PLACE, ASKER = 9, 1, 7


class Given:
    """A command that somebody has typed, and what was said to it."""

    interaction = None
    clean_prefix = "!"

    def __init__(self, who: User, owner: bool) -> None:
        self.author = SimpleNamespace(id=who.id)
        self.guild = SimpleNamespace(id=GUILD)
        self.bot = SimpleNamespace(is_owner=self._is_owner)
        self.said: list[str] = []
        self._owner = owner

    async def _is_owner(self, _user: object) -> bool:
        return self._owner

    async def embed_requested(self) -> bool:
        return False

    async def send(self, content: str, **_options: object) -> None:
        self.said.append(content)

    @asynccontextmanager
    async def typing(self) -> AsyncIterator[None]:
        yield


class Hall:
    """A guild with somebody of each kind, and the commands about runs."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.kept_out: set[int] = set()
        local = bench.square.local
        guild = local.world.guilds[GUILD]
        rights = {
            "member": 0,
            "moderator": permissions.MANAGE_MESSAGES,
            "manager": permissions.MANAGE_GUILD,
            "outside": permissions.MANAGE_GUILD,
            "robot": permissions.ADMINISTRATOR,
        }
        self.people = {"asker": local.world.users[ASKER], "barred": local.world.users[ASKER]}
        for name, right in rights.items():
            user = local.add_user(name, bot=name == "robot")
            roles = (local.add_role(guild, name, permissions=right),) if right else ()
            local.add_member(guild, user, roles=roles)
            self.people[name] = user
        hide = Overwrite.of(self.people["outside"], deny=permissions.VIEW_CHANNEL)
        local.set_overwrites(local.world.channels[PLACE], (hide,))
        for name in ("owner", "stranger"):
            self.people[name] = local.add_user(name)
            elsewhere = local.add_guild(f"of the {name}", owner=self.people[name])
            local.add_member(elsewhere, local.bot_user)
        self.guard = RunGuard(bench.bot, self._barred, self._owns)
        status: Any = None
        services = SimpleNamespace(
            store=bench.kept_by,
            run_guard=self.guard,
            stopping=bench.stopping,
            runs=Runs(bench.kept_by, bench.queue, status, bench.clock),
            retries=Retries(bench.kept_by, bench.queue, _nothing_seen, _reread),
        )
        self.cog: Any = SimpleNamespace(services=services)

    async def _barred(self, user_id: int, *_more: object) -> Reason | None:
        return Reason.INELIGIBLE if user_id in self.kept_out else None

    async def _owns(self, user_id: int) -> bool:
        return user_id == self.people["owner"].id

    async def asked(self) -> Event:
        """Let the asker ask."""
        now = self.bench.clock.time()
        return await self.bench.ask(id=new_event_id(now), author_id=ASKER)

    async def does(self, who: str, row: str, event: Event) -> bool:
        """Let somebody try something, and tell whether it was done."""
        user = self.people[who]
        self.kept_out = {user.id} if who == "barred" else set()
        if row == "read":
            barred = user.id in self.kept_out
            reads = await self.guard.reads(user.id, event, event.channel_id)
            return reads and not (barred or user.bot)
        if row not in COMMANDS:
            return await self.guard.may(RunAct(row), user.id, event)
        before = (await self.bench.kept(event)).state
        given: Any = Given(user, owner=who == "owner")
        what = row.split()[0]
        command: Any = getattr(RunsCommands, f"runs_{'show' if what == 'see' else what}")
        await command.callback(self.cog, given, task_id(event.id))
        await self.bench.clock.settle()
        if what == "see":
            return task_id(event.id) in given.said[-1]
        return (await self.bench.kept(event)).state is not before


async def _nothing_seen(_turn: Turn) -> Trace:
    return Trace.NOTHING


async def _reread(_event: Event) -> Reread:
    return Reread("mention", make_context())


async def ended(hall: Hall, state: State) -> Event:
    """Let the asker ask, and it end."""
    event = await hall.asked()
    await hall.bench.stopping.stop(event, ASKER)
    kept = await hall.bench.kept(event)
    if state is not kept.state:
        kept.state, kept.reason = state, Reason.DELIVERED
        await hall.bench.kept_by.save_events([kept])
    return kept


@pytest.mark.parametrize("who", PEOPLE)
async def test_each_transition_is_for_whom_the_table_says(benches: list[Bench], who: str) -> None:
    """Who may not is told the same as if there were no such run, and nothing happens."""
    bench, _ = await start_bench(benches, *[[Accepted(), NEVER]] * len(ROWS))
    running = await bench.ask(id=new_event_id(bench.clock.time()), author_id=ASKER)
    await bench.bot.wait_until_ready()
    hall = Hall(bench)
    await bench.clock.settle()
    done = {
        "see": await hall.does(who, "see", running),
        **{one: await hall.does(who, one, running) for one in ROWS if one not in COMMANDS},
        "cancel waiting": await hall.does(who, "cancel waiting", await hall.asked()),
        "cancel running": await hall.does(who, "cancel running", running),
        "cancel ended": await hall.does(who, "cancel ended", await ended(hall, State.CANCELLED)),
        "retry": await hall.does(who, "retry", await ended(hall, State.CANCELLED)),
        "retry answered": await hall.does(
            who, "retry answered", await ended(hall, State.ANSWERED)
        ),
    }
    wanted = {one: row[who] for one, row in ROWS.items()}
    assert {one: "x" if is_so else "-" for one, is_so in done.items()} == wanted


def test_each_act_of_the_guards_has_a_row() -> None:
    """One that is added without is nobody's decision."""
    told = {COMMANDS.get(one, one) for one in ROWS} - {"read"}
    assert told == set(RunAct)
