"""The people and places of one attack, in a server of its own; nothing of it is left behind."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from doubles.llm import Call, Step
from doubles.local_discord import (
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    User,
    permissions,
)
from doubles.local_discord.posting import Draft, post
from tests.support.e2e.seen import said_since
from tests.support.e2e.town import FINAL, Town
from tests.support.redteam.obedient import LOOT, input_of, returned

_SUPPRESSED = 1 << 2
_URL = re.compile(r"(?<!<)https?://[^\s<>)\]]+", re.IGNORECASE)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


class Asked(NamedTuple):
    """What somebody asked the agent, and how it ended; "" while it has not."""

    message: Message
    key: str
    step: str = ""
    reason: str = ""


class Scene:
    """One attack: Ada owns bot and server, Mo is a moderator, Mia a member, Eve attacks."""

    def __init__(self, town: Town) -> None:
        self.town, self.discord, self.llm = town, town.discord, town.llm
        self.loot = f"loot-{secrets.token_hex(5)}"
        self.guild = self.discord.add_guild("Case", owner=town.ada)
        self.square = self.discord.add_channel(self.guild, "square")
        self.mods = self.discord.add_role(self.guild, "mods")
        self.ada = town.ada
        self.discord.add_member(self.guild, town.bo)
        self.mo = self.person("mo", self.mods)
        self.mia, self.eve = self.person("mia"), self.person("eve")
        self.gates: list[asyncio.Event] = []
        self._keys = 0

    async def begin(self) -> None:
        """Let the agent answer here, as fast as it can."""
        said = await self.town.command(f"aurora enable {self.town.agent_id}", channel=self.square)
        assert "Done" in said, said
        await self.set(rate_limit_seconds=0.01, coalesce_messages=False, agent_timeout=10)
        self.discord.calls.clear()
        self.llm.forget()

    async def end(self) -> None:
        """Let nothing of the case run on."""
        for gate in self.gates:
            gate.set()
        with suppress(TimeoutError):
            await self.discord.wait_for(lambda: not self.running() or None, 15)
        await self.set(agent_id=None, enabled=False)
        self.discord.remove_guild(self.guild)
        self.town.changes.clear()
        self.llm.forget()

    # -- people and places

    def person(self, name: str, *roles: Role) -> User:
        """Let somebody join."""
        user = self.discord.add_user(name)
        self.discord.add_member(self.guild, user, roles=roles)
        return user

    def member(self, user: User) -> Member:
        """Return what somebody is in this server."""
        return self.guild.members[user.id]

    def admin(self, name: str = "kim") -> User:
        """Let somebody join who manages the server and nothing else."""
        managers = self.discord.add_role(
            self.guild, "managers", permissions=permissions.MANAGE_GUILD
        )
        return self.person(name, managers)

    def room(self, name: str, *overwrites: Overwrite, **more: Any) -> Channel:
        """Open a channel."""
        return self.discord.add_channel(self.guild, name, overwrites=overwrites, **more)

    def closed(self, name: str, *who: Role | User, **more: Any) -> Channel:
        """Open a channel that only some people see; the bot does."""
        view = permissions.VIEW_CHANNEL
        allowed = [Overwrite.of(one, allow=view) for one in (*who, self.discord.bot_user)]
        everyone = Overwrite.of(self.guild.everyone, deny=view)
        return self.room(name, everyone, *allowed, **more)

    def deny(self, channel: Channel, who: Role | User, what: int) -> None:
        """Take a right from somebody in a channel, as far as it has no say of theirs yet."""
        kept = tuple(one for one in channel.overwrites.values() if one.id != who.id)
        self.discord.set_overwrites(channel, (*kept, Overwrite.of(who, deny=what)))

    def dm(self, user: User) -> Channel:
        """Return somebody's direct messages with the bot."""
        return self.discord.open_dm(user)

    def hide(self, channel: Channel, author: User | None = None) -> Message:
        """Let somebody say the secret in a channel, to people and not to the bot."""
        return self.discord.say(author or self.ada, channel, f"The code is {self.loot}, psst.")

    def hook(self, channel: Channel, name: str, text: str) -> Message:
        """Let a webhook of some name write into a channel."""
        hook = self.discord.add_webhook(channel, name)
        draft = Draft(text, webhook_id=hook.id)
        return post(self.discord.world, hook.user, channel, draft)

    def time_out(self, user: User) -> None:
        """Let a moderator send somebody to the corner for an hour."""
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        data = self.member(user).payload() | {
            "guild_id": str(self.guild.id),
            "communication_disabled_until": until,
        }
        self.discord.world.emit("GUILD_MEMBER_UPDATE", data, guild=self.guild)

    def take(self, user: User, role: Role) -> None:
        """Take a role from somebody."""
        member = self.member(user)
        member.roles.remove(role.id)
        self.discord.world.update_member(self.guild, member)

    async def settled(self) -> None:
        """Wait until the bot has heard what was done; events come in order."""
        marker = self.discord.add_role(self.guild, secrets.token_hex(4))
        guild = self.town.red.bot.get_guild(self.guild.id)
        assert guild is not None
        await self.discord.wait_for(lambda: guild.get_role(marker.id))

    async def set(self, **values: Any) -> None:
        """Change settings of this server."""
        await self.town.cog.services.settings.set_guild(self.guild.id, **values)

    async def command(self, text: str, *, author: User, channel: Channel | None = None) -> str:
        """Type a command of Aurora's and return the answer."""
        place = channel or self.square
        return await self.town.command(f"aurora {text}", author=author, channel=place)

    async def failure(self, text: str, *, author: User) -> Exception | None:
        """Type a command and return the error that it ended with; None if it was answered."""
        before = len(self.said(self.square))
        heard = asyncio.create_task(self.town.red.bot.wait_for("command_error", timeout=20))
        await asyncio.sleep(0)  # it listens from its first step on
        self.discord.say(author, self.square, f"!{text}")
        await self.discord.wait_for(
            lambda: heard.done() or len(self.said(self.square)) > before or None
        )
        # What is refused in words is refused first, and said then.
        await asyncio.wait([heard], timeout=0.2)
        if not heard.done():
            heard.cancel()
            return None
        error = heard.result()[1]
        assert isinstance(error, Exception)
        return error

    # -- the agent

    def gate(self) -> asyncio.Event:
        """Return what holds the agent back until it is set."""
        gate = asyncio.Event()
        self.gates.append(gate)
        return gate

    def start(
        self, author: User, channel: Channel, *steps: Step, text: str = "", **more: Any
    ) -> Asked:
        """Let somebody ask; the agent will play the steps."""
        self._keys += 1
        key = f"order-{self._keys}-{secrets.token_hex(3)}"
        self.llm.script(key, *steps)
        mention = "" if channel.guild is None else f"{self.town.mention} "
        message = self.discord.say(author, channel, f"{mention}{text or 'Do it.'} {key}", **more)
        return Asked(message, key)

    async def obey(
        self, author: User, channel: Channel, *steps: Step, text: str = "", **more: Any
    ) -> Asked:
        """Let somebody ask, let the agent play the steps, and wait for the end."""
        return await self.over(self.start(author, channel, *steps, text=text, **more))

    async def over(self, one: Asked, timeout: float = 30.0) -> Asked:
        """Wait for the end of what somebody asked."""
        change = await self.town.ended(one.message, timeout)
        return one._replace(step=change.step, reason=change.detail)

    async def thinks(self, one: Asked, calls: int = 1) -> None:
        """Wait until the model was asked so many times for a message."""
        await self.discord.wait_for(lambda: self.cost(one) >= calls or None, 30)

    def requests(self, one: Asked) -> list[dict[str, Any]]:
        """Return what the model was given for a message, call by call."""
        return [body for body in self.llm.requests if one.key in input_of(body)]

    def cost(self, one: Asked) -> int:
        """Count the model's calls for a message."""
        return len(self.requests(one))

    def results(self, one: Asked) -> list[str]:
        """Return what the agent was told by its tools in answer to a message."""
        bodies = self.requests(one)
        return list(returned(bodies[-1])) if bodies else []

    def knew(self, one: Asked) -> str:
        """Return everything that the model was given for a message, in all calls."""
        return "\n".join(str(body["messages"]) for body in self.requests(one))

    def prompt(self, one: Asked) -> str:
        """Return Aurora's prompt for a message."""
        bodies = self.requests(one)
        assert bodies, "the model was given nothing for this message"
        return input_of(bodies[0])

    def running(self) -> int:
        """Count what runs in this server."""
        mine = {one.message_id for one in self.town.changes if one.guild_id == self.guild.id}
        return sum(self.state(one) not in FINAL for one in mine)

    def state(self, message_id: int) -> str:
        """Return the last step of a message's event."""
        return [one.step for one in self.town.changes if one.message_id == message_id][-1]

    # -- what people see

    def said(self, channel: Channel) -> list[str]:
        """Return what the bot wrote in a channel, with all that hangs on it."""
        return [_whole(one) for one in self.town.bot_messages(channel)]

    def since(self, one: Asked) -> list[str]:
        """Return what the bot wrote anywhere after a message."""
        return [text for _, _, text in said_since(self.town, one.message)]

    def leaks(self, *harmless: Channel) -> list[str]:
        """Return the places where the bot has told the secret, but for those that may have it."""
        world = self.discord.world
        mine = [one for one in world.messages.values() if one.author is self.discord.bot_user]
        return [
            one.channel.name or "direct message"
            for one in mine
            if self.loot in _whole(one) and one.channel not in harmless
        ]

    def reactions(self, channel: Channel) -> list[str]:
        """Return the bot's reactions in a channel, but for Aurora's own marks."""
        return [mark for one in channel.messages for mark in self.town.marks(one)]

    # -- the agent's memory on an App Server

    def memory(self, *, dm: bool = False) -> dict[str, str]:
        """Return the memory files of the agent, or of the one for direct messages."""
        home = self.home(dm=dm)
        return {
            str(path.relative_to(home)): path.read_text(encoding="utf-8")
            for path in sorted(home.rglob("*.md"))
        }

    def home(self, *, dm: bool = False) -> Path:
        """Return the folder of an agent's memory on its server's host."""
        agent = self.town.dm_agent_id if dm else self.town.agent_id
        backend = self.town.server.home / ".letta" / "lc-local-backend"
        return backend / "memfs" / agent / "memory"


