"""Messages become plain data: who, where, what, and what led to it."""

from __future__ import annotations

import json

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aurora.context as context_module
from aurora.context import (
    CHAIN_CHARS,
    CHAIN_MESSAGE_CHARS,
    MESSAGE_CHARS,
    extract_message_metadata,
    extract_reply_chain,
    quote,
)
from tests.support.chains import build
from tests.support.payloads import (
    TeaHouse,
    attachment,
    snapshot,
    snowflake,
    user_payload,
)

# As an alphabet of st.text the rare ones would hardly ever come up.
LETTERS = st.characters() | st.sampled_from("\ud83d\ude00\x00\u2028")
TEXTS = st.lists(LETTERS, min_size=1, max_size=30).map("".join)


def test_the_formatting_functions_are_found_here_too() -> None:
    """The pure functions live in `transcript`; their names are promised for `context`."""
    assert callable(context_module.format_reply_chain)
    assert callable(context_module.format_metadata_for_prompt)


def test_an_author_without_a_global_name_works(world: TeaHouse) -> None:
    """The commonest account of all has none."""
    author = extract_message_metadata(world.message("hi"))["author"]
    assert (author["display_name"], author["global_name"]) == ("ann", None)


@pytest.mark.parametrize(
    ("channel", "kind", "parent"),
    [
        ("general", "text", None),
        ("voice", "voice", None),
        ("stage", "stage_voice", None),
        ("thread", "public_thread", "general"),
        ("private", "private_thread", "general"),
        ("post", "public_thread", "forum"),
    ],
)
def test_every_kind_of_place_is_named(
    world: TeaHouse, channel: str, kind: str, parent: str | None
) -> None:
    """Text, voice and stage channels, threads of both kinds, forum posts."""
    place = extract_message_metadata(world.message("hi", channel=channel))["place"]
    assert (place["channel_name"], place["type"], place["parent_name"]) == (channel, kind, parent)
    assert place["guild_name"] == "Tea house"


def test_a_direct_message_has_no_guild(world: TeaHouse) -> None:
    """And is called what it is."""
    place = extract_message_metadata(world.message("hi", channel=snowflake(), dm=True))["place"]
    assert (place["guild_id"], place["type"]) == (None, "private")


def test_a_channel_that_is_not_cached_is_no_obstacle(world: TeaHouse) -> None:
    """An archived thread is known by its id alone."""
    place = extract_message_metadata(world.message("hi", channel=snowflake()))["place"]
    assert (place["channel_name"], place["type"]) == ("unknown", "unknown")


def test_mentions_are_readable_and_keep_what_addresses_them(world: TeaHouse) -> None:
    """The name tells who is meant, the token is what pings."""
    bob, mods, voice = world.id("bob"), world.roles["mods"], world.ids["voice"]
    message = world.message(f"<@{bob}> <@!{bob}> <@&{mods}> <#{voice}> <@123456789012345678>")
    assert quote(message, limit=1000)["content"] == (
        f"@Bob <@{bob}> @Bob <@!{bob}> @mods <@&{mods}> #voice <#{voice}> <@123456789012345678>"
    )


async def test_mentioned_people_roles_and_channels_come_with_their_ids(world: TeaHouse) -> None:
    """The bot itself and its role are left out; whom nobody knows is addressable all the same."""
    bob, mods, voice = world.id("bob"), world.roles["mods"], world.ids["voice"]
    message = world.message(
        f"<@{world.me.id}> <@&{world.roles['aurora']}> <@{bob}> <@123456789012345678> "
        f"<@&{mods}> <#{voice}>"
    )
    assert (await build(world, message))["mentions"] == {
        "users": [
            {"id": str(bob), "name": "Bob"},
            {"id": "123456789012345678", "name": "unknown user"},
        ],
        "roles": [{"id": str(mods), "name": "mods"}],
        "channels": [{"id": str(voice), "name": "voice"}],
    }


async def test_a_channel_the_author_cannot_see_keeps_its_name(world: TeaHouse) -> None:
    """Asking the agent must not reveal what Discord hides."""
    context = await build(world, world.message(f"what is <#{world.ids['staff']}>?"))
    assert "staff" not in json.dumps(context)
    assert context["mentions"]["channels"][0]["id"] == str(world.ids["staff"])


