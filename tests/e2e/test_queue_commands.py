"""`queue status|list|dead|clear|retry`: what they show, to whom, and what they change."""

from __future__ import annotations

import re

import pytest
from redbot.core.data_manager import cog_data_path

from doubles.local_discord import Message
from tests.support.e2e.hands import register, slash
from tests.support.e2e.pages import (
    add_mod,
    all_pages,
    answer_question,
    fill,
    no_embeds,
    page,
    read,
)
from tests.support.e2e.seen import end_of, hasten, mention, outlive, reached, thinking
from tests.support.e2e.town import Town


def link(message: Message) -> str:
    """Return the link to a message."""
    guild = message.channel.guild
    where = guild.id if guild else "@me"
    return f"https://discord.com/channels/{where}/{message.channel.id}/{message.id}"


def row(text: str, message: Message) -> str:
    """Return the line about a message."""
    (found,) = [line for line in text.splitlines() if str(message.id) in line]
    return found


async def pause(town: Town) -> None:
    """Let nothing run, in no server."""
    assert "paused" in await town.command("aurora events pause everywhere")


async def failed(town: Town, text: str = "[[err:400]]") -> Message:
    """Let a message fail; in a way that is not tried again, as that takes its time."""
    message = mention(town, text)
    assert (await end_of(town, message))[0] == "failed"
    return message


# -- status


async def test_status_says_what_waits_and_within_which_limits(town: Town) -> None:
    """Counts, the oldest, the room there is, and how the others ended."""
    await town.ask("[[send:hi]]")
    await pause(town)
    await reached(town, mention(town, "one"), "queued")
    await reached(town, mention(town, "two"), "queued")
    said = await page(town, "aurora queue status")
    assert "waiting: 2 of 50" in said
    assert "running: 0" in said
    assert "waiting longest: since <t:" in said
    assert "paused since" in said
    assert "✅ answered: 1" in said
    assert "of one server 8" in said
    assert "one each 0.5 s" in said


async def test_the_owner_sees_everything_the_admin_the_own_server(town: Town) -> None:
    """In a direct message, or when asked for."""
    await pause(town)
    abroad = town.discord.add_guild("Else*where", owner=town.bo)
    await fill(town, 2)
    await fill(town, 3, guild_id=abroad.id)
    assert "waiting: 2 of 50" in await page(town, "aurora queue status")
    dm = town.discord.open_dm(town.ada)
    for said in (
        await page(town, "aurora queue status everywhere"),
        await page(town, "aurora queue status", channel=dm),
    ):
        assert "waiting: 5" in said
        assert r"Else\*where: 3" in said
        assert "accepted: 5" in said
    mod = add_mod(town)
    assert "waiting: 2 of 50" in await page(town, "aurora queue status", author=mod)
    said = await page(town, "aurora queue status everywhere", author=mod)
    assert "Only the bot's owner" in said


async def test_the_owner_sees_which_servers_their_admins_have_paused(town: Town) -> None:
    """What waits there would look stuck; their number is bounded, as there may be many."""
    for number in range(6):
        abroad = town.discord.add_guild(f"Else*where {number}", owner=town.bo)
        await town.cog.services.settings.set_guild(abroad.id, paused_since=1.0)
    for command in ("aurora queue status everywhere", "aurora events status everywhere"):
        said = await page(town, command)
        assert said.count(r"paused by its admins: Else\*where") == 5
        assert "and 1 more" in said
    assert "Else" not in await page(town, "aurora queue status")


async def test_nothing_is_nowhere(town: Town) -> None:
    """What the owner reads in a direct message about an empty ledger is a sentence."""
    dm = town.discord.open_dm(town.ada)
    assert await town.command("aurora queue clear", channel=dm) == "Nothing waits anywhere."
    said = await town.command("aurora queue retry all", channel=dm)
    assert said == "Nothing failed or expired anywhere."
    assert "no such message anywhere" in await town.command("aurora queue retry 5", channel=dm)


async def test_where_embeds_are_not_allowed_the_same_comes_as_text(town: Town) -> None:
    """With the permission or without."""
    embed = await page(town, "aurora queue status")
    assert town.bot_messages(town.general)[-1].embeds
    no_embeds(town)
    text = await town.command("aurora queue status")
    assert town.bot_messages(town.general)[-1].embeds == []
    assert text == embed


# -- list and dead