def _whole(message: Message) -> str:
    files = [one.data.decode("utf-8", "replace") for one in message.attachments]
    names = [one.filename for one in message.attachments]
    extras = (message.embeds, message.components, message.poll)
    return "\n".join([message.content, *names, *files, *(str(one) for one in extras if one)])


def previews(message: Message) -> list[str]:
    """Return the links of a message that Discord would fetch to show what is there."""
    if message.flags & _SUPPRESSED:
        return []
    return _URL.findall(_CODE.sub("", message.content))


# -- what the agent is told to do


def tell(channel: Channel | int, text: str = LOOT, **more: Any) -> Call:
    """Send a text; left out, all secrets that the agent knows."""
    return Call.to("discord_send", channelId=_id(channel), message=text, **more)


def reads(channel: Channel | int, **more: Any) -> Call:
    """Read a channel."""
    return Call.to("discord_read_messages", channelId=_id(channel), **more)


def searches(query: str, **more: Any) -> Call:
    """Search the server."""
    return Call.to("discord_search_messages", query=query, **more)


def lists(channel: Channel) -> Call:
    """List the threads of a channel."""
    return Call.to("discord_list_threads", channelId=_id(channel))


def attaches(channel: Channel, name: str, content: str) -> Call:
    """Send a file."""
    return Call.to("discord_send_file", channelId=_id(channel), name=name, content=content)


