"""Delivery: every event gets its one answer and a visible end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from functools import partial
from typing import Literal

import discord

from ..guard.policy import UNKNOWN_CHANNEL
from ..guard.pressing import run_buttons
from ..ids import snowflake
from ..ledger import Store
from ..model import Event, Said, Trace, Turn
from ..reasons import POSTPONED, REASONS, Reason
from ..words import Phrase, clause, in_order, say
from ..words import runs as w
from ..words.notices import UNSEEN
from ..words.runs import STOPPED_BY
from .deeds import Deeds
from .emoji import usable_emoji
from .failures import FAILURES, WAITING, SendFailed, explain, insist
from .hygiene import WrittenCall, clean
from .languages import Speak, speak_as_before
from .places import Place, find_place
from .progress import Lines
from .record import TABLE, Act, Last, Seen, read
from .sender import Sender
from .typing import Following, Typing
from .unsent import Unsent, read_unsent

log = logging.getLogger("red.aurora.delivery")

FAILED = "⚠️"
"""Aurora's reaction where not even a notice could be posted."""

_WAYS_ON = {"stronger": w.TRY_STRONGER, "ask": w.STRONGEST_WAS_AT_IT}
_BUTTONS = {"stronger": w.STRONGER, "let-be": w.LET_BE}
_DELIVERY_KEY = "delivery"
_LONG = 1000
"""From how many characters on an answer may take several messages."""