async def test_list_shows_every_end_with_its_reason(town: Town) -> None:
    """Newest first, one line each, with link, author and attempts, and no word of the text."""
    _, answered = await town.ask("[[send:hi]] SECRET")
    declined = mention(town, "[[empty]] SECRET")
    await town.ended(declined)
    hasten(town)
    dead = await failed(town, "[[err:500]] SECRET")
    await pause(town)
    late, called_off, waiting = (mention(town, f"SECRET {number}") for number in range(3))
    await reached(town, waiting, "queued")
    town.discord.delete(called_off)
    await town.ended(called_off)
    await outlive(town, late, 0)
    said = await page(town, "aurora queue list")
    lines = said.splitlines()[2:]
    assert "SECRET" not in said
    assert "⏳ waiting" in lines[0]
    assert "⏹️ cancelled (`message_deleted`)" in row(said, called_off)
    assert "⚠️ failed (`failed`)" in row(said, dead)
    assert "attempts: 3" in row(said, dead)
    assert "💤 declined (`no_answer`)" in row(said, declined)
    assert "✅ answered (`sent`)" in lines[-1]
    assert f"<@{town.ada.id}>" in lines[-1]
    assert f"<{link(dead)}>" in row(said, dead)
    assert answered.step == "answered"


async def test_list_takes_a_state_and_a_place(town: Town) -> None:
    """In this order, each of them optional."""
    dead = await failed(town)
    await town.ask("[[send:hi]]")
    assert len((await page(town, "aurora queue list")).splitlines()) == 4
    said = await page(town, "aurora queue list failed")
    assert len(said.splitlines()) == 3
    assert row(said, dead)
    assert "Messages everywhere" in await page(town, "aurora queue list everywhere")
    assert row(await page(town, "aurora queue list failed everywhere"), dead)
    assert "none" in await page(town, "aurora queue list expired")
    assert row(await page(town, "aurora queue dead"), dead)


@pytest.mark.parametrize("embeds", [True, False])
async def test_a_thousand_events_are_listed_page_by_page(town: Town, embeds: bool) -> None:
    """Discord refuses what is too long for one message."""
    await pause(town)
    await town.command("aurora config queuesize 1000")
    events = await fill(town, 1000)
    if not embeds:
        no_embeds(town)
    pages = await all_pages(town, "aurora queue list")
    assert all(page.count("waiting") > (20 if embeds else 8) for page in pages[:-1])
    listed = re.findall(r"channels/\d+/\d+/(\d+)", "\n".join(pages))
    assert listed == [str(event.message_id) for event in reversed(events)]
    assert "SECRET" not in "".join(pages)
    assert "waiting: 1000 of 1000" in await page(town, "aurora queue status")


async def test_an_open_list_ends_with_the_cog(town: Town) -> None:
    """Or its timer would run on after an unload (promise 10)."""
    await pause(town)
    await town.command("aurora config queuesize 100")
    await fill(town, 60)
    await page(town, "aurora queue list")
    (menu,) = town.cog.services.views
    assert not menu.is_finished()
    await town.command("unload aurora")
    assert menu.is_finished()


async def test_messages_that_were_answered_together_are_listed_so(town: Town) -> None:
    """Attempts are those of the turn, and stand with the last of them."""
    await town.command("aurora config coalesce on")
    await pause(town)
    asked = [mention(town, f"part {number} [[send:both]]") for number in range(2)]
    await reached(town, asked[-1], "queued")
    await town.command("aurora events resume everywhere")
    for message in asked:
        assert await end_of(town, message) == ("answered", "sent")
    said = await page(town, "aurora queue list answered")
    assert row(said, asked[0]).endswith("· together with a later one")
    assert row(said, asked[1]).endswith("· attempts: 1")


# -- clear


async def test_clear_asks_and_then_cancels_what_waits(town: Town) -> None:
    """Each event ends with a reason, and people are shown it."""
    assert "Nothing waits" in await town.command("aurora queue clear")
    running = mention(town, "[[sleep:1]][[send:hi]]")
    await thinking(town)
    waiting = [mention(town, str(number)) for number in range(2)]
    await reached(town, waiting[-1], "queued")
    assert await answer_question(town, "aurora queue clear", "No") == "Nothing was changed."
    said = await answer_question(town, "aurora queue clear", "Yes")
    assert "2 cancelled" in said
    for message in waiting:
        assert await end_of(town, message) == ("cancelled", "cleared")
    await town.discord.wait_for(lambda: all(map(town.marks, waiting)) or None)
    assert [town.marks(message) for message in waiting] == [["⏹️"]] * 2
    assert (await end_of(town, running))[0] == "answered"


