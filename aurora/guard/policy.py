"""The one authorisation function: whether this actor may do this, about that, from here.

It is plain: `looking` finds out what it goes by. What an agent does it does for the person who
asked, and can't do in Discord what that person may not do (promise 11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import discord

from ..chat.places import Channel, Place
from ..reasons import Reason
from .acts import IN_CHANNELS, NEEDED, PACED, TAKES_AS, Standing
from .acts import Act as Act
from .sight import Holder, may_write, sees


class Target(NamedTuple):
    """What an act is about: a channel, a message in it, a server, or a file of the memory."""

    channel_id: int | None = None
    message_id: int | None = None
    guild_id: int | None = None
    path: str | None = None


class Actor(NamedTuple):
    """For whom something is done, as they stand now.

    `holder` is whose rights count: None in direct messages, and for who is not in the guild; a
    webhook has those of everybody there, in its own place alone. `barred` says why they may not
    use the bot at all. `agent_id` is the agent that acts for them. Of who is no `person`, such as
    a bot or a webhook that nobody trusts, nothing is taken.
    """

    user_id: int
    holder: Holder | None = None
    barred: Reason | None = None
    agent_id: str | None = None
    standing: Standing = Standing.MEMBER
    person: bool = True

    @property
    def member(self) -> discord.Member | None:
        """Return the member of the guild who acts."""
        return self.holder if isinstance(self.holder, discord.Member) else None


class Found(NamedTuple):
    """A target, and what was found of it.

    `guest` tells of a private thread whether the actor is in it; `wait` is for how many more
    seconds its slowmode keeps them from writing.
    """

    target: Target
    channel: Channel | None = None
    guest: bool = False
    wait: float = 0.0


class Here(NamedTuple):
    """Where an actor acts from, and what holds there now.

    `guild_id` is None for direct messages. `channel` is the event's own place. `agent_id` is the
    agent that answers here now; where none does, `shut` says why.
    """

    guild_id: int | None
    guild: discord.Guild | None = None
    channel: Channel | None = None
    agent_id: str | None = None
    shut: Reason | None = None
    paused: bool = False


class Allowed(NamedTuple):
    """A yes: the place it is about, if it is about one, and whether links may show a preview."""

    place: Place | discord.DMChannel | None = None
    embeds: bool = True


class Denied(NamedTuple):
    """A refusal: `code` names it for the ledger, `text` explains it to the agent.

    `place` is where the act would be done, if its audience alone forbids that.
    """

    code: Reason
    text: str
    place: Place | None = None


# Hidden and missing must look alike, or ids could be tried out.
UNKNOWN_CHANNEL = Denied(
    Reason.UNKNOWN_CHANNEL,
    "There is no such channel here, or the person who asked cannot see it. "
    "Use the channel id from the message you are answering.",
)
OUTSIDE_DM = Denied(
    Reason.UNKNOWN_CHANNEL,
    "This is a direct message: only its own channel can be used, none of any server.",
)
OUTSIDE_WEBHOOK = Denied(
    Reason.UNKNOWN_CHANNEL,
    "A webhook asked, and no person: only the channel that it wrote in can be used.",
)
GUILD_GONE = Denied(Reason.GUILD_GONE, "The bot is no longer in that server.")
AUTHOR_GONE = Denied(Reason.AUTHOR_GONE, "The person who asked is no longer in this server.")
NO_MESSAGES = Denied(
    Reason.NO_MESSAGES,
    "That channel holds no messages itself; use one of its threads or channels.",
)
TIMED_OUT = Denied(Reason.AUTHOR_TIMED_OUT, "The person who asked is timed out and may only read.")
LOCKED = Denied(Reason.THREAD_LOCKED, "That thread is locked for the person who asked.")
ELSEWHERE = Denied(
    Reason.UNKNOWN_CHANNEL, "You can only ask for the server that the message came from."
)
NO_PERSON = Denied(Reason.BOT, "Only people are answered.")
NO_STANDING = Denied(Reason.NO_STANDING, "That is for those in charge alone.")
PAUSED = Denied(
    Reason.PAUSED,
    "An admin has paused Aurora here: nothing can be done now. Write your answer as text and end "
    "your turn; it is posted when the pause ends.",
)
AGENT_CHANGED = Denied(
    Reason.AGENT_CHANGED, "Another agent answers here now; you can do nothing more. End your turn."
)
AGE_RESTRICTED = Denied(
    Reason.AGE_RESTRICTED,
    "That channel is age-restricted, and the place you were asked in is not.",
)
WIDER = Denied(
    Reason.WIDER_AUDIENCE,
    "Not everybody there may read what this conversation is from, so nothing may be carried "
    "there. Answer where you were asked.",
)
NARROWER = Denied(
    Reason.NARROWER_AUDIENCE,
    "Not everybody who reads your answer here may read that channel, so it can't be read from "
    "here. The person can ask you there.",
)
MISSING = {
    Act.READ: Denied(Reason.MAY_NOT_READ, "The person who asked may not read the history there."),
    Act.SEND: Denied(Reason.MAY_NOT_SEND, "The person who asked may not write there."),
    Act.ATTACH: Denied(Reason.MAY_NOT_SEND, "The person who asked may not send files there."),
    Act.POLL: Denied(Reason.MAY_NOT_SEND, "The person who asked may not make polls there."),
    Act.START_THREAD: Denied(
        Reason.MAY_NOT_SEND, "The person who asked may not start threads there."
    ),
    Act.REACT: Denied(Reason.MAY_NOT_REACT, "The person who asked may not add reactions there."),
}

_READ = Place | discord.ForumChannel


def may(actor: Actor, act: Act, found: Found, here: Here) -> Allowed | Denied:
    """Answer whether an actor may do something; the first question that is denied is the answer.

    Args:
        actor: for whom it is done.
        act: what is to be done.
        found: what it is about.
        here: where it is done from.

    """
    for question in _questions(act):
        denied = question(actor, act, found, here)
        if denied is not None:
            return denied
    channel, holder = found.channel, actor.holder
    if not isinstance(channel, Place | discord.DMChannel):
        return Allowed()
    return Allowed(channel, holder is None or channel.permissions_for(holder).embed_links)


def _switch(_actor: Actor, _act: Act, _found: Found, here: Here) -> Denied | None:
    """Aurora is on here."""
    if here.shut is None:
        return None
    return Denied(here.shut, "Aurora has been switched off here. End your turn.")


def _run(actor: Actor, _act: Act, _found: Found, here: Here) -> Denied | None:
    """The agent is still the one that answers here, and may go on."""
    if actor.agent_id is not None and actor.agent_id != here.agent_id:
        return AGENT_CHANGED
    return PAUSED if here.paused else None


def _person(actor: Actor, _act: Act, _found: Found, _here: Here) -> Denied | None:
    """Whoever asks is a person."""
    return None if actor.person else NO_PERSON


def _presence(actor: Actor, _act: Act, _found: Found, here: Here) -> Denied | None:
    """The person is still there, and so is the bot."""
    if here.guild_id is not None and here.guild is None:
        return GUILD_GONE
    return AUTHOR_GONE if here.guild_id is not None and actor.holder is None else None


def _welcome(actor: Actor, _act: Act, _found: Found, _here: Here) -> Denied | None:
    """The person may use the bot."""
    if actor.barred is None:
        return None
    return Denied(actor.barred, "The person who asked may not use you here any more.")


def _answerable(actor: Actor, _act: Act, found: Found, here: Here) -> Denied | None:
    """The bot could write where it is asked, and who asks as everybody could, too."""
    if here.guild_id is None:
        return None
    if here.guild is None:
        return Denied(Reason.GUILD_LEFT, GUILD_GONE.text)
    if found.channel is None:
        return Denied(Reason.NO_ACCESS, UNKNOWN_CHANNEL.text)
    if not may_write(found.channel, here.guild.me):
        return Denied(Reason.CANNOT_SEND, "The bot may not write there.")
    if isinstance(actor.holder, discord.Role) and not may_write(found.channel, actor.holder):
        return MISSING[Act.SEND]
    return None


def _standing(actor: Actor, act: Act, _found: Found, _here: Here) -> Denied | None:
    """Whoever gives a command is in charge, and not silenced."""
    member = actor.member
    if member is not None and member.is_timed_out() and not member.guild_permissions.administrator:
        return TIMED_OUT
    return NO_STANDING if actor.standing < NEEDED[act] else None


def _sight(actor: Actor, act: Act, found: Found, here: Here) -> Denied | None:
    """Whatever it is about can be seen from here, and by the person."""
    if act is Act.LOOK and (here.guild_id is None or found.target.guild_id != here.guild_id):
        return ELSEWHERE
    channel, holder = found.channel, actor.holder
    if isinstance(holder, discord.Role) and (
        act not in _OF_WEBHOOKS or found.target.channel_id != _id(here.channel)
    ):
        return OUTSIDE_WEBHOOK
    if act not in IN_CHANNELS:
        return None
    if here.guild_id is None:
        return None if isinstance(channel, discord.DMChannel) else OUTSIDE_DM
    if act is Act.SEARCH and found.target.channel_id is None:
        # In which channels is asked for each of them.
        return None
    if channel is None or holder is None or not sees(holder, channel, guest=found.guest):
        return UNKNOWN_CHANNEL
    # A forum has nothing but threads.
    forum = isinstance(channel, discord.ForumChannel) and act in (Act.SEARCH, Act.THREADS)
    return None if isinstance(channel, Place) or forum else NO_MESSAGES


def _own_view(actor: Actor, act: Act, found: Found, _here: Here) -> Denied | None:
    """Nobody reaches with a command what they could not see themselves, but the bot's owner."""
    channel, member = found.channel, actor.member
    if found.target.channel_id is None:
        return None
    if actor.standing is Standing.OWNER and act in (Act.RUNS, Act.LIST, Act.RETRY):
        return None
    if member is None:
        return UNKNOWN_CHANNEL
    if channel is None:
        # It is gone, or it is an old thread: there is nothing that these can't see.
        return None if member.guild_permissions.administrator else UNKNOWN_CHANNEL
    return None if sees(member, channel, guest=found.guest) else UNKNOWN_CHANNEL


