"""A scripted conversation: every message for the bot must get exactly one answer, in its place."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TextIO

from aurora.model import Change, State
from doubles.llm import ScriptedLLM, Step
from doubles.local_discord import Channel, LocalDiscord, Message, User

from .languages import Interpreter
from .neighbourhood import Neighbourhood
from .servers import Backend
from .stack import Stack, StackError
from .transcript import Transcript, place

_TEXT_ONLY = "what do you call the green light in the north?"
_TEXT_ANSWER = "Aurora borealis, though I answer to the first half alone."
# Nothing should come any more once all events have ended; this long we listen all the same.
_QUIET_SECONDS = 0.5


@dataclass(slots=True)
class Asked:
    """A message that wants an answer, and what came of it."""

    message: Message
    at: float
    answers: list[Message] = field(default_factory=list)
    took: float | None = None


class Demo:
    """Plays the conversation on a running stack and checks what comes back.

    Args:
        discord: where it is played.
        places: the people and channels in it.
        transcript: where it is told.
        limit: seconds that an answer may take.

    """

    def __init__(
        self,
        discord: LocalDiscord,
        places: Neighbourhood,
        transcript: Transcript,
        *,
        limit: float,
    ) -> None:
        self.asked: list[Asked] = []
        self._discord = discord
        self._places = places
        self._transcript = transcript
        self._limit = limit
        self._stray: list[Message] = []
        self._seen = max(discord.world.messages, default=0)
        self._ends: dict[int, str] = {}

    async def on_change(self, change: Change) -> None:
        """Note how events end; a listener for `aurora_event`."""
        if change.step in list(State) and State(change.step).final:
            self._ends[change.message_id] = change.step

    async def play(self) -> list[str]:
        """Play all scenes; return what went wrong, nothing if all is well."""
        for title, scene in (
            ("A mention", self._mention),
            ("A reply chain of three, and a question about it", self._chain),
            ("A direct message", self._private),
            ("A mention in a thread", self._thread),
            ("Two channels at once", self._at_once),
            ("An agent that only writes text, and sends nothing itself", self._text_only),
        ):
            self._transcript.heading(title)
            await scene()
        await self._wait(lambda: all(one.message.id in self._ends for one in self.asked))
        await asyncio.sleep(_QUIET_SECONDS)
        self._listen()
        return self._faults()

    async def _mention(self) -> None:
        places = self._places
        await self._answered(self._ask(places.ada, places.general, "hello! Who are you?"))

    async def _chain(self) -> None:
        places = self._places
        first = self._say(places.bo, places.dev, "Shall we watch the sky from the lake tonight?")
        second = self._say(places.cleo, places.dev, "Which shore?", first)
        third = self._say(places.bo, places.dev, "The northern one, it is darker there.", second)
        await self._answered(
            self._ask(places.cleo, places.dev, "what was this about, and who began?", third)
        )

    async def _private(self) -> None:
        places = self._places
        private = self._discord.open_dm(places.dov)
        question = self._say(places.dov, private, "Hi! Do you answer here too?")
        await self._answered(self._note(question))

    async def _thread(self) -> None:
        places = self._places
        await self._answered(self._ask(places.dov, places.thread, "which notes are missing?"))

    async def _at_once(self) -> None:
        places = self._places
        await self._answered(
            self._ask(places.bo, places.bench, "is this server connected as well?"),
            self._ask(places.ada, places.post, "what would a lamp need to know?"),
        )

    async def _text_only(self) -> None:
        await self._answered(self._ask(self._places.cleo, self._places.general, _TEXT_ONLY))

    def _say(
        self, author: User, channel: Channel, text: str, reply_to: Message | None = None
    ) -> Message:
        message = self._discord.say(author, channel, text, reply_to=reply_to)
        self._transcript.line(message)
        return message

    def _ask(
        self, author: User, channel: Channel, text: str, reply_to: Message | None = None
    ) -> Asked:
        mention = self._discord.bot_user.mention
        return self._note(self._say(author, channel, f"{mention} {text}", reply_to))

    def _note(self, message: Message) -> Asked:
        asked = Asked(message, monotonic())
        self.asked.append(asked)
        return asked

    async def _answered(self, *wanted: Asked) -> None:
        """Wait until each has an answer, or the limit is over."""

        def all_there() -> bool:
            self._listen()
            return all(asked.answers for asked in wanted)

        if not await self._wait(all_there):
            self._transcript.verdict(f"        no answer within {self._limit:g} s", good=False)

    async def _wait(self, condition: Callable[[], bool]) -> bool:
        try:
            return await self._discord.wait_for(condition, self._limit)
        except TimeoutError:
            return False

    def _listen(self) -> None:
        """Sort what the bot has said since the last look by the message it answers."""
        world = self._discord.world
        said = [one for key, one in sorted(world.messages.items()) if key > self._seen]
        for message in said:
            self._seen = message.id
            if message.author is not world.bot:
                continue
            asked = next((one for one in self.asked if one.message is message.referenced), None)
            if asked is None or asked.message.channel is not message.channel:
                self._stray.append(message)
                self._transcript.line(message)
                continue
            took = monotonic() - asked.at
            asked.answers.append(message)
            asked.took = asked.took or took
            self._transcript.line(message, took=took)

    def _faults(self) -> list[str]:
        faults = [
            f"{len(asked.answers) or 'no'} answers instead of one to {_quoted(asked.message)}"
            for asked in self.asked
            if len(asked.answers) != 1
        ]
        faults += [
            f"the event of {_quoted(asked.message)} ended as "
            f"{self._ends.get(asked.message.id, 'nothing at all')}"
            for asked in self.asked
            if self._ends.get(asked.message.id) != State.ANSWERED
        ]
        faults += [f"an answer to nothing: {_quoted(message)}" for message in self._stray]
        faults += [
            f"the local Discord does not know {route}"
            for route in dict.fromkeys(self._discord.unknown_routes)
        ]
        return faults


async def demo(
    env: Mapping[str, str],
    *,
    backend: Backend = Backend.APP_SERVER,
    page_port: int | None = None,
    limit: float = 20.0,
    language: str | None = None,
    prepare: Callable[[ScriptedLLM], None] | None = None,
    out: TextIO = sys.stdout,
) -> int:
    """Start a stack, play the conversation and return the exit code: 0 if all is well.

    Args:
        env: as for `Stack`.
        backend: as for `Stack`.
        page_port: serve the chat page there as well.
        limit: seconds that an answer may take.
        language: lets the bot speak it, and fails if an English sentence is left.
        prepare: gets the scripted model before the conversation starts.
        out: where the transcript goes.

    Raises:
        StackError: something is missing.

    """
    began = monotonic()
    if env.get("DISCORD_TOKEN"):
        raise StackError("The demo plays on the local Discord: unset DISCORD_TOKEN for it.")
    stack = Stack(
        env,
        backend=backend,
        page_port=page_port,
        report=lambda line: print(line, file=out, flush=True),
    )
    async with stack:
        if stack.discord is None or stack.places is None:
            raise StackError("The demo needs the local Discord.")
        if stack.llm is not None:
            stack.llm.script(_TEXT_ONLY, Step(text=_TEXT_ANSWER))
            if prepare is not None:
                prepare(stack.llm)
        transcript = Transcript(stack.discord, out)
        reader = None
        if language is not None:
            reader = Interpreter(stack.discord, stack.places, transcript, language)
            await reader.begin()
        play = Demo(stack.discord, stack.places, transcript, limit=limit)
        stack.watch(play.on_change)
        faults = await play.play()
        if reader is not None:
            faults += await reader.end()
    return _report(play, faults, transcript, monotonic() - began)


def _report(play: Demo, faults: list[str], transcript: Transcript, seconds: float) -> int:
    transcript.verdict("", good=True)
    for fault in faults:
        transcript.verdict(f"✗ {fault}", good=False)
    if faults:
        return 1
    times = sorted(asked.took for asked in play.asked if asked.took is not None)
    transcript.verdict(
        f"✓ {len(play.asked)} messages, {len(play.asked)} answers, one each. "
        f"Median {times[len(times) // 2]:.2f} s, slowest {times[-1]:.2f} s; "
        f"{seconds:.1f} s in all, start and end included.",
        good=True,
    )
    return 0


def _quoted(message: Message) -> str:
    return f"“{message.content[:60]}” in {place(message.channel)} by {message.author.name}"