@pytest.mark.parametrize(("where", "named"), [("general", False), ("staff", True)])
def test_a_channel_is_named_where_everybody_sees_it(
    world: TeaHouse, where: str, named: bool
) -> None:
    """A mod may see it, and others in #general read what the agent makes of it."""
    message = world.message(f"see <#{world.ids['staff']}>", author="mod", channel=where)
    assert ("#staff" in quote(message, limit=100)["content"]) is named


async def test_another_private_thread_keeps_its_name(world: TeaHouse) -> None:
    """Who is in it can't be told, so nobody is."""
    world.thread("plot", type=12)
    context = await build(world, world.message(f"what is <#{world.ids['plot']}>?"))
    assert "plot" not in json.dumps(context)


async def test_what_stands_in_the_chain_reveals_no_hidden_channel_either(world: TeaHouse) -> None:
    """The names shown are those that the person who asks could see."""
    parent = world.message(f"see <#{world.ids['staff']}>", author="mod", cached=True)
    context = await build(world, world.message("what?", reply_to=parent))
    assert "staff" not in json.dumps(context)


def test_a_long_message_is_cut_and_says_so(world: TeaHouse) -> None:
    """4,000 backticks stay whole, more do not."""
    assert quote(world.message("`" * MESSAGE_CHARS), limit=MESSAGE_CHARS)["cut"] == 0
    long = quote(world.message("x" * 60), limit=50)
    assert (len(long["content"]), long["cut"]) == (50, 10)


async def test_a_chain_is_cut_as_a_whole_and_the_nearest_win(world: TeaHouse) -> None:
    """Ten long messages do not add up without limit, and none disappears."""
    messages: list[discord.Message] = []
    for _ in range(11):
        to = messages[-1] if messages else None
        messages.append(world.message("x" * 1500, reply_to=to, cached=True))
    chain, _ = await extract_reply_chain(messages[-1], 10)
    assert len(chain) == 10
    assert sum(len(one["content"]) for one in chain) == CHAIN_CHARS
    assert len(chain[-1]["content"]) == CHAIN_MESSAGE_CHARS
    assert all(len(one["content"]) + one["cut"] == 1500 for one in chain)


async def test_extras_count_for_the_size_of_a_chain(world: TeaHouse) -> None:
    """What does not fit is counted."""
    to: discord.Message | None = None
    for _ in range(7):
        shot = snapshot("y" * 1900)
        to = world.message("x", reply_to=to, cached=True, message_snapshots=[shot])
    assert to is not None
    chain, _ = await extract_reply_chain(to, 10)
    assert chain[0]["extras"] == ["and 1 more not shown"]
    assert sum(len(extra) for one in chain for extra in one["extras"]) < CHAIN_CHARS + 200


async def test_a_payload_without_components_is_no_obstacle(world: TeaHouse) -> None:
    """discord.py leaves the attribute unset where Discord leaves the key out."""
    message = world.message("hi")
    assert not hasattr(message, "components")
    assert (await build(world, message))["message"]["extras"] == []


@settings(max_examples=60)
@given(content=TEXTS, name=TEXTS)
async def test_a_context_survives_json_and_utf8_unchanged(content: str, name: str) -> None:
    """Whatever Discord lets through, half surrogate pairs included."""
    world = TeaHouse()
    world.people["odd"] = user_payload(name, global_name=name)
    parent = world.message(content, author="odd", cached=True)
    message = world.message(
        f"<@{world.id('odd')}> {content}",
        author="odd",
        reply_to=parent,
        attachments=[attachment(name, description=content)],
        message_snapshots=[snapshot(content)],
    )
    context = await build(world, message)
    assert (len(context["chain"]), len(context["mentions"]["users"])) == (1, 1)
    assert json.loads(json.dumps(context, ensure_ascii=False).encode()) == context


@pytest.mark.parametrize("code", ["`{}`", "``{}``", "```py\nping('{}')\n```"])
async def test_who_stands_in_code_is_not_mentioned(world: TeaHouse, code: str) -> None:
    """The code arrives as it was written, and the answer pings nobody for it."""
    bob, guest = f"<@{world.id('bob')}>", "<@123456789012345678>"
    text = f"why does {code.format(bob)} fail, {guest}?"
    context = await build(world, world.message(text))
    assert [one["id"] for one in context["mentions"]["users"]] == ["123456789012345678"]
    assert code.format(bob) in context["message"]["content"]
