"""Sending, changing and deleting messages through the REST API."""

from __future__ import annotations

import io

import discord
import pytest

from doubles.local_discord import VOICE, Overwrite, permissions
from tests.support.doubles.looking import partial, refused, text_channel
from tests.support.local_town import LocalTown


async def test_a_message_arrives_with_its_text(town: LocalTown, client: discord.Client) -> None:
    """What the bot sends stands in the channel."""
    sent = await text_channel(client, town.general).send("hello")
    (message,) = town.server.messages(town.general)
    assert (message.id, message.content, message.author) == (
        sent.id,
        "hello",
        town.server.bot_user,
    )


async def test_the_bot_hears_its_own_message(town: LocalTown, client: discord.Client) -> None:
    """A sent message comes back over the gateway into the cache."""
    sent = await text_channel(client, town.general).send("hello")
    await town.server.wait_for(lambda: any(m.id == sent.id for m in client.cached_messages))


async def test_two_thousand_characters_are_taken(town: LocalTown, client: discord.Client) -> None:
    """The limit itself is allowed."""
    await text_channel(client, town.general).send("x" * 2000)
    assert len(town.server.messages(town.general)[0].content) == 2000


async def test_more_than_two_thousand_characters_are_refused(
    town: LocalTown, client: discord.Client
) -> None:
    """The refusal names the field in Discord's nested form."""
    with pytest.raises(discord.HTTPException) as caught:
        await text_channel(client, town.general).send("x" * 2001)
    assert (caught.value.status, caught.value.code) == (400, 50035)
    assert "In content: Must be 2000 or fewer in length." in caught.value.text


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_an_empty_message_is_refused(
    town: LocalTown, client: discord.Client, text: str
) -> None:
    """White space is no content."""
    with refused(50006):
        await text_channel(client, town.general).send(text)


async def test_an_unknown_channel_is_refused(town: LocalTown, client: discord.Client) -> None:
    """A deleted channel takes no message."""
    town.server.delete_channel(town.general)
    with refused(10003, discord.NotFound):
        await client.get_partial_messageable(town.general.id).send("hello")


async def test_a_hidden_channel_is_refused(town: LocalTown, client: discord.Client) -> None:
    """Without the right to see it there is no access at all."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
    town.server.set_overwrites(town.general, (deny,))
    with refused(50001, discord.Forbidden):
        await text_channel(client, town.general).send("hello")


async def test_a_read_only_channel_is_refused(town: LocalTown, client: discord.Client) -> None:
    """Seeing is not sending."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.SEND_MESSAGES)
    town.server.set_overwrites(town.general, (deny,))
    with refused(50013, discord.Forbidden):
        await text_channel(client, town.general).send("hello")


@pytest.mark.parametrize(
    ("right", "extra"),
    [
        (permissions.EMBED_LINKS, {"embed": discord.Embed(title="a")}),
        (permissions.ATTACH_FILES, {"file": None}),
        (permissions.SEND_TTS_MESSAGES, {"tts": True}),
    ],
)
async def test_extras_take_their_own_right(
    town: LocalTown, client: discord.Client, right: int, extra: dict[str, object]
) -> None:
    """Embeds, files and speech are refused one by one."""
    deny = Overwrite.of(town.guild.everyone, deny=right)
    town.server.set_overwrites(town.general, (deny,))
    if "file" in extra:
        extra = {"file": discord.File(fp=__file__)}
    with refused(50013, discord.Forbidden):
        await text_channel(client, town.general).send("hello", **extra)  # type: ignore[call-overload]


async def test_a_voice_channel_without_connect_takes_no_text(
    town: LocalTown, client: discord.Client
) -> None:
    """Its chat belongs to those who may join."""
    voice = town.server.add_channel(town.guild, "voice", type=VOICE)
    deny = Overwrite.of(town.guild.everyone, deny=permissions.CONNECT)
    town.server.set_overwrites(voice, (deny,))
    place = client.get_partial_messageable(voice.id)
    with refused(50001, discord.Forbidden):
        await place.send("hello")
    with refused(50001, discord.Forbidden):
        await anext(place.history())