def _permissions(actor: Actor, act: Act, found: Found, _here: Here) -> Denied | None:
    """Whoever asked has the rights for it in that channel."""
    holder, channel, act = actor.holder, found.channel, TAKES_AS.get(act, act)
    if act not in IN_CHANNELS or holder is None or not isinstance(channel, _READ):
        return None
    allowed, member = channel.permissions_for(holder), actor.member
    if act is not Act.READ and member and member.is_timed_out() and not allowed.administrator:
        return TIMED_OUT
    write = allowed.send_messages
    if isinstance(channel, discord.Thread):
        write = allowed.send_messages_in_threads
        if channel.locked and act is not Act.READ and not allowed.manage_threads:
            return LOCKED
    granted = {
        Act.READ: allowed.read_message_history,
        Act.SEND: write,
        Act.ATTACH: write and allowed.attach_files,
        Act.POLL: write and allowed.send_polls,
        Act.START_THREAD: allowed.create_public_threads and allowed.send_messages_in_threads,
        Act.REACT: allowed.add_reactions and allowed.read_message_history,
    }
    return None if granted[act] else MISSING[act]


def _age(_actor: Actor, act: Act, found: Found, here: Here) -> Denied | None:
    """An age-restricted channel is reached from another such alone."""
    if act not in IN_CHANNELS or not _restricted(found.channel) or _restricted(here.channel):
        return None
    return AGE_RESTRICTED


