"""What led to a message, followed back to where it began."""

from __future__ import annotations

import discord
import pytest

from aurora.context import extract_reply_chain
from aurora.context.chain import walk
from tests.support.chains import build, replies, said
from tests.support.payloads import (
    Rest,
    TeaHouse,
    snapshot,
    snowflake,
)


async def test_a_cached_chain_causes_no_rest_call(world: TeaHouse, served: Rest) -> None:
    """What discord.py knows is not asked for again."""
    messages = replies(world, 6, cached=True)
    chain, end = await extract_reply_chain(messages[-1], 5)
    assert said(chain) == ["m0", "m1", "m2", "m3", "m4"]
    assert (end, served.calls) == (None, [])


async def test_a_resolved_parent_causes_no_rest_call(world: TeaHouse, served: Rest) -> None:
    """Discord sends the parent along with a reply."""
    chain, _ = await extract_reply_chain(replies(world, 2)[-1], 1)
    assert (said(chain), served.calls) == (["m0"], [])


async def test_what_is_not_cached_is_fetched(world: TeaHouse, served: Rest) -> None:
    """Oldest first; every message brings its parent along, so every second call is saved."""
    chain, end = await extract_reply_chain(replies(world, 5)[-1], 5)
    assert said(chain) == ["m0", "m1", "m2", "m3"]
    assert (end, len(served.calls)) == (None, 2)


async def test_the_depth_bounds_chain_and_calls(world: TeaHouse, served: Rest) -> None:
    """And the agent is told that there is more."""
    chain, end = await extract_reply_chain(replies(world, 6)[-1], 2)
    assert said(chain) == ["m3", "m4"]
    assert (end, len(served.calls)) == ("depth", 1)


async def test_a_chain_of_just_the_depth_is_complete(world: TeaHouse) -> None:
    """Nothing is missing, so nothing is said to be."""
    assert (await extract_reply_chain(replies(world, 3, cached=True)[-1], 2))[1] is None


async def test_a_parent_deleted_before_the_reply_ends_the_chain(world: TeaHouse) -> None:
    """Discord says so at once; nothing is asked."""
    message = world.message("hi", reply_to=snowflake(), resolved="deleted")
    assert await extract_reply_chain(message, 5) == ([], "deleted")


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "deleted"), (403, "forbidden"), (503, "unavailable")]
)
async def test_a_parent_that_cannot_be_had_ends_the_chain_with_a_reason(
    world: TeaHouse, served: Rest, status: int, reason: str
) -> None:
    """What was found until then is kept."""
    messages = replies(world, 3)
    served.refuse[messages[0].id] = status
    chain, end = await extract_reply_chain(messages[-1], 5)
    assert (said(chain), end) == (["m1"], reason)


async def test_an_outage_of_discord_costs_a_bounded_time(world: TeaHouse, served: Rest) -> None:
    """discord.py would go on trying for half a minute."""
    messages = replies(world, 3)
    served.refuse[messages[0].id] = 502
    found, end = await walk(messages[-1], 5, seconds=0.05)
    assert ([one.content for one in found], end) == (["m1"], "unavailable")


async def test_a_parent_in_another_channel_is_not_followed(world: TeaHouse, served: Rest) -> None:
    """A cross-post or a crafted reference must not bring in what stands elsewhere."""
    secret = world.message("secret", channel="staff", cached=True)
    reference = {"message_id": str(secret.id), "channel_id": str(secret.channel.id)}
    message = world.message("hi", message_reference=reference)
    assert await extract_reply_chain(message, 5) == ([], "elsewhere")
    assert served.calls == []


async def test_a_reference_without_a_message_is_no_parent(world: TeaHouse) -> None:
    """Some system messages refer to a channel alone."""
    reference = {"channel_id": str(world.ids["general"])}
    assert await extract_reply_chain(world.message("hi", message_reference=reference), 5) == (
        [],
        None,
    )


async def test_a_circle_of_replies_ends(world: TeaHouse) -> None:
    """Discord makes none; a crafted payload could."""
    first = world.message("a", cached=True)
    second = world.message("b", reply_to=first, cached=True)
    first.reference = discord.MessageReference.from_message(second)
    chain, end = await extract_reply_chain(second, 10)
    assert (said(chain), end) == (["a"], "cycle")


async def test_a_thread_begins_with_the_message_it_was_started_from(
    world: TeaHouse, served: Rest
) -> None:
    """Starter, its own ancestors and the replies within stand in the order they were written."""
    origin = world.message("origin")
    world.message("starter", id=str(world.ids["thread"]), reply_to=origin)
    inside = world.message("inside", channel="thread")
    message = world.message("now", channel="thread", reply_to=inside)
    chain, end = await extract_reply_chain(message, 5)
    assert (said(chain), end) == (["origin", "starter", "inside"], None)
    assert served.calls == [str(world.ids["thread"])]


async def test_the_stand_in_for_a_thread_starter_is_passed_through(world: TeaHouse) -> None:
    """The empty message at the top of a thread points to the real one."""
    starter = world.message("starter", id=str(world.ids["thread"]), cached=True)
    reference = {"message_id": str(starter.id), "channel_id": str(world.ids["general"])}
    top = world.message(channel="thread", type=21, message_reference=reference, cached=True)
    message = world.message("now", channel="thread", reply_to=top)
    assert said((await extract_reply_chain(message, 5))[0]) == ["starter"]


async def test_a_forum_post_begins_with_its_first_message(world: TeaHouse, served: Rest) -> None:
    """It stands in the post itself, under the post's id."""
    world.message("question", channel="post", id=str(world.ids["post"]))
    chain, end = await extract_reply_chain(world.message("now", channel="post"), 5)
    assert (said(chain), end) == (["question"], None)
    assert len(served.calls) == 1


