"""The exits of a conversation: by none does a word reach who could not read where it is from."""

from __future__ import annotations

import pytest

from aurora.guard.audience import Audiences
from aurora.guard.policy import NARROWER, WIDER
from aurora.reasons import REASONS, Reason
from aurora.tools.host import RunTools
from aurora.tools.offers import OFFER_CHARS
from doubles.local_discord import Channel, Overwrite, permissions
from tests.support.stage import Stage, react, send, together

SECRET = "the vault code is 1234"


@pytest.fixture
def staff(stage: Stage) -> Channel:
    """Let Ada, but not Bob, into the hidden channel, in which somebody wrote."""
    hide = Overwrite.of(stage.guild.everyone, deny=permissions.VIEW_CHANNEL)
    show = [
        Overwrite.of(one, allow=permissions.VIEW_CHANNEL)
        for one in (stage.ada, stage.local.bot_user)
    ]
    stage.local.set_overwrites(stage.hidden, (hide, *show))
    stage.local.say(stage.local.owner, stage.hidden, SECRET)
    return stage.hidden


async def read(tools: RunTools, channel: Channel) -> str:
    return (await tools.call("discord_read_messages", {"channelId": str(channel.id)})).text


async def test_a_tool_reads_nothing_that_others_here_may_not(stage: Stage, staff: Channel) -> None:
    """Ada could, but Bob reads what is answered in #general."""
    tools = stage.open(await stage.ask())
    assert await read(tools, staff) == NARROWER.text
    assert "Hello" not in await read(tools, stage.channel)


async def test_from_a_place_of_few_all_that_they_read_is_read(
    stage: Stage, staff: Channel
) -> None:
    """#general is for everybody, the staff too."""
    stage.local.say(stage.bob, stage.channel, "good morning")
    tools = stage.open(await stage.ask(staff))
    assert "good morning" in await read(tools, stage.channel)
    assert SECRET in await read(tools, staff)


async def test_a_text_is_not_sent_to_more_people(stage: Stage, staff: Channel) -> None:
    """Nor is that the end of the turn: what is written is delivered where it was asked for."""
    event = await stage.ask(staff)
    result = await send(stage.open(event), stage.channel, SECRET)
    assert result.is_error
    assert stage.answers(stage.channel) == []
    assert await stage.settle(event, SECRET) == Reason.DELIVERED
    assert [one.content for one in stage.answers(staff)][-1] == SECRET
    assert stage.answers(stage.channel) == []


async def test_a_reaction_is_not_sent_to_more_people(stage: Stage, staff: Channel) -> None:
    """An emoji is a word as well."""
    message = stage.local.say(stage.bob, stage.channel, "is it true?")
    tools = stage.open(await stage.ask(staff))
    arguments = {"channelId": str(stage.channel.id), "messageId": str(message.id), "emoji": "👍"}
    result = await tools.call("discord_add_reaction", arguments)
    assert (result.is_error, result.text) == (True, WIDER.text)
    assert message.reactions == {}


async def test_to_fewer_people_all_is_sent(stage: Stage, staff: Channel) -> None:
    """Whoever is staff could read it in #general."""
    result = await send(stage.open(await stage.ask()), staff, "somebody needs help in #general")
    assert not result.is_error


async def test_in_its_own_place_everything_passes(stage: Stage, staff: Channel) -> None:
    """Also where nothing else would: what is said there was asked there."""
    event = await stage.ask(staff)
    tools = stage.open(event)
    assert not (await send(tools, staff, "here you are")).is_error
    assert not (await react(tools, event, "👍")).is_error


async def test_a_list_names_what_everybody_here_sees(stage: Stage, staff: Channel) -> None:
    """A channel's name is a word, too."""
    question = {"guildId": str(stage.guild.id)}
    tools = stage.open(await stage.ask())
    assert "staff" not in (await tools.call("discord_get_server_info", question)).text
    tools = stage.open(await stage.ask(staff))
    assert "staff" in (await tools.call("discord_get_server_info", question)).text


async def test_from_a_private_thread_its_siblings_are_listed(stage: Stage) -> None:
    """Whoever is in it sees its channel, and so all threads of that which are public."""
    thread = stage.local.start_thread(stage.channel, "tea", owner=stage.ada, private=True)
    stage.local.join_thread(thread, stage.local.bot_user)
    stage.local.join_thread(thread, stage.ada)
    stage.local.start_thread(stage.channel, "coffee", owner=stage.bob)
    tools = stage.open(await stage.ask(thread))
    question = {"guildId": str(stage.guild.id)}
    text = (await tools.call("discord_get_server_info", question)).text
    assert "tea" in text
    assert "coffee" in text


async def test_a_private_thread_reads_its_parent_and_never_sends_to_it(stage: Stage) -> None:
    """Whoever was not invited was not invited to its words."""
    thread = stage.local.start_thread(stage.channel, "tea", owner=stage.ada, private=True)
    for user in (stage.local.bot_user, stage.ada):
        stage.local.join_thread(thread, user)
    stage.local.say(stage.bob, stage.channel, "good morning")
    tools = stage.open(await stage.ask(thread))
    assert "good morning" in await read(tools, stage.channel)
    assert (await send(tools, stage.channel, SECRET)).is_error
    assert await read(stage.open(await stage.ask()), thread) == NARROWER.text


