"""What an answer costs: calls of the model and tokens of prompts, by tool and by text."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from aurora.settings import GUILD_DEFAULTS
from doubles.llm import tokens
from doubles.local_discord import Channel, User
from sandbox.servers import Backend

from .figures import Figure
from .frames import overhead
from .freely import ASKING_FREELY
from .site import Site, open_site

_WAYS = ("tool", "text")
_WAY = "answer_way"
_SAME_TOOLS = frozenset(
    {
        *("discord_read_messages", "discord_send", "discord_add_reaction"),
        *("discord_get_server_info", "memory_list", "memory_read", "memory_write"),
        "memory_delete",
    }
)
"""Those that every commit offers; what others cost is told apart."""
_ENDED = {"answered", "declined", "failed", "cancelled", "expired"}
_ANSWER_SECONDS = 30.0

Request = dict[str, Any]


async def measure(mentions: int = 3) -> AsyncIterator[Figure]:
    """Mention the bot so often in a new channel, each way, before both kinds of servers."""
    alone = max(overhead("mention"), overhead("reply"), overhead("dm"))
    yield Figure("prompt_overhead_tokens", alone, "tokens")
    further = (overhead("mention", earlier=4) - overhead("mention")) / 4
    yield Figure("prompt_overhead_per_message_tokens", further, "tokens")
    for backend in Backend:
        server = backend.name.lower()
        # No real model and no real Discord: what is counted must not depend on either.
        async with open_site({}, backend) as site:
            for way in _WAYS:
                asked = await _answers(site, way, mentions)
                calls = sum(map(len, asked))
                spent = sum(_spent(one) for requests in asked for one in requests)
                yield Figure(f"{server}_calls_by_{way}", calls / mentions, "calls")
                yield Figure(f"{server}_tokens_by_{way}", round(spent / mentions), "tokens")
            for figure in _schemas(server, asked[-1][-1]):
                yield figure


async def _answers(site: Site, way: str, mentions: int) -> list[Sequence[Request]]:
    """Return what the model was asked for each of some mentions in a new channel."""
    guild, author = site.places.guild, site.newcomer(f"by-{way}")
    # A commit from before has one way alone, which its figures show for both.
    chosen = {_WAY: way} if _WAY in GUILD_DEFAULTS else {}
    await site.services.settings.set_guild(
        guild.id, rate_limit_seconds=0.5, **ASKING_FREELY, **chosen
    )
    channel = site.discord.add_channel(guild, f"tokens-{way}")
    return [await _asked(site, author, channel) for _ in range(mentions)]


async def _asked(site: Site, author: User, channel: Channel) -> Sequence[Request]:
    """Mention the bot, wait for the turn's end, and return what its model was asked for it."""
    ended = asyncio.ensure_future(
        site.bot.wait_for(
            "aurora_event",
            check=lambda change: change.channel_id == channel.id and change.step in _ENDED,
            timeout=_ANSWER_SECONDS,
        )
    )
    message, _ = site.mention(author, channel, "hello, could you help me with this?")
    if (change := await ended).step != "answered":
        raise SystemExit(f"The measurement is void: a mention ended as {change.step}.")
    assert site.stack.llm is not None  # noqa: S101 - the site was opened without a real model
    needle = f'Message ID: \\"{message.id}\\"'
    # What the server asks for itself, such as a title, is no call of the turn.
    return [
        one
        for one in site.stack.llm.requests
        if needle in json.dumps([said for said in one["messages"] if said["role"] == "user"][-1:])
    ]


def _spent(request: Request) -> int:
    """Count the tokens of a request with the tools that every commit offers."""
    schemas = [tool for tool in _tools(request) if tool["function"]["name"] in _SAME_TOOLS]
    return _tokens(request["messages"]) + _tokens(schemas)


def _schemas(server: str, request: Request) -> Iterator[Figure]:
    """Tell what each tool costs at each call, and all that not every commit offers."""
    price = {tool["function"]["name"]: _tokens(tool) for tool in _tools(request)}
    for name in sorted(price):
        yield Figure(f"{server}_schema_{name}_tokens", price[name], "tokens")
    new = sum(cost for name, cost in price.items() if name not in _SAME_TOOLS)
    yield Figure(f"{server}_new_tools_tokens", new, "tokens")


def _tools(request: Request) -> Sequence[dict[str, Any]]:
    return request.get("tools") or ()


def _tokens(part: object) -> int:
    return tokens(json.dumps(part, ensure_ascii=False))