async def test_clear_leaves_other_servers_alone(town: Town) -> None:
    """Unless the owner says everywhere."""
    await pause(town)
    abroad = town.discord.add_guild("Elsewhere", owner=town.bo)
    await fill(town, 1)
    await fill(town, 2, guild_id=abroad.id)
    mod = add_mod(town)
    assert "1 cancelled" in await answer_question(town, "aurora queue clear", "Yes", author=mod)
    said = await answer_question(town, "aurora queue clear everywhere", "Yes")
    assert "2 cancelled" in said


# -- retry


async def test_a_failed_message_is_answered_at_the_second_try(town: Town) -> None:
    """With its text as it is now: the old one was erased."""
    dead = await failed(town)
    town.discord.edit(dead, f"{town.mention} [[send:at last]]")
    said = await town.command(f"aurora queue retry {link(dead)}")
    assert "waits for its turn again" in said
    await reached(town, dead, "answered")
    assert "at last" in [one.content for one in town.answers(dead)]
    said = await town.command(f"aurora queue retry {dead.id}")
    assert "it was answered" in said


async def test_a_second_life_begins_anew_and_may_end_like_the_first(town: Town) -> None:
    """Nothing of the first counts in it."""
    dead = await failed(town)
    await town.command(f"aurora queue retry {dead.id}")
    await town.discord.wait_for(lambda: town.steps(dead).count("failed") == 2 or None, 30)
    line = row(await page(town, "aurora queue dead"), dead)
    assert line.endswith("· attempts: 1")


async def test_expired_and_cancelled_messages_can_be_tried_again(town: Town) -> None:
    """With all the time that a new one has."""
    await pause(town)
    late, cleared = (mention(town, f"[[send:answer {number}]]") for number in range(2))
    await reached(town, cleared, "queued")
    await answer_question(town, "aurora queue clear", "Yes")
    assert (await end_of(town, late))[0] == "cancelled"
    for message in (late, cleared):
        assert "again" in await town.command(f"aurora queue retry {message.id}")
        event = town.cog.services.queue.find(message.id)
        assert event.expires_at - town.cog.services.clock.time() > 890
    assert "waiting for its turn already" in await town.command(f"aurora queue retry {late.id}")
    await town.command("aurora events resume everywhere")
    for message in (late, cleared):
        await reached(town, message, "answered")


async def test_what_had_a_visible_effect_is_not_tried_again(town: Town) -> None:
    """The agent has acted on it once (promise 6)."""
    side = town.discord.add_channel(town.guild, "side")
    dead = await failed(town, f"[[sendto:{side.id}|done]][[then]][[err:400]]")
    said = await town.command(f"aurora queue retry {dead.id}")
    assert "already acted on it" in said
    assert "0 of the latest 1" in await town.command("aurora queue retry all")
    assert [one.content for one in town.bot_messages(side)] == ["done"]


async def test_a_message_that_changed_is_checked_anew(town: Town) -> None:
    """Deleted, no longer for the bot, or by somebody who may not ask any more."""
    gone = await failed(town)
    town.discord.delete(gone)
    assert "the message is gone" in await town.command(f"aurora queue retry {gone.id}")
    other = await failed(town)
    town.discord.edit(other, "never mind")
    said = await town.command(f"aurora queue retry {other.id}")
    assert said.endswith(": it does not mention me.")
    theirs = town.discord.say(town.bo, town.general, f"{town.mention} [[err:400]]")
    await town.ended(theirs)
    await town.red.bot._whiteblacklist_cache.add_to_blacklist(None, [town.bo.id])
    assert "may not use me" in await town.command(f"aurora queue retry {theirs.id}")
    town.discord.remove_member(town.guild, town.bo)
    assert "has left" in await town.command(f"aurora queue retry {theirs.id}")


