"""Buttons, menus, commands and forms, and the bot's answers to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from doubles.local_discord import Interaction, Overwrite, permissions
from tests.support.doubles.looking import refused, text_channel
from tests.support.local_town import LocalTown

Answer = Callable[[discord.Interaction], Awaitable[Any]]


async def asked(
    town: LocalTown, client: discord.Client, answer: Answer | None = None
) -> Interaction:
    """Register a command, use it as Bert, and let `answer` see to the interaction."""
    tree = app_commands.CommandTree(client)

    @tree.command(name="ask", description="Ask.")
    async def ask(interaction: discord.Interaction) -> None:
        if answer is not None:
            await answer(interaction)

    await tree.sync()
    return town.server.slash(town.bert, town.general, "ask")


async def caught(
    town: LocalTown, client: discord.Client
) -> tuple[Interaction, discord.Interaction]:
    """Return an unanswered interaction, as both sides see it."""
    seen: list[discord.Interaction] = []

    async def keep(interaction: discord.Interaction) -> None:
        seen.append(interaction)

    sent = await asked(town, client, keep)
    await town.server.wait_for(lambda: seen)
    return sent, seen[0]


async def test_a_command_is_answered(town: LocalTown, client: discord.Client) -> None:
    """The answer is a message that says what it answers."""
    sent = await asked(town, client, lambda i: i.response.send_message("here"))
    assert await town.server.wait_for(lambda: sent.content) == "here"
    message = await text_channel(client, town.general).fetch_message(
        town.server.messages(town.general)[0].id
    )
    assert message.interaction_metadata is not None
    assert message.interaction_metadata.user.id == town.bert.id


async def test_options_arrive_with_their_types(town: LocalTown, client: discord.Client) -> None:
    """Users, channels and roles are resolved."""
    got: list[tuple[Any, ...]] = []
    tree = app_commands.CommandTree(client)

    @tree.command(description="Take.")
    async def take(
        interaction: discord.Interaction,
        word: str,
        who: discord.Member,
        where: discord.TextChannel,
        role: discord.Role,
        number: app_commands.Range[int, 1, 5] = 1,
    ) -> None:
        got.append((word, who.id, where.id, role.id, number))
        await interaction.response.send_message("ok")

    await tree.sync()
    team = town.server.add_role(town.guild, "team")
    options = {"word": "w", "who": town.anna, "where": town.general, "role": team, "number": 3}
    town.server.slash(town.bert, town.general, "take", options)
    await town.server.wait_for(lambda: got)
    assert got == [("w", town.anna.id, town.general.id, team.id, 3)]
    with pytest.raises(ValueError, match="lies between"):
        town.server.slash(town.bert, town.general, "take", options | {"number": 9})
    with pytest.raises(ValueError, match="required"):
        town.server.slash(town.bert, town.general, "take", {})
    with pytest.raises(ValueError, match="no such option"):
        town.server.slash(town.bert, town.general, "take", options | {"other": 1})


async def test_a_subcommand_is_found_by_its_path(town: LocalTown, client: discord.Client) -> None:
    """Groups are named before it."""
    tree = app_commands.CommandTree(client)
    outer = app_commands.Group(name="outer", description="Outer.")
    inner = app_commands.Group(name="inner", description="Inner.", parent=outer)

    @inner.command(name="do", description="Do.")
    async def do(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("done")

    tree.add_command(outer)
    await tree.sync()
    sent = town.server.slash(town.bert, town.general, "outer inner do")
    await town.server.wait_for(lambda: sent.content == "done")
    for wrong in ("outer", "outer inner", "outer other", "nothing"):
        with pytest.raises(LookupError):
            town.server.slash(town.bert, town.general, wrong)


async def test_suggestions_are_offered(town: LocalTown, client: discord.Client) -> None:
    """Autocompletion gets choices, not messages."""
    tree = app_commands.CommandTree(client)

    @tree.command(description="Pick.")
    async def pick(interaction: discord.Interaction, word: str) -> None:
        await interaction.response.send_message(word)

    @pick.autocomplete("word")
    async def suggest(
        _interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=current + "!", value=current)]

    await tree.sync()
    sent = town.server.autocomplete(town.bert, town.general, "pick", {"word": "a"}, focused="word")
    choices = await town.server.wait_for(lambda: sent.choices)
    assert choices == [{"name": "a!", "value": "a"}]


async def test_a_second_answer_is_refused(town: LocalTown, client: discord.Client) -> None:
    """An interaction is acknowledged once."""
    _, interaction = await caught(town, client)
    await interaction.response.send_message("one")
    interaction.response._response_type = None  # let discord.py try again
    with refused(40060):
        await interaction.response.send_message("two")


async def test_a_late_answer_is_refused(town: LocalTown, client: discord.Client) -> None:
    """After three seconds the interaction is unknown."""
    _, interaction = await caught(town, client)
    town.server.interactions.deadline = -1.0
    with refused(10062, discord.NotFound):
        await interaction.response.send_message("late")


async def test_an_expired_token_is_refused(town: LocalTown, client: discord.Client) -> None:
    """After a quarter of an hour nothing can be added."""
    _, interaction = await caught(town, client)
    await interaction.response.send_message("one")
    town.server.interactions.lifetime = -1.0
    with refused(50027):
        await interaction.followup.send("two")


async def test_a_followup_before_the_answer_is_refused(
    town: LocalTown, client: discord.Client
) -> None:
    """There is no webhook yet."""
    _, interaction = await caught(town, client)
    with refused(10015, discord.NotFound):
        await interaction.followup.send("early")


async def test_a_deferred_answer_is_filled_in(town: LocalTown, client: discord.Client) -> None:
    """The first followup takes the place of "thinking", the second is new."""
    sent, interaction = await caught(town, client)
    await interaction.response.defer(thinking=True)
    assert sent.content is None
    await interaction.followup.send("one")
    await interaction.followup.send("two")
    assert [m.content for m in town.server.messages(town.general)] == ["one", "two"]
    assert sent.content == "one"


async def test_the_answer_is_edited_and_deleted(town: LocalTown, client: discord.Client) -> None:
    """By the interaction's token, without the right to send."""
    deny = Overwrite.of(town.server.bot_user, deny=permissions.SEND_MESSAGES)
    town.server.set_overwrites(town.general, (deny,))
    sent, interaction = await caught(town, client)
    await interaction.response.send_message("one")
    await interaction.edit_original_response(content="two")
    assert sent.content == "two"
    assert (await interaction.original_response()).content == "two"
    await interaction.delete_original_response()
    assert town.server.messages(town.general) == []
    with refused(10008, discord.NotFound):
        await interaction.edit_original_response(content="three")