async def test_a_pair_is_loosened_in_one_direction(stage: Stage, staff: Channel) -> None:
    """From the staff to #general, and by nothing else to anywhere."""
    await stage.settings.set_guild(stage.guild.id, audience_off=[[staff.id, stage.channel.id]])
    random = stage.local.add_channel(stage.guild, "random")
    assert SECRET in await read(stage.open(await stage.ask()), staff)
    tools = stage.open(await stage.ask(staff))
    assert not (await send(tools, stage.channel, "as you wish")).is_error
    assert (await send(tools, random, "as you wish")).is_error
    assert await read(stage.open(await stage.ask(random)), staff) == NARROWER.text


async def test_what_was_read_elsewhere_is_remembered_with_who_could_read_it(
    stage: Stage, staff: Channel
) -> None:
    """The place itself, and its threads, are nothing else."""
    thread = stage.local.start_thread(staff, "plans", owner=stage.ada)
    event = await stage.ask(staff)
    for channel in (staff, thread, stage.channel):
        await read(stage.open(event), channel)
    assert list(await stage.store.sources("agent-1", event.lane)) == [stage.channel.id]


async def test_what_was_noted_is_read_where_all_could_read_it_where_it_was_noted(
    stage: Stage, staff: Channel
) -> None:
    """Memory keeps the channel that a file was written in, by its id."""
    audiences, own = Audiences(), stage.local.open_dm(stage.ada)
    stage.local.say(stage.ada, own, "hello")
    dms = stage.local.open_dm(stage.bob)
    stage.local.say(stage.bob, dms, "hello")

    async def goes(source: Channel, place: Channel) -> bool:
        return await audiences.flows_between(stage.bot, source.id, place.id)

    assert await goes(stage.channel, staff)
    assert not await goes(staff, stage.channel)
    assert await goes(staff, own)
    assert not await goes(staff, dms)
    assert await goes(own, own)
    assert not await goes(own, dms)
    assert not await goes(own, staff)
    assert not await audiences.flows_between(stage.bot, 123456789012345678, staff.id)


async def test_nothing_goes_from_server_to_server(stage: Stage, staff: Channel) -> None:
    """Whoever is in the other one is looked for there, and not among those who are here."""
    theirs = stage.local.add_guild("Theirs", owner=stage.local.owner)
    stage.local.add_member(theirs, stage.ada)
    place = stage.local.add_channel(theirs, "base")
    stage.local.add_member(theirs, stage.local.add_user("outsider"))
    audiences = Audiences()
    for source in (stage.channel, staff):
        assert not await audiences.flows_between(stage.bot, source.id, place.id)
        assert not await audiences.flows_between(stage.bot, place.id, source.id)


# -- the button


async def test_who_asked_is_shown_a_button_with_the_exact_text(
    stage: Stage, staff: Channel
) -> None:
    """In the event's place, without a ping, once in a turn."""
    event = await stage.ask(staff)
    tools = stage.open(event)
    text = "Hello everyone, **tea** at five"
    result = await send(tools, stage.channel, text)
    assert "button" in result.text
    (shown,) = stage.answers(staff)
    assert shown.content.endswith(f"\n>>> {text}")
    assert stage.channel.mention in shown.content
    assert shown.mentions == []
    (row,) = shown.components
    (button,) = row["components"]
    assert button["label"] == "Post this in #general"
    assert button["custom_id"].endswith(f":{stage.ada.id}")
    again = await send(tools, stage.channel, "and another thing")
    assert again.text == WIDER.text
    assert len(stage.answers(staff)) == 1
    assert stage.answers(stage.channel) == []


async def test_a_text_that_is_too_long_to_be_shown_is_not_offered(
    stage: Stage, staff: Channel
) -> None:
    """The agent is told how long it may be."""
    tools = stage.open(await stage.ask(staff))
    result = await send(tools, stage.channel, "x" * (OFFER_CHARS + 1))
    assert str(OFFER_CHARS) in result.text
    assert stage.answers(staff) == []


async def test_a_button_names_no_place_that_others_here_do_not_see(
    stage: Stage, staff: Channel
) -> None:
    """Its label is there for everybody to read."""
    hide = Overwrite.of(stage.guild.everyone, deny=permissions.VIEW_CHANNEL)
    people = (stage.ada, stage.bob, stage.local.bot_user)
    show = [Overwrite.of(one, allow=permissions.VIEW_CHANNEL) for one in people]
    eve = stage.local.add_user("eve")
    stage.local.add_member(stage.guild, eve)
    club = stage.local.add_channel(stage.guild, "secret-club", overwrites=(hide, *show))
    rules = [*show[:1], show[2], Overwrite.of(eve, allow=permissions.VIEW_CHANNEL)]
    stage.local.set_overwrites(staff, (hide, *rules))
    await send(stage.open(await stage.ask(staff)), club, "see you there")
    (shown,) = stage.answers(staff)
    assert "secret-club" not in str(shown.components)
    assert "secret-club" not in shown.content


async def test_a_turn_whose_only_word_was_kept_back_says_so(stage: Stage, staff: Channel) -> None:
    """Where there is no button, the person sees that something did not arrive."""
    event = await stage.ask(staff)
    message = stage.local.say(stage.bob, stage.channel, "is it true?")
    turn = together(event)
    arguments = {"channelId": str(stage.channel.id), "messageId": str(message.id), "emoji": "👍"}
    await stage.toolbox.open(turn, "agent-1").call("discord_add_reaction", arguments)
    assert await stage.settle(turn, "") == Reason.WIDER_AUDIENCE
    assert REASONS[Reason.WIDER_AUDIENCE].mark == "⚠️"