class Delivery:
    """Reads the record of what a run sent, and delivers what did not get out.

    What follows from the record stands in the TABLE. `speak` sets the language for Aurora's own
    words; `silence` are the words by which a guild's agent says that it says nothing.
    """

    def __init__(
        self,
        bot: discord.Client,
        store: Store,
        sender: Sender,
        speak: Speak = speak_as_before,
        silence: Callable[[int | None], Collection[str]] = lambda _guild_id: (),
        lines: Lines | None = None,
    ) -> None:
        self._bot = bot
        self._store = store
        self._sender = sender
        self._deeds = Deeds(store, sender)
        self._speak = speak
        self._silence = silence
        self._lines = lines

    async def settle(self, turn: Turn, said: Said, *, fallback: bool) -> Reason | None:
        """See to it that the answer is in Discord; return by what reason the turn ends.

        What was `said` and not sent is kept as the turn's answer before anything is to be seen of
        it, so that after a crash no other run is needed; `fallback` allows that it is delivered.
        None if it is POSTPONED, which is shown to nobody: the caller is to try it again.
        """
        was_sent = await self._repeats(turn)
        unsent = read_unsent(said, self._silence(turn.speaker.guild_id), was_sent)
        if turn.answer is None:
            turn.answer = unsent.kept
            # It is kept with the record of its send, or with the end of the turn. Nobody hears if
            # that fails, and half an answer can't be found again: what may take several messages
            # is waited for.
            await self._store.save_turn(turn, lazily=len(turn.answer) < _LONG)
        try:
            try:
                reason = await self._settle(turn, unsent, fallback=fallback)
            except SendFailed as failure:
                if failure.reason not in WAITING:
                    raise
                # It may have arrived all the same: this time it is looked for first.
                reason = await self._settle(turn, unsent, fallback=fallback)
        except SendFailed as failure:
            reason = failure.reason
            log.warning("The answer to event %s was not delivered: %s", turn.speaker.id, reason)
            if reason in POSTPONED:
                return None
        if REASONS[reason].mark:
            # Who has seen that nothing comes is to get nothing after a crash.
            await self._store.save_turn(turn)
            await self.show_ends(turn, reason)
        return reason

    async def _settle(self, turn: Turn, unsent: Unsent, *, fallback: bool) -> Reason:
        seen = await self._pay(turn)
        act = TABLE[seen.last, seen.rest(unsent.text)]
        turn.dropped = len(unsent.text)
        call = unsent.call
        if call is not None and (call.name == "discord_send" or not seen.answered):
            # One that says nothing, or something elsewhere, undoes nothing of the rest.
            reason = await self._call(turn, call)
            undone = reason is Reason.TOOL_TALK and not (unsent.text or seen.answered)
            if undone or reason not in (Reason.TOOL_TALK, Reason.NO_ANSWER):
                return reason
        if act is not Act.DELIVER:
            return _without(turn, seen, unsent)
        if not fallback and seen.last is not Last.TEXT:
            return Reason.SENT if seen.answered else Reason.TEXT_NOT_DELIVERED
        if (await self._repeats(turn))(unsent.text):
            return Reason.SENT
        turn.dropped = 0
        await self._deliver(turn, unsent.text)
        return Reason.DELIVERED

    async def _call(self, turn: Turn, call: WrittenCall) -> Reason:
        """Do a call that the agent wrote out, if it is for the place where it was asked."""
        event, arguments = turn.speaker, call.arguments
        if snowflake(str(arguments.get("channelId"))) != event.channel_id:
            return Reason.TOOL_TALK
        if call.name == "discord_send":
            text = clean(str(arguments.get("message", ""))).text
            if not text:
                return Reason.NO_ANSWER
            if (await self._repeats(turn))(text):
                return Reason.SENT
            await self._deliver(turn, text)
            return Reason.DELIVERED
        channel = await self._place(event)
        message_id = snowflake(str(arguments.get("messageId")))
        emoji = usable_emoji(channel, str(arguments.get("emoji", "")))
        if message_id is None or emoji is None:
            return Reason.TOOL_TALK
        await self._deeds.react(turn, channel, message_id, emoji)
        return Reason.REACTED

    async def trace(self, turn: Turn) -> Trace:
        """Find out what of the turn is to be seen in Discord, after what it owes is out."""
        try:
            seen = await self._pay(turn)
        except SendFailed as failure:
            owed = any(one.owed for one in await self._store.sends(turn.speaker.id))
            later = failure.reason in POSTPONED or (owed and failure.reason in WAITING)
            # A second answer would be worse than none (promise 6).
            return Trace.LATER if later else Trace.DOUBT
        if seen.answered:
            return Trace.QUESTION if seen.last is Last.QUESTION else Trace.ANSWER
        if seen.acted:
            return Trace.INTERIM
        sends = await self._store.sends(turn.speaker.id)
        return Trace.END if any(one.key == _notice_key("end") for one in sends) else Trace.NOTHING

    async def show_unfinished(self, turn: Turn) -> None:
        """Show that the agent had begun to add something to its answer; never raise."""
        await self._react(turn.speaker, FAILED)

    async def late(self, event: Event, words: Phrase) -> None:
        """Tell the person, once, that the answer will be late; never raise."""
        await self._tell(event, words, "outage")

    async def crowded(self, event: Event, words: Phrase) -> None:
        """Tell the person, once, why their event waits; never raise."""
        await self._tell(event, words, "crowded", ping=False)

    async def unseen(self, event: Event) -> None:
        """Tell the person, once, that their pictures were not seen; never raise."""
        await self._tell(event, UNSEEN, "unseen", ping=False)

    async def show_end(self, event: Event, reason: Reason) -> None:
        """Show the person how their message ended, as the reason's entry says; never raise.

        A mark is a reaction, and words without a ping where Discord refuses that, or where both
        belong together. An event has at most one notice of its end; where it can't be told, the
        message gets a mark.
        """
        entry = REASONS[reason]
        if entry.user is None or event.unasked:
            return
        if entry.mark:
            if not await self._react(event, entry.mark) or entry.spoken:
                await self._tell(event, entry.user, "end", ping=False)
        elif not await self._tell(event, entry.user, "end"):
            await self._react(event, FAILED)

    async def show_ends(self, turn: Turn, reason: Reason) -> None:
        """Show on each message of a turn how it ended; never raise.

        Words are said once, to the message that the answer would have replied to; the others get
        a mark, so that nobody looks for an answer to them.
        """
        await self.show_end(turn.speaker, reason)
        entry = REASONS[reason]
        for event in turn.earlier if entry.user is not None else ():
            if not await self._react(event, entry.mark or FAILED) and entry.user is not None:
                await self._tell(event, entry.user, "end", ping=False)

    async def show_stuck(self, turn: Turn, why: Phrase | str, way: str) -> None:
        """Show on each message of a turn that it got stuck, and once what to try; never raise.

        `way` is "stronger" where a stronger model may be tried, and "ask" where it was.
        """
        event, said = turn.speaker, [w.STUCK(why=clause(why)) if why else w.STUCK_SOMEHOW]
        said.append(_WAYS_ON.get(way, w.ASK_ANOTHER_WAY))
        await self._speak(event.guild_id)
        buttons = [(n, say(label)) for n, label in _BUTTONS.items()] if way == "stronger" else []
        view = run_buttons(event.id, buttons) if buttons else None
        if not await self._tell(event, in_order(*said), "end", view=view):
            await self._react(event, FAILED)
        for one in turn.earlier:
            await self._react(one, FAILED)

    async def call_off(self, event: Event) -> None:
        """Show the person that nothing will come of their message; never raise."""
        await self.show_end(event, Reason.CLEARED)

    async def show_stopped(self, turn: Turn, user_id: int) -> None:
        """Show on each message of a turn that it was stopped, say once by whom; never raise."""
        for event in turn.events:
            await self._react(event, REASONS[Reason.STOPPED].mark)
        for event in turn.earlier:
            self._forget_line(event)
        await self._tell(turn.speaker, STOPPED_BY(person=f"<@{user_id}>"), "end", ping=False)
        self._forget_line(turn.speaker)

    def _forget_line(self, event: Event) -> None:
        if self._lines is not None:
            self._lines.remove(event)

    async def _tell(
        self,
        event: Event,
        words: Phrase,
        kind: Literal["outage", "end", "unseen", "crowded"],
        *,
        ping: bool = True,
        view: discord.ui.View | None = None,
    ) -> bool:
        """Reply with a notice, once for each kind; return whether the person knows now.

        That of its end stands where the event's progress line was, if it has one.
        """
        key = _notice_key(kind)
        if event.unasked:
            return True
        try:
            channel = await find_place(self._bot, event, event.channel_id, self._sender.patience)
            if channel is None:
                return False
            await self._speak(event.guild_id)
            text = say(words)
            # Who asked without a message may be elsewhere by now: an edit calls nobody.
            lines = self._lines if kind == "end" and event.by_message else None
            if lines is not None and await lines.become(event, text, key, view):
                return True
            await self._sender.send(
                Turn((event,)),
                channel,
                text,
                by="notice",
                key=key,
                reply_to=event.replies_to,
                ping=ping,
                view=view,
            )
        except SendFailed as failure:
            log.warning("No notice for event %s: %s", event.id, failure.reason)
        except Exception as error:
            log.warning("No notice for event %s: %s", event.id, type(error).__name__)
        else:
            return True
        return False

    async def _react(self, event: Event, emoji: str) -> bool:
        """Put a reaction on the message; return False if there is none, or Discord refuses it."""
        if (message_id := event.replies_to) is None:
            return event.unasked
        try:
            channel = await find_place(self._bot, event, event.channel_id, self._sender.patience)
            if channel is not None:
                message = channel.get_partial_message(message_id)
                await insist(lambda: message.add_reaction(emoji), self._sender.patience)
        except Exception as error:
            log.debug("No reaction for event %s: %s", event.id, type(error).__name__)
            return not _is_refusal(error)
        return True

    def typing(self, event: Event, tools: Following) -> Typing:
        """Show that somebody is at work until the answer is out; see Typing."""
        return Typing(self._bot, event, self._sender.patience, tools)

    async def _pay(self, turn: Turn) -> Seen:
        """Send what is owed, then read the record; raise SendFailed.

        What is void, since what the agent made in its place is out, is owed no more.
        """
        owed = [one for one in await self._store.sends(turn.speaker.id) if one.owed]
        replaced = {key for one in owed if one.owed for key in one.owed.voids}
        void: set[str] = set()
        for send in sorted(owed, key=lambda one: one.key in replaced):
            if send.owed is None or send.key in void:
                await self._sender.waive(turn.speaker, send)
                continue
            try:
                await self._sender.pay(turn, send)
            except SendFailed as failure:
                if failure.reason in (*WAITING, *POSTPONED):
                    raise
                await self._sender.waive(turn.speaker, failure.sent or send)
                turn.refused = failure.reason
                turn.unsaid = "rest" if failure.sent and failure.sent.message_ids else "all"
            else:
                void |= set(send.owed.voids)
        seen = read(await self._store.sends(turn.speaker.id), turn)
        # Only if no answer is known to have arrived is it worth asking what became of the others.
        return seen if seen.answered else read(await self._sender.lookup.sends(turn), turn)

    async def _repeats(self, turn: Turn) -> Callable[[str], bool]:
        """Return what tells whether a text has been sent where it was asked for already."""
        sent = {one.key for one in await self._store.sends(turn.speaker.id) if one.message_ids}
        keys = partial(self._sender.fingerprints.send_keys, turn.speaker.channel_id)
        return lambda text: not sent.isdisjoint(keys(text))

    async def _deliver(self, turn: Turn, text: str) -> None:
        event = turn.speaker
        channel = await self._place(event)
        await self._speak(event.guild_id)
        await self._sender.send(
            turn,
            channel,
            text,
            by="delivery",
            key=_DELIVERY_KEY,
            reply_to=event.replies_to,
            patience=self._sender.patience.for_answer,
        )

    async def _place(self, event: Event) -> Place | discord.DMChannel:
        """Return where an event was asked; raise SendFailed."""
        try:
            channel = await find_place(self._bot, event, event.channel_id, self._sender.patience)
        except FAILURES as error:
            raise explain(error) from error
        if channel is None:
            raise SendFailed(UNKNOWN_CHANNEL.code, UNKNOWN_CHANNEL.text)
        return channel


def _without(turn: Turn, seen: Seen, unsent: Unsent) -> Reason:
    """Return by what reason a turn ends whose rest is not delivered."""
    if seen.last is Last.QUESTION:
        return Reason.ASKED
    if turn.unsaid or (turn.refused and seen.last is Last.INTERIM):
        # Of an agent that had more to say than got out, people are to know.
        return Reason(turn.refused)
    match seen.last:
        case Last.TEXT:
            return Reason.DELIVERED
        case Last.FULL | Last.INTERIM:
            return Reason.SENT
        case Last.REACTION:
            return Reason.REACTED
    if unsent.tool_talk:
        return Reason.TOOL_TALK
    if turn.refused:
        # An agent whose act was refused, and that wrote nothing, had something to say.
        return Reason(turn.refused)
    return Reason.ANSWERED_ELSEWHERE if seen.elsewhere else Reason.NO_ANSWER


def _notice_key(kind: str) -> str:
    return f"notice:{kind}"


def _is_refusal(error: Exception) -> bool:
    # About a message that is gone there is nothing to say, and in trouble words fail as well.
    return isinstance(error, discord.HTTPException) and error.status in (400, 403)
