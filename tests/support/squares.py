"""Where people ask Aurora and see what it shows them; it is still there when an Aurora dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aurora.chat.fingerprints import Fingerprints
from aurora.chat.sender import nonce_for
from aurora.clock import Clock
from aurora.model import Event
from doubles.local_discord import Channel, Guild, LocalDiscord, Message, User
from doubles.local_discord.snowflakes import Snowflakes
from doubles.local_discord.world import Event as News
from tests.support.events import new_id

_MOST_PARTS = 12

ELSEWHERE = 77
"""A channel in which nobody asks."""


@dataclass(frozen=True)
class Post:
    """A message or mark of the bot's in Discord.

    `by` is "tool", "delivery", "notice", "progress" or "mark", and "mcp" for what Aurora has not
    sent. A progress line without its button has become the notice of the end.
    """

    by: str
    event_id: str
    key: str
    channel_id: int
    text: str


class _Ids(Snowflakes):
    """Ids from the same count as the events', so that they rise with everything that happens.

    What is made for an event that exists already is given the id that the event has it under.
    """

    def __init__(self) -> None:
        super().__init__()
        self.given: int | None = None
        self.latest = 0
        """The id of the latest message that was given one."""

    def new(self) -> int:
        """Return the next id, or the one that is given."""
        given, self.given = self.given, None
        if given is not None:
            return given
        self.latest = max(self.latest + 1, new_id())
        return self.latest


class Square:
    """A local Discord in which the places and people of events are made as events come.

    Its time is that of `clock`: after some minutes it recognises no nonce any more.
    """

    def __init__(self, clock: Clock) -> None:
        self.local = LocalDiscord(now=clock.time)
        self._ids = self.local.world.ids = _Ids()
        self._asked: dict[int, Event] = {}
        self._lines: dict[int, str] = {}
        self.local.world.listeners.append(self._note_line)

    def ask(self, event: Event) -> None:
        """Let somebody write the message of an event."""
        if event.message_id in self._asked:
            return
        author = self._person(event.author_id)
        channel = self._dm(event) if event.guild_id is None else self._channel(event, author)
        self._ids.given = event.message_id
        self._ids.latest = max(self._ids.latest, event.message_id)
        self.local.say(author, channel, f"<@{self.local.bot_user.id}> hello")
        self._asked[event.message_id] = event

    def delete(self, event: Event) -> None:
        """Let somebody delete the message of an event."""
        self.local.delete(self.local.world.messages[event.message_id])

    def reply(self, event: Event, text: str) -> None:
        """Let the bot reply past Aurora, as an agent's own tools do."""
        message = self.local.world.messages[event.message_id]
        self.local.say(self.local.bot_user, message.channel, text, reply_to=message)

    def when_posted(self, then: Callable[[], object]) -> None:
        """Do something whenever the bot has written a message, before it knows that it has."""
        me = str(self.local.bot_user.id)

        def hear(news: News) -> None:
            if news.name == "MESSAGE_CREATE" and news.data["author"]["id"] == me:
                then()

        self.local.world.listeners.append(hear)

    @property
    def posts(self) -> list[Post]:
        """Return all that the bot has shown: its messages, oldest first, and its marks."""
        world, me = self.local.world, self.local.bot_user
        mine = sorted(message_id for message_id, one in world.messages.items() if one.author is me)
        return [*(self._post(world.messages[one]) for one in mine), *self._marks()]

    def of(self, *by: str) -> list[str]:
        """Return the texts of some kinds."""
        return [post.text for post in self.posts if post.by in by]

    @property
    def delivered(self) -> list[str]:
        """Return the texts that Aurora delivered for its agent."""
        return self.of("delivery")

    @property
    def notices(self) -> list[str]:
        """Return what people were told."""
        return self.of("notice")

    @property
    def called_off(self) -> list[str]:
        """Return the events whose people see that nothing will come."""
        return [post.event_id for post in self.posts if post.text == "⏹️"]

    def _post(self, message: Message) -> Post:
        """Recognise a message by its nonce, which tells what it was sent for."""
        keys = ("delivery", "notice:end", "notice:outage")
        if (about := self._lines.get(message.id)) is not None:
            by, key = ("progress", "") if message.components else ("notice", "notice:end")
            return Post(by, about, key, message.channel.id, message.content)
        sent = f"send:{message.channel.id}:{Fingerprints().of(message.content)}"
        for part in range(_MOST_PARTS):
            for event in self._asked.values():
                for key in (*keys, sent):
                    if message.nonce == nonce_for(event.id, key, part):
                        by = "tool" if key is sent else key.split(":")[0]
                        return Post(by, event.id, key, message.channel.id, message.content)
        asked = self._asked.get(message.reference or 0)
        event_id = "" if asked is None else asked.id
        return Post("mcp", event_id, "", message.channel.id, message.content)

    def _note_line(self, news: News) -> None:
        """Remember a progress line, by its button; its nonce tells nobody anything."""
        rows = news.data.get("components") if news.name == "MESSAGE_CREATE" else None
        for row in rows or ():
            kind, _, event_id = row["components"][0]["custom_id"].rpartition(":")
            if kind == "aurora:stop":
                self._lines[int(news.data["id"])] = event_id

    def _marks(self) -> list[Post]:
        messages, me = self.local.world.messages, self.local.bot_user.id
        return [
            Post("mark", event.id, emoji, event.channel_id, emoji)
            for message_id, event in self._asked.items()
            if message_id in messages
            for emoji, users in messages[message_id].reactions.items()
            if me in users
        ]

    def _person(self, user_id: int) -> User:
        known = self.local.world.users.get(user_id)
        if known is None:
            self._ids.given = user_id
            known = self.local.add_user(f"person {user_id}")
        return known

    def _dm(self, event: Event) -> Channel:
        self._ids.given = event.channel_id
        return self.local.open_dm(self._person(event.author_id))

    def _channel(self, event: Event, author: User) -> Channel:
        guild = self._guild(event.guild_id or 0)
        if author.id not in guild.members:
            self.local.add_member(guild, author)
        return self._place(guild, event.channel_id)

    def _guild(self, guild_id: int) -> Guild:
        known = self.local.world.guilds.get(guild_id)
        if known is None:
            self._ids.given = guild_id
            known = self.local.add_guild(f"guild {guild_id}", owner=self.local.owner)
            self._place(known, ELSEWHERE)
        return known

    def _place(self, guild: Guild, channel_id: int) -> Channel:
        known = guild.channels.get(channel_id)
        if known is None:
            self._ids.given = channel_id
            known = self.local.add_channel(guild, f"channel {channel_id}")
        return known
