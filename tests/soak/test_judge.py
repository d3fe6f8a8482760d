"""The verdict on a drill sees each broken promise that the checker of kills does not look at."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from aurora.model import Event, State
from doubles.local_discord import LocalDiscord
from doubles.quick_app_server import QuickAppServer
from tests.support.events import make_event

from .check import Ledger
from .drill import SIZE, Drill
from .judge import judge
from .town import Asked, SoakTown


class Court:
    """A drill that never ran: what was asked, what people saw, and what the ledger says."""

    def __init__(self) -> None:
        rng, discord = random.Random(1), LocalDiscord()  # noqa: S311 - it makes up people
        self.town = SoakTown(discord, QuickAppServer(), rng, SIZE)
        self.drill = Drill(self.town, self.town.home(Path()), rng, None)
        self.drill.turns += [100.0, 101.0]
        self.room = next(iter(self.town.guilds[0].channels.values()))
        self.events: list[Event] = []

    def ask(self) -> Asked:
        """Let somebody ask."""
        number, someone = len(self.town.asked), self.town.mayor
        message = self.town.discord.say(someone, self.room, f"zq{number:06d}xw")
        self.town.asked.append(Asked(number, message, 100.0 + number))
        return self.town.asked[-1]

    def answer(self, asked: Asked, state: State = State.ANSWERED) -> None:
        """Keep an event, and let the bot answer or say that it won't."""
        answered = state is State.ANSWERED
        text = f"ak{asked.number:06d}ea" if answered else "Too late."
        bot = self.town.discord.bot_user
        self.town.discord.say(bot, self.room, text, reply_to=asked.message)
        place = {"message_id": asked.message.id, "channel_id": self.room.id}
        self.events.append(make_event(**place, state=state, reason="sent"))

    def mark(self, asked: Asked, mark: str) -> None:
        """Let the bot mark a message."""
        self.town.discord.react(self.town.discord.bot_user, asked.message, mark)

    def complaints(self, *ends: str) -> str:
        """Return what the verdict complains of."""
        ledger = Ledger(self.events, (), (), set(), "ok")
        verdict = judge(self.drill, ledger, clock_kept=True, ends=("answered", *ends))
        return "\n".join(verdict.violations)


@pytest.fixture
def court() -> Court:
    """Return a drill with two answered questions."""
    one = Court()
    for _ in range(2):
        one.answer(one.ask())
    return one


def test_a_good_drill_has_no_complaint(court: Court) -> None:
    """Two questions, two answers, no pause."""
    assert court.complaints() == ""


def test_a_message_answered_before_an_older_one_is_a_complaint(court: Court) -> None:
    """Though Aurora took them in that order: people see the order in which they asked."""
    first, second = court.ask(), court.ask()
    court.answer(second)
    court.answer(first)
    assert "answers of 1 messages came after those of later messages" in court.complaints()


def test_what_a_full_disk_turned_away_may_be_answered_late(court: Court) -> None:
    """It was marked, and a later start found it all the same."""
    first, second = court.ask(), court.ask()
    court.answer(second)
    court.answer(first)
    court.mark(first, "⚠️")
    assert "came after" in court.complaints()
    court.drill.full.known.append((first.at, second.at))
    assert court.complaints() == ""


@pytest.mark.parametrize(("outage", "complains"), [(0.0, True), (9.9, True), (10.5, False)])
def test_a_long_pause_is_a_complaint_unless_a_trouble_excuses_it(
    court: Court, outage: float, complains: bool
) -> None:
    """Ten seconds after a trouble all goes on."""
    court.drill.turns.append(121.2)
    court.drill.down.known.append((101.5, 101.5 + outage))
    assert ("no turn for 20.2 s" in court.complaints()) is complains


def test_a_mark_of_stopping_at_an_answered_message_is_a_complaint(court: Court) -> None:
    """A second process has put it there."""
    court.mark(court.town.asked[0], "⏹️")
    assert "⏹️ at 1 messages that were answered" in court.complaints()


def test_an_end_that_a_drill_does_not_bring_about_is_a_complaint(court: Court) -> None:
    """A clock that is set lets nobody wait too long."""
    court.answer(court.ask(), State.EXPIRED)
    assert "1 times: expired" in court.complaints()
    assert court.complaints("expired") == ""


def test_what_a_full_disk_turned_away_is_not_lost_if_it_is_marked(court: Court) -> None:
    """And only then, and only while the disk was full."""
    missed, marked, silent = court.ask(), court.ask(), court.ask()
    later = [court.ask() for _ in range(9)][-1]
    court.drill.deaf.known.append((missed.at, marked.at))
    court.drill.full.known.append((marked.at + 0.1, silent.at + 0.1))
    for asked in (missed, marked, later):
        court.mark(asked, "⚠️")
    assert missed.marker not in court.complaints()
    assert marked.marker not in court.complaints()
    assert silent.marker in court.complaints()
    assert later.marker in court.complaints()


def test_what_the_drill_itself_saw_is_a_complaint(court: Court) -> None:
    """Such as an alert that never came."""
    court.drill.complaints.append("0 alerts")
    assert "0 alerts" in court.complaints()
