"""The checker sees each broken promise; else its silence would mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aurora.model import Event, State
from doubles.local_discord import Channel, LocalDiscord, Message
from tests.support.events import make_event

from .check import (
    Findings,
    Ledger,
    check,
    content_in,
)
from .town import Asked


class Scene:
    """A channel in which people ask, a bot that answers, and a ledger that says what it likes."""

    def __init__(self) -> None:
        self.discord = LocalDiscord()
        self.ada = self.discord.add_user("ada")
        guild = self.discord.add_guild("Guild", owner=self.ada)
        self.room = self.discord.add_channel(guild, "room")
        self.asked: list[Asked] = []
        self.events: list[Event] = []
        self.changes: list[Mapping[str, Any]] = []
        self.told: set[int] = set()
        self.owed: set[int] = set()
        self.turned_away: set[int] = set()
        self.integrity = "ok"

    def ask(self, room: Channel | None = None) -> Asked:
        """Let Ada ask."""
        number = len(self.asked)
        text = f"zq{number:06d}xw"
        asked = Asked(number, self.discord.say(self.ada, room or self.room, text), 0.0)
        self.asked.append(asked)
        return asked

    def say(self, text: str, to: Asked) -> Message:
        """Let the bot reply."""
        bot, message = self.discord.bot_user, to.message
        return self.discord.say(bot, message.channel, text, reply_to=message)

    def answer(self, *to: Asked) -> None:
        """Let the bot answer, as the agents of the soak word it."""
        self.say(" ".join(f"ak{one.number:06d}ea" for one in to), to[-1])

    def keep(self, asked: Asked, state: State = State.ANSWERED, reason: str = "sent") -> Event:
        """Put an event into the ledger."""
        place = {"message_id": asked.message.id, "channel_id": asked.message.channel.id}
        event = make_event(**place, state=state, reason=reason)
        self.events.append(event)
        return event

    def run(self, event: Event, at: float) -> None:
        """Put the start of a run into the ledger."""
        self.changes.append(
            {
                "event_type": "aurora.message.running",
                "timestamp": datetime.fromtimestamp(at, UTC).isoformat(),
                "payload": {"id": event.id, "turn_id": event.turn_id},
                "metadata": {"partition_key": event.lane},
            }
        )

    def served(self) -> tuple[Asked, Event]:
        """Let one question have its good end."""
        asked = self.ask()
        self.answer(asked)
        return asked, self.keep(asked)

    def judge(self) -> Findings:
        """Let the checker look."""
        ledger = Ledger(self.events, (), self.changes, self.turned_away, self.integrity)
        told, owed = self.told, self.owed
        return check(self.discord, self.asked, ledger, told=told, owed=owed, pace=0.2)

    def complaints(self) -> str:
        """Return what the checker complains of."""
        return "\n".join(self.judge().violations)


@pytest.fixture
def scene() -> Scene:
    """Return a scene in which all is well with two questions."""
    scene = Scene()
    for at in (100.0, 101.0):
        _, event = scene.served()
        scene.run(event, at)
    return scene


def test_a_good_scene_has_no_complaint(scene: Scene) -> None:
    """Two questions, two answers."""
    found = scene.judge()
    assert found.violations == []
    assert (found.accepted, found.ends) == (2, {"answered (sent)": 2})


def test_a_turn_of_several_is_answered_by_one_message(scene: Scene) -> None:
    """Which names them all."""
    first, second = scene.ask(), scene.ask()
    scene.answer(first, second)
    speaker = scene.keep(first), scene.keep(second)
    for event in speaker:
        event.turn_id = "turn_1"
    assert scene.complaints() == ""


def test_what_was_accepted_and_is_gone_is_lost(scene: Scene) -> None:
    """Aurora said that it had it."""
    scene.told.add(scene.ask().message.id)
    assert "accepted, and lost" in scene.complaints()


def test_what_aurora_heard_and_never_took_is_a_complaint(scene: Scene) -> None:
    """It was there, and long enough."""
    scene.owed.add(scene.ask().message.id)
    assert "never accepted" in scene.complaints()


def test_what_was_not_caught_up_on_is_a_complaint(scene: Scene) -> None:
    """In a guild every channel is known."""
    scene.ask()
    assert "never caught up on" in scene.complaints()


def test_first_words_in_private_may_be_missed(scene: Scene) -> None:
    """Second words may not."""
    room = scene.discord.open_dm(scene.ada)
    missed = scene.ask(room)
    found = scene.judge()
    assert (found.violations, found.missed) == ([], [missed.marker])
    known = scene.ask(room)
    scene.answer(known)
    scene.keep(known)
    scene.ask(room)
    assert "never caught up on" in scene.complaints()


def test_who_was_turned_away_in_private_is_a_stranger_still(scene: Scene) -> None:
    """A full disk took the message in as little as it will be found again."""
    room = scene.discord.open_dm(scene.ada)
    turned_away = scene.ask(room)
    scene.turned_away.add(turned_away.message.id)
    missed = scene.ask(room)
    found = scene.judge()
    assert (found.violations, found.missed) == ([], [missed.marker])


def test_two_answers_are_a_complaint(scene: Scene) -> None:
    """However they differ."""
    asked, _ = scene.served()
    scene.say(f"again ak{asked.number:06d}ea", asked)
    assert "answered 2 times" in scene.complaints()


def test_an_answer_that_is_not_there_is_a_complaint(scene: Scene) -> None:
    """The ledger may say what it likes."""
    scene.keep(scene.ask())
    assert "no answer is to be seen" in scene.complaints()


@pytest.mark.parametrize(("state", "reason"), [(State.WAITING, ""), (State.FAILED, "")])
def test_an_event_without_an_end_is_a_complaint(scene: Scene, state: State, reason: str) -> None:
    """Final, and with a reason."""
    scene.keep(scene.ask(), state, reason)
    assert "no final state with a reason" in scene.complaints()


def test_silence_is_a_complaint(scene: Scene) -> None:
    """Until there is a notice, or a mark."""
    told, marked = scene.ask(), scene.ask()
    for asked in (told, marked):
        scene.keep(asked, State.EXPIRED, "waited_too_long")
    assert scene.complaints().count("nobody was told") == 2
    scene.say("I could not get to this in time.", told)
    scene.discord.react(scene.discord.bot_user, marked.message, "⏹️")
    assert scene.complaints() == ""


def test_an_answer_and_a_notice_are_a_complaint(scene: Scene) -> None:
    """One visible end; that it would be late is none."""
    asked, _ = scene.served()
    scene.say("My agent is not available right now.", asked)
    assert scene.complaints() == ""
    scene.say("Something went wrong.", asked)
    assert "an answer and a notice" in scene.complaints()


def test_an_end_that_is_none_is_a_complaint(scene: Scene) -> None:
    """Failed, and yet answered."""
    asked, event = scene.served()
    scene.events[-1] = replace(event, state=State.FAILED, reason="lost")
    assert "it was answered" in scene.complaints()
    assert asked.marker in scene.complaints()


def test_answers_out_of_order_are_a_complaint(scene: Scene) -> None:
    """In one channel."""
    first, second = scene.ask(), scene.ask()
    scene.keep(first)
    scene.keep(second)
    scene.answer(second)
    scene.answer(first)
    assert "answers out of order" in scene.complaints()


def test_runs_out_of_order_are_a_complaint(scene: Scene) -> None:
    """Whatever the answers look like."""
    (_, first), (_, second) = scene.served(), scene.served()
    scene.run(second, 102.0)
    scene.run(first, 103.0)
    assert "runs out of order" in scene.complaints()


def test_runs_too_close_are_a_complaint(scene: Scene) -> None:
    """A tenth of a second, where two are the rule."""
    _, event = scene.served()
    scene.run(event, 101.1)
    assert "runs 0.100 s apart" in scene.complaints()


def test_many_dead_letters_are_a_complaint(scene: Scene) -> None:
    """They are for what crashes Aurora, not for what was near."""
    asked = scene.ask()
    scene.keep(asked, State.FAILED, "poison")
    scene.say("Something went wrong on my side.", asked)
    assert "dead letters" in scene.complaints()


def test_a_damaged_file_is_a_complaint(scene: Scene) -> None:
    """Though all events look well."""
    scene.integrity = "row 7 missing from index"
    assert "damaged" in scene.complaints()


@pytest.mark.parametrize("word", ["zq000001xw", "ak000001ea"])
def test_words_that_were_left_behind_are_found(tmp_path: Path, word: str) -> None:
    """A person's and an agent's, in any file below."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"\x00\xff" + word.encode() + b"\x00")
    (tmp_path / "other").write_bytes(b"nothing")
    assert content_in(tmp_path) == [f"deep/file holds {word}"]


def test_a_long_answer_without_its_end_is_a_complaint(scene: Scene) -> None:
    """Whoever reads half of an answer was not answered."""
    asked = scene.ask()
    scene.say(f"long ak{asked.number:06d}ea and so on", asked)
    scene.keep(asked)
    assert "the end of a long answer is missing" in scene.complaints()
    scene.say(f"and so on en{asked.number:06d}dl", asked)
    assert scene.complaints() == ""
    scene.say(f"and so on en{asked.number:06d}dl", asked)
    assert "came 2 times" in scene.complaints()


def test_a_first_word_is_no_end_and_is_said_once(scene: Scene) -> None:
    """Who reads it waits for an answer, or for a notice."""
    asked = scene.ask()
    scene.say(f"wait wt{asked.number:06d}ea", asked)
    event = scene.keep(asked, State.FAILED, "crashed")
    assert "nobody was told" in scene.complaints()
    scene.say("I could not answer.", asked)
    assert scene.complaints() == ""
    assert event.reason == "crashed"
    scene.say(f"wait wt{asked.number:06d}ea", asked)
    assert "more than once" in scene.complaints()