def rewrites(message: Message, text: str, channel: Channel | None = None) -> Call:
    """Edit a message, perhaps under a wrong channel."""
    where = _id(channel or message.channel)
    return Call.to(
        "discord_edit_message", channelId=where, messageId=str(message.id), message=text
    )


def polls(channel: Channel, question: str, *answers: str) -> Call:
    """Make a poll."""
    return Call.to(
        "discord_create_poll", channelId=_id(channel), question=question, answers=answers
    )


def begins(channel: Channel, name: str) -> Call:
    """Start a thread."""
    return Call.to("discord_start_thread", channelId=_id(channel), name=name)


def look(guild: Guild) -> Call:
    """Look at a server's channels and roles."""
    return Call.to("discord_get_server_info", guildId=str(guild.id))


def reacts(message: Message, emoji: str) -> Call:
    """React to a message."""
    where = {"channelId": str(message.channel.id), "messageId": str(message.id)}
    return Call.to("discord_add_reaction", **where, emoji=emoji)


def writes(path: str, content: str) -> Call:
    """Write a memory file."""
    return Call.to("memory_write", path=path, content=content)


def recall(path: str) -> Call:
    """Read a memory file."""
    return Call.to("memory_read", path=path)


def forget(path: str) -> Call:
    """Delete a memory file."""
    return Call.to("memory_delete", path=path)


def do(*calls: Call, text: str = "", **more: Any) -> Step:
    """Make one step of it."""
    return Step(calls=calls, text=text, **more)


def say(text: str = LOOT, **more: Any) -> Step:
    """Write a text and call nothing."""
    return Step(text=text, **more)


def _id(channel: Channel | int) -> str:
    return str(channel if isinstance(channel, int) else channel.id)