async def test_retry_all_takes_what_failed_and_says_what_it_left(town: Town) -> None:
    """In the order in which people asked; what was cancelled stays so."""
    first, gone, last = [await failed(town) for _ in range(3)]
    town.discord.delete(gone)
    asked = len(town.llm.requests)
    cancelled = mention(town, "[[sleep:9]]")
    await thinking(town, asked + 1)
    town.discord.delete(cancelled)
    assert (await end_of(town, cancelled))[0] == "cancelled"
    await pause(town)
    said = await town.command("aurora queue retry all")
    assert "Done: 2 of the latest 3" in said
    assert "- 1 not: the message is gone" in said
    waiting = await page(town, "aurora queue list waiting")
    assert row(waiting, first)
    assert row(waiting, last)
    assert len(waiting.splitlines()) == 4


async def test_an_admin_cannot_retry_what_belongs_to_another_server(town: Town) -> None:
    """Nor learn that it exists."""
    abroad = town.discord.add_guild("Elsewhere", owner=town.bo)
    (event,) = await fill(town, 1, guild_id=abroad.id)
    mod = add_mod(town)
    unknown = await town.command("aurora queue retry 123456789012345678", author=mod)
    said = await town.command(f"aurora queue retry {event.message_id}", author=mod)
    assert said == unknown
    assert "no such message" in said
    assert "no such message" in await town.command("aurora queue retry nonsense", author=mod)


async def test_a_direct_message_can_be_tried_again(town: Town) -> None:
    """By the owner, from wherever."""
    await town.command(f"aurora config dm agent {town.agent_id}")
    dm = town.discord.open_dm(town.bo)
    asked = town.discord.say(town.bo, dm, "[[err:400]]")
    await reached(town, asked, "failed")
    town.discord.edit(asked, "[[send:hi]]")
    assert "no such message" in await town.command(f"aurora queue retry {asked.id}")
    said = await town.command(f"aurora queue retry {asked.id} everywhere")
    assert "again" in said
    await reached(town, asked, "answered")


# -- who and how


QUEUE_COMMANDS = [
    "aurora queue status",
    "aurora queue list",
    "aurora queue dead",
    "aurora queue clear",
    "aurora queue retry all",
]


async def test_the_queue_is_not_for_plain_members(town: Town) -> None:
    """Neither in the server nor in a direct message."""
    for place in (town.general, town.discord.open_dm(town.bo)):
        for command in QUEUE_COMMANDS:
            error = await town.refused(command, author=town.bo, channel=place)
            assert type(error).__name__ == "CheckFailure", command


async def test_a_mod_cannot_look_at_everything_from_a_direct_message(town: Town) -> None:
    """Who manages one server is nobody elsewhere."""
    dm = town.discord.open_dm(add_mod(town))
    error = await town.refused("aurora queue status", author=dm.recipients[0], channel=dm)
    assert type(error).__name__ == "CheckFailure"


async def test_the_queue_has_slash_commands(town: Town) -> None:
    """Discord takes them, and they answer."""
    await register(town)
    dead = await failed(town)
    asked = town.discord.slash(town.ada, town.general, "aurora queue status", {})
    message = await town.discord.wait_for(lambda: asked.response)
    assert "failed: 1" in read(message)
    asked = town.discord.slash(town.ada, town.general, "aurora queue list", {"state": "failed"})
    message = await town.discord.wait_for(lambda: asked.response)
    assert row(read(message), dead)
    said = await slash(town, "aurora queue retry", message=str(dead.id))
    assert "waits for its turn again" in said


async def test_a_cog_that_could_not_start_says_so(town: Town) -> None:
    """To its owner with the reason, instead of an error in every command."""
    town.cog.services.failure = "LedgerError: the disk is full."
    assert "the disk is full" in await town.command("aurora queue status")
    said = await town.command("aurora queue status", author=add_mod(town))
    assert "could not start" in said
    assert "disk" not in said
    # As a slash command there need be no `reload`.
    await register(town)
    assert "`!reload aurora`" in await slash(town, "aurora queue status")


async def test_where_the_ledger_cannot_be_opened_nobody_is_left_waiting(town: Town) -> None:
    """Messages are marked, commands say what to do, and a reload mends it."""
    ledger = cog_data_path(raw_name="Aurora") / "ledger.sqlite3"
    await town.command("unload aurora")
    ledger.unlink()
    ledger.mkdir()
    await town.command("load aurora")
    asked = mention(town, "hello")
    await town.discord.wait_for(lambda: town.marks(asked) == ["⏹️"])
    assert "give the bot the right to write" in await town.command("aurora queue status")
    ledger.rmdir()
    await town.command("reload aurora")
    _, end = await town.ask("[[send:hi]]")
    assert end.step == "answered"