def _pace(_actor: Actor, act: Act, found: Found, _here: Here) -> Denied | None:
    """Slowmode binds an agent as it does the person."""
    if act not in PACED or found.wait <= 0:
        return None
    return Denied(
        Reason.SLOWMODE,
        "That channel is in slowmode, and something was sent there for the same person. "
        f"It takes another message in {found.wait:.0f} seconds.",
    )


_OF_WEBHOOKS = (Act.READ, Act.SEND, Act.REACT)

_Question = Callable[[Actor, Act, Found, Here], Denied | None]
"""Returns why not, or None."""

# In order: of several answers the first counts.
_OF_ASKING: tuple[_Question, ...] = (_person, _switch, _welcome, _answerable)
_OF_RUNS: tuple[_Question, ...] = (
    _person,
    _presence,
    _welcome,
    _switch,
    _run,
    _sight,
    _permissions,
    _age,
    _pace,
)
_OF_COMMANDS: tuple[_Question, ...] = (
    _person,
    _presence,
    _welcome,
    _standing,
    _own_view,
    _permissions,
)


def _questions(act: Act) -> tuple[_Question, ...]:
    if act is Act.ASK:
        return _OF_ASKING
    return _OF_COMMANDS if act in NEEDED else _OF_RUNS


def _id(channel: Channel | None) -> int | None:
    return channel.id if channel is not None else None


def _restricted(channel: Channel | None) -> bool:
    return isinstance(channel, _READ) and channel.is_nsfw()