async def test_a_reply_carries_what_it_answers(town: LocalTown, client: discord.Client) -> None:
    """The reference is resolved and its author mentioned."""
    asked = town.server.say(town.bert, town.general, "what?")
    sent = await partial(client, asked).reply("that")
    message = town.server.messages(town.general)[-1]
    assert (message.reference, message.type, message.mentions) == (asked.id, 19, [town.bert])
    assert isinstance(sent.reference, discord.MessageReference)
    assert isinstance(sent.reference.resolved, discord.Message)
    assert sent.reference.resolved.content == "what?"


async def test_a_reply_to_a_deleted_message_is_refused(
    town: LocalTown, client: discord.Client
) -> None:
    """An unknown reference is a fault of the body."""
    asked = town.server.say(town.bert, town.general, "what?")
    town.server.delete(asked)
    with refused(50035):
        await partial(client, asked).reply("that")


async def test_a_reply_may_do_without_its_message(town: LocalTown, client: discord.Client) -> None:
    """With fail_if_not_exists off it becomes a plain message."""
    asked = town.server.say(town.bert, town.general, "what?")
    town.server.delete(asked)
    reference = discord.MessageReference(
        message_id=asked.id, channel_id=town.general.id, fail_if_not_exists=False
    )
    await text_channel(client, town.general).send("that", reference=reference)
    message = town.server.messages(town.general)[-1]
    assert (message.reference, message.type) == (None, 0)


async def test_a_reply_takes_the_right_to_read_history(
    town: LocalTown, client: discord.Client
) -> None:
    """Who cannot read back cannot point back."""
    asked = town.server.say(town.bert, town.general, "what?")
    deny = Overwrite.of(town.guild.everyone, deny=permissions.READ_MESSAGE_HISTORY)
    town.server.set_overwrites(town.general, (deny,))
    with refused(160002, discord.Forbidden):
        await partial(client, asked).reply("that")


async def test_a_forward_carries_a_snapshot(town: LocalTown, client: discord.Client) -> None:
    """A forwarded text stands in the snapshot, not in the content."""
    original = town.server.say(town.bert, town.general, "news")
    sent = await partial(client, original).forward(text_channel(client, town.general))
    assert (sent.content, sent.message_snapshots[0].content) == ("", "news")


async def test_editing_changes_the_text(town: LocalTown, client: discord.Client) -> None:
    """An edit leaves its mark and is told."""
    sent = await text_channel(client, town.general).send("helo")
    await sent.edit(content="hello")
    message = town.server.messages(town.general)[0]
    assert (message.content, message.edited) == ("hello", True)


async def test_only_ones_own_message_can_be_edited(
    town: LocalTown, client: discord.Client
) -> None:
    """Even a moderator cannot change somebody's words."""
    said = town.server.say(town.bert, town.general, "mine")
    with refused(50005, discord.Forbidden):
        await partial(client, said).edit(content="yours")


async def test_an_edit_into_nothing_is_refused(town: LocalTown, client: discord.Client) -> None:
    """A message keeps something to show."""
    sent = await text_channel(client, town.general).send("hello")
    with refused(50006):
        await sent.edit(content="")


async def test_deleting_others_takes_a_right(town: LocalTown, client: discord.Client) -> None:
    """One's own may go, others' need a moderator."""
    said = town.server.say(town.bert, town.general, "mine")
    with refused(50013, discord.Forbidden):
        await partial(client, said).delete()
    bot_role = town.guild.role_of(town.server.bot_user)
    assert bot_role is not None
    bot_role.permissions |= permissions.MANAGE_MESSAGES
    await partial(client, said).delete()
    assert said.deleted


async def test_a_deleted_message_is_unknown(town: LocalTown, client: discord.Client) -> None:
    """Fetching what is gone says so."""
    said = town.server.say(town.bert, town.general, "gone")
    town.server.delete(said)
    with refused(10008, discord.NotFound):
        await text_channel(client, town.general).fetch_message(said.id)