async def test_an_ephemeral_answer_is_for_one(town: LocalTown, client: discord.Client) -> None:
    """Nobody else presses its buttons, and history lacks it."""
    view = ui.View()
    view.add_item(ui.Button(label="ok", custom_id="ok"))
    sent = await asked(
        town, client, lambda i: i.response.send_message("psst", view=view, ephemeral=True)
    )
    await town.server.wait_for(lambda: sent.content)
    message = sent.response
    assert message is not None
    assert message.ephemeral_for == town.bert.id
    assert [m async for m in text_channel(client, town.general).history()] == []
    heard = await town.server.wait_for(
        lambda: discord.utils.get(client.cached_messages, id=message.id)
    )
    assert heard.guild is None
    with pytest.raises(PermissionError):
        town.server.press(town.anna, message, "ok")
    view.stop()


async def test_an_overlong_answer_is_refused(town: LocalTown, client: discord.Client) -> None:
    """Answers are messages like any others."""
    _, interaction = await caught(town, client)
    with refused(50035):
        await interaction.response.send_message("x" * 2001)


class Question(ui.Modal, title="Question"):
    """A form with one old and one new field."""

    old: ui.TextInput[Question] = ui.TextInput(label="Old", custom_id="old")
    new: ui.Label[Question] = ui.Label(
        text="New", component=ui.TextInput(custom_id="new", default="kept")
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.new.component, ui.TextInput)
        await interaction.response.send_message(f"{self.old.value} {self.new.component.value}")


