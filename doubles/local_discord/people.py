"""What people do; they are held to their permissions as the bot is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from . import (
    permissions,
    posting,
    reacting,
    threads,
)
from .emojis import reaction_key
from .errors import ApiError
from .message import AllowedMentions, Attachment, Message
from .model import (
    Channel,
    Guild,
    Payload,
    User,
)
from .posting import Draft
from .world import World

_LONGEST = 4000  # with Nitro; the bot has 2000


class PermissionDeniedError(PermissionError):
    """A person cannot do this here."""


class People:
    """The hands of everybody who is not the bot.

    Args:
        world: Where they live.
        keep_file: Keeps an uploaded file and returns the attachment.

    """

    def __init__(self, world: World, keep_file: Callable[[str, bytes], Attachment]) -> None:
        self._world = world
        self._keep_file = keep_file

    def need(self, user: User, channel: Channel, wanted: int, what: str) -> None:
        """Raise PermissionError if a person lacks a right in a channel."""
        if channel.deleted:
            raise LookupError(f"channel {channel.name!r} is deleted")
        if not self._world.may(user, channel, permissions.VIEW_CHANNEL | wanted):
            raise PermissionDeniedError(f"{user.name} may not {what} in #{channel.name}")

    def say(
        self,
        author: User,
        channel: Channel,
        content: str = "",
        *,
        reply_to: Message | None = None,
        ping: bool = True,
        attachments: Sequence[Attachment | tuple[str, bytes]] = (),
        embeds: Sequence[Payload] = (),
        stickers: Sequence[str] = (),
        poll: Payload | None = None,
        forward: Message | None = None,
    ) -> Message:
        """Send a message as a person (or as another bot).

        Args:
            author: Who writes.
            channel: Where.
            content: The text, at most 4,000 characters.
            reply_to: The message it answers.
            ping: Whether the author of that message is mentioned by it.
            attachments: Files as (name, bytes), or attachments of other messages.
            embeds: As the API words them; people get them from links, bots write them.
            stickers: Names.
            poll: As the API words it; see `poll` of this package for a short way.
            forward: A message to forward.

        Raises:
            PermissionError: The author may not write there.
            ValueError: There is nothing to send, or too much.

        """
        self._check_writing(author, channel, with_files=bool(attachments))
        if len(content) > _LONGEST:
            raise ValueError(f"a message has at most {_LONGEST} characters, not {len(content)}")
        if not (content.strip() or attachments or embeds or stickers or poll or forward):
            raise ValueError("there is nothing to send")
        if reply_to is not None and (reply_to.deleted or reply_to.channel is not channel):
            raise ValueError("a reply needs a message that is still there, in the same channel")
        draft = Draft(
            content=content,
            embeds=list(embeds),
            attachments=[self._attachment(item) for item in attachments],
            stickers=[
                {"id": str(self._world.ids.new()), "name": name, "format_type": 1}
                for name in stickers
            ],
            poll=poll,
            reply_to=reply_to,
            forward=forward,
            allowed=AllowedMentions(replied_user=ping),
        )
        return posting.post(self._world, author, channel, draft)

    def edit(self, message: Message, content: str) -> None:
        """Let the author of a message change its text."""
        posting.rewrite(self._world, message, content, AllowedMentions())
        posting.revised(self._world, message)

    def delete(self, message: Message) -> None:
        """Let the author of a message delete it."""
        posting.remove(self._world, [message])

    def bulk_delete(self, channel: Channel, messages: Sequence[Message]) -> None:
        """Let a moderator's bot delete messages at once."""
        own = [message for message in messages if message.channel is channel]
        posting.remove(self._world, own, bulk=True)

    def react(self, user: User, message: Message, emoji: str) -> None:
        """React to a message; `emoji` is the emoji itself, or ``name:id``.

        Raises:
            PermissionError: They may not.
            ValueError: There is no such emoji, or there are too many already.

        """
        self.need(user, message.channel, permissions.READ_MESSAGE_HISTORY, "react")
        try:
            reacting.add(self._world, user, message, self._key(emoji))
        except ApiError as error:
            kind = PermissionDeniedError if error.status == 403 else ValueError
            raise kind(f"{user.name} cannot react with {emoji}: {error}") from error

    def unreact(self, user: User, message: Message, emoji: str) -> None:
        """Take a reaction back."""
        reacting.remove(self._world, user, message, self._key(emoji))

    def start_typing(self, user: User, channel: Channel) -> None:
        """Show a person typing."""
        self.need(user, channel, permissions.SEND_MESSAGES, "write")
        self.show_typing(user, channel)

    def show_typing(self, user: User, channel: Channel) -> None:
        """Tell that somebody types; the caller has checked that they may."""
        data: dict[str, Any] = {
            "channel_id": str(channel.id),
            "user_id": str(user.id),
            "timestamp": int(time.time()),
        }
        if channel.guild is not None:
            data["guild_id"] = str(channel.guild.id)
            data["member"] = channel.guild.members[user.id].payload()
        self._world.emit("TYPING_START", data, guild=channel.guild, channel=channel)

    def start_thread(
        self,
        channel: Channel,
        name: str,
        *,
        owner: User,
        private: bool = False,
        message: Message | None = None,
    ) -> Channel:
        """Start a thread; from a message it gets that message's id."""
        needed = permissions.CREATE_PUBLIC_THREADS
        if private:
            needed = permissions.CREATE_PRIVATE_THREADS
        self.need(owner, channel, needed, "start a thread")
        return threads.start(
            self._world, channel, name, owner=owner, private=private, message=message
        )

    def start_post(self, forum: Channel, title: str, content: str, *, author: User) -> Channel:
        """Write a post in a forum."""
        self.need(author, forum, permissions.SEND_MESSAGES, "post")
        return threads.start_post(self._world, forum, title, Draft(content), author=author)[0]

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Let a moderator close a thread."""
        if thread.thread is None:
            raise ValueError(f"#{thread.name} is no thread")
        thread.thread.locked = locked
        posting.set_archived(self._world, thread, archived=True)

    def visible_channels(self, user: User, guild: Guild) -> list[Channel]:
        """Return the channels and active threads that a person sees."""
        places = [*guild.channels.values(), *guild.active_threads()]
        return [
            place for place in places if self._world.may(user, place, permissions.VIEW_CHANNEL)
        ]

    def _check_writing(self, author: User, channel: Channel, *, with_files: bool) -> None:
        self.need(author, channel, permissions.SEND_MESSAGES, "write")
        if with_files:
            self.need(author, channel, permissions.ATTACH_FILES, "attach files")
        if not channel.holds_messages:
            raise PermissionDeniedError(f"#{channel.name} takes no messages, only posts")
        if channel.thread is not None and channel.thread.locked:
            self.need(author, channel, permissions.MANAGE_THREADS, "write into the locked thread")

    def _attachment(self, item: Attachment | tuple[str, bytes]) -> Attachment:
        return item if isinstance(item, Attachment) else self._keep_file(*item)

    def _key(self, emoji: str) -> str:
        try:
            return reaction_key(emoji, list(self._world.guilds.values()))
        except ApiError as error:
            raise ValueError(f"there is no emoji {emoji!r}") from error


def poll(question: str, *answers: str, hours: int = 24, multiple: bool = False) -> Payload:
    """Word a poll as a message carries it."""
    return {
        "question": {"text": question},
        "answers": [
            {"answer_id": number, "poll_media": {"text": text}}
            for number, text in enumerate(answers, start=1)
        ],
        "expiry": (datetime.now(UTC) + timedelta(hours=hours)).isoformat(),
        "allow_multiselect": multiple,
        "layout_type": 1,
        "results": {"is_finalized": False, "answer_counts": []},
    }
