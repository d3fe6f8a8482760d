"""The main job: somebody addresses the bot, and one answer comes back in the right place."""

from __future__ import annotations

from tests.support.e2e.town import Town


async def test_a_mention_is_answered_with_a_reply(town: Town) -> None:
    """The agent answers through discord_send, once, and the event ends answered."""
    message, end = await town.ask("hello")
    assert (end.step, end.detail) == ("answered", "sent")
    (answer,) = town.answers(message)
    assert "hello" in answer.content.lower()
    assert town.steps(message) == ["queued", "running", "tool", "answered"]


async def test_a_mention_of_the_bots_own_role_counts(town: Town) -> None:
    """People pick the role from the list as often as the user."""
    role = town.guild.role_of(town.discord.bot_user)
    assert role is not None
    message = town.discord.say(town.bo, town.general, f"<@&{role.id}> hello")
    assert (await town.ended(message)).step == "answered"
    assert len(town.answers(message)) == 1


async def test_a_reply_to_the_bot_counts_even_with_the_ping_off(town: Town) -> None:
    """The conversation goes on without another mention."""
    first, _ = await town.ask("hello")
    (answer,) = town.answers(first)
    reply = town.discord.say(town.ada, town.general, "and now?", reply_to=answer, ping=False)
    assert (await town.ended(reply)).step == "answered"
    assert len(town.answers(reply)) == 1


async def test_somebody_without_a_global_name_is_answered(town: Town) -> None:
    """A very common kind of account."""
    message, end = await town.ask("hello", author=town.bo)
    assert end.step == "answered"
    assert len(town.answers(message)) == 1


async def test_ordinary_messages_are_left_alone(town: Town) -> None:
    """No event, no typing, no REST call."""
    calls = len(town.discord.calls)
    ordinary = town.discord.say(town.bo, town.general, "just talking")
    # Messages are heard in order: once a later one was answered, this one has been ignored.
    later = town.discord.say(town.ada, town.general, "!ping")
    await town.discord.wait_for(lambda: len(town.bot_messages(town.general)) > 3 or None)
    assert town.steps(ordinary) == []
    asked = [call.path for call in town.discord.calls[calls:] if call.method != "GET"]
    assert all(str(town.general.id) in path for path in asked), later
    assert len(asked) <= 2