async def test_a_form_is_filled_in(town: LocalTown, client: discord.Client) -> None:
    """Fields are found by custom id or label; the rest keep their defaults."""
    sent = await asked(town, client, lambda i: i.response.send_modal(Question()))
    await town.server.wait_for(lambda: sent.modal)
    with pytest.raises(LookupError):
        town.server.submit_modal(town.bert, sent, {"nothing": "x"})
    with pytest.raises(PermissionError):
        town.server.submit_modal(town.anna, sent, {"Old": "x"})
    submitted = town.server.submit_modal(town.bert, sent, {"Old": "typed"})
    assert await town.server.wait_for(lambda: submitted.content) == "typed kept"


async def test_a_button_updates_its_message(town: LocalTown, client: discord.Client) -> None:
    """The answer to a press may change what was pressed."""
    view = ui.View()
    button: ui.Button[ui.View] = ui.Button(label="ok", custom_id="ok")

    async def pressed(interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content="pressed", view=None)

    button.callback = pressed  # type: ignore[method-assign]
    view.add_item(button)
    sent = await text_channel(client, town.general).send("press", view=view)
    (message,) = town.server.messages(town.general)
    town.server.press(town.bert, message, "ok")
    await town.server.wait_for(lambda: message.content == "pressed")
    assert (message.id, message.components) == (sent.id, [])
    with pytest.raises(LookupError):
        town.server.press(town.bert, message, "ok")
    view.stop()


async def test_a_menu_gives_its_values(town: LocalTown, client: discord.Client) -> None:
    """What was chosen reaches the callback."""
    view = ui.View()
    menu: ui.Select[ui.View] = ui.Select(
        custom_id="menu",
        options=[discord.SelectOption(label="a"), discord.SelectOption(label="b")],
    )

    async def chosen(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(menu.values[0])

    menu.callback = chosen  # type: ignore[method-assign]
    view.add_item(menu)
    await text_channel(client, town.general).send("choose", view=view)
    sent = town.server.press(
        town.bert, town.server.messages(town.general)[0], "menu", values=["b"]
    )
    assert await town.server.wait_for(lambda: sent.content) == "b"
    view.stop()


async def test_a_disabled_button_cannot_be_pressed(
    town: LocalTown, client: discord.Client
) -> None:
    """It is there, and dead."""
    view = ui.View()
    view.add_item(ui.Button(label="ok", custom_id="ok", disabled=True))
    await text_channel(client, town.general).send("press", view=view)
    with pytest.raises(LookupError, match="disabled"):
        town.server.press(town.bert, town.server.messages(town.general)[0], "ok")
    view.stop()


async def test_the_same_custom_id_twice_is_refused(
    town: LocalTown, client: discord.Client
) -> None:
    """A press must be unambiguous."""
    view = ui.View()
    view.add_item(ui.Button(label="1", custom_id="same"))
    view.add_item(ui.Button(label="2", custom_id="same"))
    with refused(50035):
        await text_channel(client, town.general).send("press", view=view)
    view.stop()


async def test_a_command_takes_a_right(town: LocalTown, client: discord.Client) -> None:
    """Without it the command cannot be used here."""
    await asked(town, client)
    deny = Overwrite.of(town.guild.everyone, deny=permissions.USE_APPLICATION_COMMANDS)
    town.server.set_overwrites(town.general, (deny,))
    with pytest.raises(PermissionError):
        town.server.slash(town.bert, town.general, "ask")


async def test_a_command_works_in_a_dm(town: LocalTown, client: discord.Client) -> None:
    """There it comes with a user instead of a member."""
    sent = await asked(town, client, lambda i: i.response.send_message(type(i.user).__name__))
    await town.server.wait_for(lambda: sent.content == "Member")
    dm = town.server.slash(town.bert, town.server.open_dm(town.bert), "ask")
    assert await town.server.wait_for(lambda: dm.content) == "User"