async def test_bulk_delete_takes_two_or_more(town: LocalTown, client: discord.Client) -> None:
    """One message is too few, two are gone at once."""
    bot_role = town.guild.role_of(town.server.bot_user)
    assert bot_role is not None
    bot_role.permissions |= permissions.MANAGE_MESSAGES
    said = [town.server.say(town.bert, town.general, str(number)) for number in range(3)]
    await text_channel(client, town.general).delete_messages(
        [partial(client, m) for m in said[:2]]
    )
    assert town.server.messages(town.general) == [said[2]]
    with refused(50016):
        await client.http.delete_messages(town.general.id, [said[2].id])


async def test_an_overlong_embed_is_refused(town: LocalTown, client: discord.Client) -> None:
    """All embeds together hold six thousand characters."""
    embeds = [discord.Embed(description="x" * 4000) for _ in range(2)]
    with refused(50035):
        await text_channel(client, town.general).send(embeds=embeds)


async def test_a_pin_is_announced_and_listed(town: LocalTown, client: discord.Client) -> None:
    """Pinning takes its own right and leaves a note."""
    said = town.server.say(town.bert, town.general, "keep")
    with refused(50013, discord.Forbidden):
        await partial(client, said).pin()
    bot_role = town.guild.role_of(town.server.bot_user)
    assert bot_role is not None
    bot_role.permissions |= permissions.PIN_MESSAGES
    await partial(client, said).pin()
    pins = [pin async for pin in text_channel(client, town.general).pins()]
    assert [pin.id for pin in pins] == [said.id]
    assert town.server.messages(town.general)[-1].type == 6


async def test_typing_is_seen(town: LocalTown, client: discord.Client) -> None:
    """Typing is recorded with its place."""
    async with text_channel(client, town.general).typing():
        pass
    ((_, channel_id, user_id),) = town.server.typing
    assert (channel_id, user_id) == (town.general.id, town.server.bot_user.id)


async def test_typing_takes_the_right_to_send(town: LocalTown, client: discord.Client) -> None:
    """Who may not write may not pretend to."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.SEND_MESSAGES)
    town.server.set_overwrites(town.general, (deny,))
    with refused(50013, discord.Forbidden):
        await text_channel(client, town.general).typing()


async def test_a_file_is_served_as_it_was_sent(town: LocalTown, client: discord.Client) -> None:
    """Bytes go up in a form and come down from the attachment's address."""
    file = discord.File(fp=__file__, filename="a b.txt", description="source")
    sent = await text_channel(client, town.general).send("file", file=file)
    (attachment,) = sent.attachments
    assert (attachment.filename, attachment.description) == ("a_b.txt", "source")
    with open(__file__, "rb") as source:  # noqa: ASYNC230  a few bytes, in a test
        assert await attachment.read() == source.read()


async def test_a_file_of_a_person_can_be_read(town: LocalTown, client: discord.Client) -> None:
    """What people attach is served too."""
    town.server.say(town.bert, town.general, attachments=[("note.txt", b"hi")])
    (message,) = [m async for m in text_channel(client, town.general).history()]
    assert await message.attachments[0].read() == b"hi"
    assert message.attachments[0].content_type == "text/plain"


async def test_too_many_and_too_large_files_are_refused(
    town: LocalTown, client: discord.Client
) -> None:
    """Ten files, ten mebibytes."""
    channel = text_channel(client, town.general)
    with refused(40005):
        await channel.send(file=discord.File(io.BytesIO(bytes(10 * 2**20 + 1)), "big.bin"))
    files = [{"name": f"files[{n}]", "value": b"x", "filename": f"{n}.txt"} for n in range(11)]
    route = discord.http.Route(
        "POST", "/channels/{channel_id}/messages", channel_id=town.general.id
    )
    with refused(50035):
        await client.http.request(route, form=files)


async def test_attachments_survive_an_edit_if_they_are_kept(
    town: LocalTown, client: discord.Client
) -> None:
    """An edit that names the attachments keeps only those."""
    files = [discord.File(io.BytesIO(b"x"), name) for name in ("a.txt", "b.txt")]
    sent = await text_channel(client, town.general).send(files=files)
    await sent.edit(content="changed")
    message = town.server.messages(town.general)[0]
    assert len(message.attachments) == 2
    await sent.edit(attachments=sent.attachments[:1])
    assert [item.filename for item in message.attachments] == ["a.txt"]