@pytest.mark.parametrize("channel", ["thread", "post"])
async def test_a_thread_without_a_starter_is_complete(
    world: TeaHouse, served: Rest, channel: str
) -> None:
    """Deleted, or never there: nobody replied to it, nothing is lost."""
    assert await extract_reply_chain(world.message("now", channel=channel), 5) == ([], None)
    assert len(served.calls) == 1


async def test_a_starter_that_may_not_exist_is_not_promised(world: TeaHouse) -> None:
    """When the depth is used up within a thread, nobody knows whether there is more."""
    inside = world.message("inside", channel="thread")
    message = world.message("now", channel="thread", reply_to=inside)
    assert (await extract_reply_chain(message, 1))[1] is None


async def test_a_private_thread_is_not_searched_for_a_starter(
    world: TeaHouse, served: Rest
) -> None:
    """It never has one."""
    assert await extract_reply_chain(world.message("now", channel="private"), 5) == ([], None)
    assert served.calls == []


async def test_a_thread_whose_parent_is_unknown_is_no_obstacle(world: TeaHouse) -> None:
    """The bot may be in a thread and not see the channel around it."""
    world.thread("orphan", parent_id=str(snowflake()))
    context = await build(world, world.message("now", channel="orphan"))
    assert context["place"]["channel_name"] == "orphan"
    assert context["chain"] == []


def deny_history(world: TeaHouse, channel: str = "general", *more: str) -> None:
    """Let nobody but moderators read what was said before in a channel."""
    everyone = discord.PermissionOverwrite(**dict.fromkeys(["read_message_history", *more], False))
    mods = discord.PermissionOverwrite(read_message_history=True)
    place = world.channel(channel)
    place._overwrites = [
        discord.abc._Overwrites(
            {"id": world.roles[role], "type": 0, "allow": str(rule.pair()[0].value),
             "deny": str(rule.pair()[1].value)}
        )
        for role, rule in (("everyone", everyone), ("mods", mods))
    ]  # fmt: skip


@pytest.mark.parametrize("cached", [True, False])
async def test_without_the_history_nothing_is_told_but_what_came_along(
    world: TeaHouse, served: Rest, cached: bool
) -> None:
    """The bot may read what the person who asks may not."""
    deny_history(world)
    chain, end = await extract_reply_chain(replies(world, 4, cached=cached)[-1], 5)
    assert (said(chain), end, served.calls) == (["m2"], "forbidden", [])


async def test_without_the_history_a_cached_parent_stays_unknown(
    world: TeaHouse, served: Rest
) -> None:
    """The bot's cache is no way round what Discord did not send along."""
    deny_history(world)
    secret = world.message("secret", cached=True)
    message = world.message("hi", reply_to=secret, resolved="absent")
    assert await extract_reply_chain(message, 5) == ([], "forbidden")
    assert served.calls == []


@pytest.mark.usefixtures("served")
async def test_who_may_read_the_history_gets_it(world: TeaHouse) -> None:
    """The right is that of whoever asks, not of the people who wrote before."""
    deny_history(world)
    parent = replies(world, 3)[-1]
    chain, end = await extract_reply_chain(world.message("q", author="mod", reply_to=parent), 5)
    assert (said(chain), end) == (["m0", "m1", "m2"], None)


@pytest.mark.parametrize("more", [(), ("view_channel",)])
@pytest.mark.parametrize("cached", [True, False])
async def test_a_starter_in_a_closed_channel_stays_there(
    world: TeaHouse, served: Rest, more: tuple[str, ...], cached: bool
) -> None:
    """Neither from the cache nor over REST: the thread goes on from what is not theirs to read."""
    world.message("starter", id=str(world.ids["thread"]), cached=cached)
    deny_history(world, "general", *more)
    message = world.message("now", channel="thread")
    assert await extract_reply_chain(message, 5) == ([], "forbidden")
    assert served.calls == []


@pytest.mark.usefixtures("served")
async def test_a_direct_message_has_no_rights_to_ask_for(world: TeaHouse) -> None:
    """Both people see all of it."""
    channel = snowflake()
    first = world.message("m0", channel=channel, dm=True)
    second = world.message("m1", channel=channel, dm=True, reply_to=first)
    third = world.message("m2", channel=channel, dm=True, reply_to=second)
    assert said((await extract_reply_chain(third, 5))[0]) == ["m0", "m1"]


async def test_a_forward_is_not_taken_for_a_reply(world: TeaHouse) -> None:
    """Its reference points to where the message came from."""
    reference = {"type": 1, "message_id": "1", "channel_id": str(world.ids["general"])}
    message = world.message(message_reference=reference, message_snapshots=[snapshot("x")])
    assert await extract_reply_chain(message, 5) == ([], None)


async def test_an_edit_is_seen_in_the_chain(world: TeaHouse) -> None:
    """The cache knows of it, the copy that came with the reply does not."""
    parent = world.message("old", cached=True)
    message = world.message("what?", reply_to=parent)
    changed = world.sent[parent.id] | {"content": "new"}
    world.state.parse_message_update(changed)  # type: ignore[arg-type]
    assert said((await extract_reply_chain(message, 5))[0]) == ["new"]


@pytest.mark.usefixtures("served")
async def test_what_was_deleted_since_is_not_shown(world: TeaHouse) -> None:
    """A cached reply still carries its parent as it was; deleted means deleted."""
    secret = world.message("secret", cached=True)
    reply = world.message("reply", reply_to=secret, cached=True)
    question = world.message("question", reply_to=reply)
    world.delete(secret)
    chain, end = await extract_reply_chain(question, 5)
    assert (said(chain), end) == (["reply"], "deleted")
