"""The commands: what they say, what they change, and that the change is real."""

from __future__ import annotations

import re

import pytest

from aurora.settings import GUILD_DEFAULTS, KEYS
from doubles.local_discord import (
    Channel,
    Message,
    Overwrite,
    User,
    permissions,
)
from tests.support.e2e.hands import button, register, slash
from tests.support.e2e.seen import reached, thinking
from tests.support.e2e.town import Town

EXAMPLES = {
    "replydepth": "7",
    "typing": "off",
    "progress": "tools",
    "ratelimit": "3.5",
    "queuesize": "20",
    "userqueue": "8",
    "userlimit": "3/30",
    "timeout": "90",
    "mcpguidance": "off",
    "fallback": "off",
    "messages": "3",
    "coalesce": "off",
    "debounce": "3",
    "steps": "30",
    "budget calls": "60",
    "budget reads": "20",
    "budget reactions": "3",
    "budget messages": "6",
    "budget places": "0",
    "budget ids": "10",
    "budget tokens": "100000",
    "invites": "on",
    "answer": "text",
    "userruns": "2",
    "schedules": "on",
    "botturns": "5",
    "router": "on",
}
OUTSIDE = {
    "replydepth": ("0", "1 to 10"),
    "typing": ("perhaps", "on or off"),
    "progress": ("on", "off, quiet or tools"),
    "ratelimit": ("0.4", "0.5 to 10"),
    "queuesize": ("1001", "10 to 1000"),
    "userqueue": ("51", "1 to 50"),
    "userlimit": ("0 60", "1 to 1000"),
    "timeout": ("nan", "10 to 300"),
    "mcpguidance": ("", "on or off"),
    "fallback": ("2", "on or off"),
    "messages": ("11", "1 to 10"),
    "coalesce": ("some", "on or off"),
    "debounce": ("11", "0 to 10"),
    "steps": ("51", "3 to 50"),
    "budget calls": ("4", "5 to 200"),
    "budget reads": ("51", "1 to 50"),
    "budget reactions": ("21", "1 to 20"),
    "budget messages": ("0", "1 to 30"),
    "budget places": ("11", "0 to 10"),
    "budget ids": ("many", "1 to 50"),
    "budget tokens": ("500001", "10000 to 500000"),
    "invites": ("perhaps", "on or off"),
    "answer": ("both", "tool or text"),
    "userruns": ("11", "1 to 10"),
    "schedules": ("yes please", "on or off"),
    "botturns": ("0", "1 to 50"),
    "router": ("perhaps", "on or off"),
}


async def connect(town: Town) -> None:
    """Point Aurora at the server, with its token."""
    await town.red.bot.set_shared_api_tokens("letta", token=town.server.token)
    await town.command(f"aurora lettaurl {town.server.url}")


def shown(text: str, setting: str) -> str:
    """Return the value that `config show` gives for a setting."""
    found = re.search(rf"^{setting} +(\S+)", text, re.MULTILINE)
    assert found, text
    return found[1]


# -- enable and disable


async def test_enable_names_the_agent_and_config_show_has_it(bare_town: Town) -> None:
    """The admin sees that the id was the right one."""
    await connect(bare_town)
    agent_id = await bare_town.server.create_agent("town *agent*")
    said = await bare_town.command(f"aurora enable {agent_id}")
    assert r"town \*agent\*" in said
    assert agent_id in said
    assert shown(await bare_town.settings(), "agent") == agent_id


async def test_enable_before_lettaurl_names_the_command_that_is_missing(bare_town: Town) -> None:
    """A newcomer's first mistake."""
    said = await bare_town.command("aurora enable agent-1")
    assert "!aurora lettaurl <url>" in said


async def test_enable_refuses_an_agent_that_is_not_there(bare_town: Town) -> None:
    """Nothing is changed, and the text says so; a copied bracket has a hint of its own."""
    await connect(bare_town)
    for agent_id, words in {
        "agent-of-nobody": "not found",
        "a" * 100: "not found",
        "<agent-1>": "without brackets",
        '"agent 1"': "That is no agent id",
        "a" * 1800: "That is no agent id",
    }.items():
        said = await bare_town.command(f"aurora enable {agent_id}")
        assert words in said
        assert ("Check the agent's id." in said) == (words == "not found")
        assert "Nothing was changed" in said
    assert "not enabled here" in await bare_town.settings()


async def test_disable_silences_the_server_and_enable_brings_it_back(town: Town) -> None:
    """The agent is not remembered as answering."""
    assert "no longer answer" in await town.command("aurora disable")
    ignored = town.discord.say(town.bo, town.general, f"{town.mention} hello?")
    assert await town.refusal(ignored) == "not_enabled"
    assert "not enabled here" in await town.settings()
    assert "Done" in await town.command(f"aurora enable {town.agent_id}")
    _, end = await town.ask("hello")
    assert end.step == "answered"


async def test_disable_cancels_what_waits_and_says_how_many(town: Town) -> None:
    """One message is being answered, the next waits behind it."""
    running = town.discord.say(town.ada, town.general, f"{town.mention} [[sleep:1]]")
    await thinking(town)
    waiting = town.discord.say(town.bo, town.general, f"{town.mention} and me?")
    await town.discord.wait_for(lambda: "queued" in town.steps(waiting) or None)
    assert "cancelled: 1" in await town.command("aurora disable")
    assert (await town.ended(waiting)).detail == "disabled"
    # What its agent says after that is held back as well.
    assert (await town.ended(running)).detail == "not_enabled"


# Seconds for which Discord takes no mark: enough to see what comes first.
SLOW_MARKS = 1.5


async def waiting_messages(town: Town, place: Channel, author: User) -> list[Message]:
    """Let messages wait for their turn."""
    await town.cog.services.settings.set_guild(town.guild.id, rate_limit_seconds=60.0)
    town.discord.say(author, place, f"{town.mention} [[sleep:9]]")
    said = [town.discord.say(author, place, f"{town.mention} {number}") for number in range(3)]
    for message in said:
        await reached(town, message, "queued")
    return said


@pytest.mark.parametrize("dm", [False, True], ids=["server", "dm"])
async def test_a_slash_command_that_silences_answers_before_the_marks(
    town: Town, dm: bool
) -> None:
    """Discord waits three seconds for the answer; everybody who waits is shown the end."""
    town.cog.services.grace = 0.3
    await register(town)
    await town.command(f"aurora config dm agent {town.agent_id}")
    place = town.discord.open_dm(town.bo) if dm else town.general
    said = await waiting_messages(town, place, town.bo)
    town.discord.faults.rate_limit("PUT", "/reactions/", retry_after=SLOW_MARKS)
    if dm:
        assert "**off**" in await slash(town, "aurora config dm", action="off")
    else:
        assert "cancelled: 3" in await slash(town, "aurora disable")
    assert not all(map(town.marks, said))
    await town.discord.wait_for(lambda: all(map(town.marks, said)) or None)
    assert [town.marks(message) for message in said] == [["⏹️"]] * 3


# -- lettaurl and the token


async def test_lettaurl_reaches_the_server_and_says_so(bare_town: Town) -> None:
    """Address and token are right."""
    await bare_town.red.bot.set_shared_api_tokens("letta", token=bare_town.server.token)
    short = bare_town.server.url.removesuffix("/ws")
    assert "answers" in await bare_town.command(f"aurora lettaurl {short}")


async def test_lettaurl_refuses_credentials_and_does_not_repeat_them(bare_town: Town) -> None:
    """The channel has seen them once too often already."""
    said = await bare_town.command("aurora lettaurl wss://ada:hunter2@letta.example")
    assert "hunter2" not in said
    assert "!set api letta token" in said
    assert bare_town.cog.services.settings.world.letta_base_url is None


async def test_a_refused_lettaurl_leaves_the_old_one_in_use(town: Town) -> None:
    """A slip of the pen takes nothing down."""
    await town.command("aurora lettaurl nonsense")
    _, end = await town.ask("hello")
    assert end.step == "answered"


def clear_url(town: Town) -> str:
    """Return an address of the server that is not known to be this machine's."""
    return town.server.url.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 - nothing listens there


async def ask_in_clear(town: Town, press: str) -> str:
    """Set the address and press a button; return what is said at last."""
    before = len(town.bot_messages(town.general))
    town.discord.say(town.ada, town.general, f"!aurora lettaurl {clear_url(town)}")
    await town.discord.wait_for(lambda: len(town.bot_messages(town.general)) > before or None)
    question = town.bot_messages(town.general)[-1]
    assert "not encrypted" in question.content
    town.discord.press(town.ada, question, button(question, press))
    await town.discord.wait_for(lambda: len(town.bot_messages(town.general)) > before + 1 or None)
    return town.bot_messages(town.general)[-1].content


async def test_a_question_that_nobody_answers_changes_nothing(town: Town) -> None:
    """An owner who walked away must not come back to another server."""
    town.cog.services.answer_seconds = 0.2
    town.discord.say(town.ada, town.general, f"!aurora lettaurl {clear_url(town)}")
    await town.discord.wait_for(
        lambda: "nothing was changed" in town.bot_messages(town.general)[-1].content
    )
    assert town.cog.services.settings.world.letta_base_url == town.server.url


async def test_a_late_answer_does_not_undo_a_newer_address(bare_town: Town) -> None:
    """The address that was set while the question stood open stays."""
    town = bare_town
    town.discord.say(town.ada, town.general, f"!aurora lettaurl {clear_url(town)}")
    await town.discord.wait_for(lambda: town.bot_messages(town.general) or None)
    question = town.bot_messages(town.general)[-1]
    await town.red.bot.set_shared_api_tokens("letta", token=town.server.token)
    assert "answers" in await town.command(f"aurora lettaurl {town.server.url}")
    town.discord.press(town.ada, question, button(question, "Yes"))
    await town.discord.wait_for(
        lambda: "that one stays" in town.bot_messages(town.general)[-1].content
    )
    assert town.cog.services.settings.world.letta_base_url == town.server.url


async def test_a_token_in_clear_is_sent_if_the_owner_says_yes(bare_town: Town) -> None:
    """The server, which lets nobody in without its token, answers."""
    await bare_town.red.bot.set_shared_api_tokens("letta", token=bare_town.server.token)
    said = await ask_in_clear(bare_town, "Yes")
    assert "answers" in said
    assert "not sent" not in said


async def test_a_token_in_clear_is_not_sent_if_the_owner_says_no(bare_town: Town) -> None:
    """The server refuses, and the owner reads why."""
    await bare_town.red.bot.set_shared_api_tokens("letta", token=bare_town.server.token)
    said = await ask_in_clear(bare_town, "No")
    assert "refused the token" in said
    assert "Your token was not sent" in said
    assert "[p]" not in said


async def test_a_token_set_later_is_not_sent_in_clear_either(bare_town: Town) -> None:
    """The answer was about the address, not about the token of that day."""
    assert "refused the token" in await ask_in_clear(bare_town, "No")
    await bare_town.red.bot.set_shared_api_tokens("letta", token=bare_town.server.token)
    agent_id = await bare_town.server.create_agent("town agent")
    said = await bare_town.command(f"aurora enable {agent_id}")
    assert "Your token was not sent" in said


async def test_consent_ends_with_the_address_it_was_given_for(bare_town: Town) -> None:
    """Back and forth, and the question comes again."""
    await bare_town.red.bot.set_shared_api_tokens("letta", token=bare_town.server.token)
    await ask_in_clear(bare_town, "Yes")
    await bare_town.command(f"aurora lettaurl {bare_town.server.url}")
    assert bare_town.cog.services.settings.world.token_in_clear_allowed is False
    assert "not sent" in await ask_in_clear(bare_town, "No")


async def test_a_new_token_is_used_at_once(bare_town: Town) -> None:
    """Through Red's own command, without a reload."""
    await bare_town.command(f"aurora lettaurl {bare_town.server.url}")
    agent_id = await bare_town.server.create_agent("town agent")
    assert "refused the token" in await bare_town.command(f"aurora enable {agent_id}")
    await bare_town.command(f"set api letta token,{bare_town.server.token}")
    assert "Done" in await bare_town.command(f"aurora enable {agent_id}")


# -- config


async def test_every_setting_is_read_back_by_config_show(bare_town: Town) -> None:
    """Set each to what it was not, and look."""
    assert EXAMPLES.keys() == KEYS.keys()
    examples = dict(EXAMPLES)
    # It and `fallback off` refuse each other.
    answer = examples.pop("answer")
    for setting, value in examples.items():
        said = await bare_town.command(f"aurora config {setting} {value}")
        assert f"`{setting}` is now **{value}**" in said
    page = await bare_town.settings()
    assert {setting: shown(page, setting) for setting in examples} == examples
    mine = bare_town.cog.services.settings.guild(bare_town.guild.id)
    changed = {key for key in KEYS.values() if getattr(mine, key) != GUILD_DEFAULTS[key]}
    assert changed == set(KEYS.values()) - {"answer_way"}
    await bare_town.command("aurora config fallback on")
    await bare_town.command(f"aurora config answer {answer}")
    assert shown(await bare_town.settings(), "answer") == answer


async def test_a_value_out_of_range_names_the_range_and_changes_nothing(bare_town: Town) -> None:
    """For every setting, by its own command and by `config set`."""
    for setting, (value, span) in OUTSIDE.items():
        for command in (f'config {setting} "{value}"', f'config set {setting} "{value}"'):
            assert span in await bare_town.command(f"aurora {command}")
    services = bare_town.cog.services
    assert services.settings.guild(bare_town.guild.id) == services.settings.guild(None)


async def test_config_budget_shows_and_changes_what_a_run_may_do(bare_town: Town) -> None:
    """`config set` takes the name as it is typed, as one word, and the server after the value."""
    page = await bare_town.command("aurora config budget")
    assert shown(page, "budget messages") == "12"
    assert "timeout" not in page
    assert "timeout" not in await bare_town.command("aurora config budget reads")
    for command in (
        "config budget reads 3",
        "config set budget reads 4",
        'config set "budget reads" 5',
        f"config set budget reads 6 {bare_town.guild.id}",
    ):
        said = await bare_town.command(f"aurora {command}")
        assert "`budget reads` is now" in said
        number = command.split("reads")[1].strip('" ')[0]
        services = bare_town.cog.services
        assert services.settings.guild(bare_town.guild.id).budget_reads == int(number)
    assert "no setting" in await bare_town.command("aurora config budget sheep 3")


async def test_config_set_of_an_unknown_setting_lists_the_known(bare_town: Town) -> None:
    """A typing error costs one message."""
    said = await bare_town.command("aurora config set colour blue")
    assert all(setting in said for setting in KEYS)


@pytest.mark.parametrize("setting", ["tools", "alerts", "retention", "alertwebhook"])
async def test_config_set_of_what_has_its_own_command_names_that(
    bare_town: Town, setting: str
) -> None:
    """`config show` lists it, so somebody will try."""
    assert setting in await bare_town.settings()
    said = await bare_town.command(f"aurora config set {setting} off")
    assert f"`!aurora config {setting}`" in said


async def test_settings_survive_a_reload(bare_town: Town) -> None:
    """They are kept, not only remembered."""
    await bare_town.command("aurora config timeout 90")
    assert "Reloaded" in await bare_town.command("reload aurora")
    assert shown(await bare_town.settings(), "timeout") == "90"


async def test_typing_off_shows_no_typing(town: Town) -> None:
    """And on shows it."""

    def typed() -> int:
        return sum(call.route.endswith("/typing") for call in town.discord.calls)

    before = typed()
    await town.ask("[[sleep:0.1]]")
    assert typed() > before
    await town.command("aurora config typing off")
    before = typed()
    await town.ask("[[sleep:0.1]]")
    assert typed() == before


async def test_mcpguidance_off_leaves_the_hints_out_of_the_prompt(town: Town) -> None:
    """The tools stay."""
    first, _ = await town.ask("hello")
    assert "discord_send(" in town.prompt(first)
    await town.command("aurora config mcpguidance off")
    second, end = await town.ask("hello")
    assert "discord_send(" not in town.prompt(second)
    assert end.step == "answered"


async def test_fallback_off_marks_a_text_instead_of_sending_it(town: Town) -> None:
    """The strict silence of those who want it."""
    await town.command("aurora config fallback off")
    message, end = await town.ask("[[say:just text]]")
    assert (end.step, end.detail) == ("declined", "text_not_delivered")
    assert town.answers(message) == []
    assert town.marks(message) == ["💬"]


async def test_replydepth_bounds_the_chain(town: Town) -> None:
    """One message above, though there are two."""
    await town.command("aurora config replydepth 1")
    first = town.discord.say(town.bo, town.general, "the oldest")
    second = town.discord.say(town.ada, town.general, "the nearest", reply_to=first)
    message, _ = await town.ask("and?", reply_to=second)
    assert "the nearest" in town.prompt(message)
    assert "the oldest" not in town.prompt(message)


async def test_config_dm_decides_who_answers_direct_messages(town: Town) -> None:
    """From a direct message, as the owner may."""
    dm = town.discord.open_dm(town.ada)
    assert "no agent yet" in await town.command("aurora config dm", channel=dm)
    assert "Which one?" in await town.command("aurora config dm agent", channel=dm)
    said = await town.command("aurora config dm agent agent-of-nobody", channel=dm)
    assert "not found" in said
    said = await town.command(f"aurora config dm agent {town.agent_id}", channel=dm)
    assert said.startswith(f"Direct messages are **on**, answered by `{town.agent_id}`.")
    assert "answers in 2 places now" in said
    assert "**off**" in await town.command("aurora config dm off", channel=dm)
    assert "**on**" in await town.command("aurora config dm on", channel=dm)


async def test_lettaurl_works_in_a_direct_message(bare_town: Town) -> None:
    """Where an owner would rather type it."""
    await bare_town.red.bot.set_shared_api_tokens("letta", token=bare_town.server.token)
    dm = bare_town.discord.open_dm(bare_town.ada)
    said = await bare_town.command(f"aurora lettaurl {bare_town.server.url}", channel=dm)
    assert "answers" in said


# -- alerts and retention


async def test_config_alerts_takes_a_channel_that_both_can_use(town: Town) -> None:
    """The bot proves it by writing there; what the invoker can't see looks like nothing."""
    hide = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
    mute = Overwrite.of(town.guild.everyone, deny=permissions.SEND_MESSAGES)
    bot = Overwrite.of(town.discord.bot_user, allow=permissions.VIEW_CHANNEL)
    staff = town.discord.add_channel(town.guild, "staff", overwrites=(hide, bot))
    rules = town.discord.add_channel(town.guild, "rules", overwrites=(mute,))
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    cy = town.discord.add_user("cy")
    town.discord.add_member(town.guild, cy, roles=(mods,))
    settings = town.cog.services.settings
    said = await town.command("aurora config alerts nowhere", author=cy)
    assert "no such channel that you can see" in said
    assert await town.command(f"aurora config alerts {staff.id}", author=cy) == said
    said = await town.command("aurora config alerts rules", author=cy)
    assert f"I can't write in {rules.mention}" in said
    assert settings.guild(town.guild.id).alert_channel_id is None
    assert town.bot_messages(staff) == town.bot_messages(rules) == []
    thread = town.discord.start_thread(town.general, "incidents", owner=town.ada)
    assert "Done" in await town.command(f"aurora config alerts {thread.mention}", author=cy)
    assert settings.guild(town.guild.id).alert_channel_id == thread.id
    assert len(town.bot_messages(thread)) == 1
    assert f"Alerts go to {thread.mention}" in await town.settings()
    assert "no alert channel" in await town.command("aurora config alerts off", author=cy)
    assert shown(await town.settings(), "alerts") == "off"


async def test_config_alertwebhook_keeps_its_address_a_secret(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    """The message with it is deleted, and no answer, log or page repeats it."""
    ops = town.discord.add_channel(town.guild, "ops")
    hook = town.discord.add_webhook(ops)
    manage = Overwrite.of(town.discord.bot_user, allow=permissions.MANAGE_MESSAGES)
    town.discord.set_overwrites(town.general, (manage,))
    said = await town.command(f"aurora config alertwebhook {hook.url}")
    assert f"{hook.id}/…" in said
    assert "delete" not in said
    assert [one.content for one in town.discord.messages(ops)] == [
        "Aurora's alerts will come here."
    ]
    assert not [one for one in town.discord.messages(town.general) if hook.token in one.content]
    page = await town.settings()
    assert shown(page, "alertwebhook") == "on"
    assert hook.token not in page + caplog.text
    assert "no webhook" in await town.command("aurora config alertwebhook off")
    assert town.cog.services.settings.world.alert_webhook is None


async def test_config_alertwebhook_warns_where_it_cannot_delete_the_address(town: Town) -> None:
    """As in a direct message, where nobody deletes for anybody else."""
    hook = town.discord.add_webhook(town.general)
    dm = town.discord.open_dm(town.ada)
    for place in (town.general, dm):
        said = await town.command(f"aurora config alertwebhook {hook.url}", channel=place)
        assert "Delete it yourself" in said
        assert hook.token not in said


async def test_config_alertwebhook_refuses_what_is_none_or_does_not_work(town: Town) -> None:
    """A slip of the pen may still hold a secret, so that is not repeated either."""
    hook = town.discord.add_webhook(town.general)
    for url in (f"{hook.url}/slack", f"https://hooks.example/{hook.token}", "on"):
        said = await town.command(f"aurora config alertwebhook {url}")
        assert "no address of a Discord webhook" in said
        assert hook.token not in said
    town.discord.remove_webhook(hook)
    said = await town.command(f"aurora config alertwebhook {hook.url}")
    assert "Discord knows no such webhook" in said
    assert hook.token not in said
    assert town.cog.services.settings.world.alert_webhook is None


async def test_config_retention_takes_a_week_to_a_year(bare_town: Town) -> None:
    """And says so."""
    assert "**90 days**" in await bare_town.command("aurora config retention 90")
    for days in ("6", "366"):
        said = await bare_town.command(f"aurora config retention {days}")
        assert "7" in said
        assert "365" in said
    assert shown(await bare_town.settings(), "retention") == "90"


async def test_config_embedhosts_lists_hosts_whose_links_are_previewed(town: Town) -> None:
    """As people type them: a host, an address, in brackets; what is none is refused."""
    assert "No host is listed" in await town.command("aurora config embedhosts")
    for typed in ("Example.com", "<https://www.example.org/page?x>", "example.com"):
        said = await town.command(f"aurora config embedhosts add {typed}")
    assert "`example.com`, `www.example.org`" in said
    for wrong in ("", "localhost", "https://", "a b", "https://good.example\\@evil.example"):
        assert "Which host?" in await town.command(f"aurora config embedhosts add {wrong}")
    assert "not listed" in await town.command("aurora config embedhosts remove example.net")
    said = await town.command("aurora config embedhosts remove www.example.org")
    assert "`example.com`" in said
    assert "No host is listed" in await town.command("aurora config embedhosts clear")


async def test_config_silence_lists_words_that_are_no_answer(town: Town) -> None:
    """Added with the word alone, too; compared without case and punctuation, and bounded."""
    assert "No word is listed" in await town.command("aurora config silence")
    for typed in ("add Nichts zu sagen.", "🤐", "nichts zu SAGEN", "add `@everyone`"):
        said = await town.command(f"aurora config silence {typed}")
    assert "`🤐`, `nichts zu SAGEN`" in said
    assert "as silence already" in await town.command("aurora config silence no_reply")
    assert "Which word?" in await town.command("aurora config silence add")
    assert "60 are the most" in await town.command(f"aurora config silence add {'a' * 61}")
    assert "not listed" in await town.command("aurora config silence remove nothing else")
    assert shown(await town.settings(), "silence") == "3"
    said = await town.command("aurora config silence remove 🤐")
    assert "🤐" not in said
    assert "No word is listed" in await town.command("aurora config silence clear")


# -- slash


async def test_the_slash_commands_work_within_discords_limits(town: Town) -> None:
    """Registered by Red's own commands; Discord refuses what is too deep or too wide."""
    await register(town)
    said = await slash(town, "aurora config set", setting="timeout", value="120")
    assert "`timeout` is now **120**" in said
    said = await slash(town, "aurora config show")
    assert shown(said, "timeout") == "120"
    below = "`/aurora config set <setting> <value>`"
    last = town.discord.wait_for(
        lambda: below in town.bot_messages(town.general)[-1].content or None
    )
    assert await last
    said = await slash(town, "aurora enable", agent_id=town.agent_id)
    assert "town agent" in said
    said = await slash(town, "aurora config dm", action="agent", agent_id=town.agent_id)
    assert town.agent_id in said
    assert "answers" in await slash(town, "aurora lettaurl", url=town.server.url)


async def test_a_slash_lettaurl_in_clear_asks_and_goes_on(bare_town: Town) -> None:
    """The question has used up the interaction's first answer."""
    town = bare_town
    await town.red.bot.set_shared_api_tokens("letta", token=town.server.token)
    await register(town)
    asked = town.discord.slash(town.ada, town.general, "aurora lettaurl", {"url": clear_url(town)})
    question = await town.discord.wait_for(lambda: asked.response)
    town.discord.press(town.ada, question, button(question, "Yes"))
    (said,) = await town.discord.wait_for(lambda: asked.followups)
    assert "answers" in said.content


# -- context


def attached(message: Message) -> str:
    """Return the text of a message's file."""
    (file,) = message.attachments
    return file.data.decode()


def timeless(prompt: str) -> str:
    """Take the nonce and what depends on the hour out of a prompt."""
    prompt = re.sub(r"\b[0-9a-f]{8,}\b", "NONCE", prompt)
    return re.sub(r"just now|\d+ seconds? ago|\d\d:\d\d:\d\d UTC", "TIME", prompt)


async def context_of(town: Town, which: str, channel: Channel | None = None) -> str:
    """Ask for the context of a message and return it."""
    await town.command(f"aurora context {which}", channel=channel)
    return attached(town.bot_messages(channel or town.general)[-1])


async def test_context_shows_exactly_what_the_agent_was_given(town: Town) -> None:
    """Word for word, but for the nonce and the time."""
    first = town.discord.say(town.bo, town.general, "what is **this**?")
    message, _ = await town.ask(
        f"tell {town.bo.mention} in {town.general.mention} ```now```",
        reply_to=first,
        attachments=[("plan.txt", b"x")],
    )
    shown = await context_of(town, str(message.id))
    # Files are opened when their turn has come, and kept nowhere.
    given, _, files = town.prompt(message).partition("Files that came along.")
    after = files.rpartition(">>>\n\n")[2]
    assert "BEGIN file 1" in files
    assert timeless(shown) == timeless(given + after)


async def test_context_works_in_a_thread_by_link_and_when_it_is_archived(town: Town) -> None:
    """An archived thread is in no cache."""
    thread = town.discord.start_thread(town.general, "side talk", owner=town.ada)
    message, _ = await town.ask("hello", channel=thread)
    assert "side talk" in await context_of(town, str(message.id), thread)
    link = f"https://discord.com/channels/{town.guild.id}/{thread.id}/{message.id}"
    town.discord.archive(thread)
    assert "side talk" in await context_of(town, link)


async def test_context_comes_in_pages_where_files_are_forbidden(town: Town) -> None:
    """The text's own fences don't end the box."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.ATTACH_FILES)
    town.discord.set_overwrites(town.general, (deny,))
    message, _ = await town.ask("```code```")
    said = await town.command(f"aurora context {message.id}")
    assert said.startswith("```")
    assert said.count("```") == 2


async def test_context_in_pages_stays_in_its_box_and_pings_nobody(town: Town) -> None:
    """Four backticks are a fence and one more."""
    deny = Overwrite.of(town.guild.everyone, deny=permissions.ATTACH_FILES)
    town.discord.set_overwrites(town.general, (deny,))
    message, _ = await town.ask(f"````{town.bo.mention} @everyone````")
    said = await town.command(f"aurora context {message.id}")
    assert said.count("```") == 2
    (call,) = [
        one
        for one in town.discord.calls
        if isinstance(one.body, dict) and one.body.get("content") == said
    ]
    assert call.body["allowed_mentions"]["parse"] == []


async def test_a_slash_context_is_deferred_before_the_look_ups(town: Town) -> None:
    """Which may take longer than the three seconds that Discord waits."""
    await register(town)
    message, _ = await town.ask("hello")
    town.discord.faults.rate_limit("GET", rf"/messages/{message.id}", retry_after=4.0)
    asked = town.discord.slash(
        town.ada, town.general, "aurora context", {"message": str(message.id)}
    )
    await town.discord.wait_for(lambda: asked.deferred or None, 3.0)
    assert "what the agent would get" in await town.discord.wait_for(lambda: asked.content)


@pytest.mark.parametrize("before", ["in ", "x" * 985], ids=["whole", "cut in the name"])
async def test_context_names_no_channel_that_not_all_readers_can_see(
    town: Town, before: str
) -> None:
    """Its author may see it; the agent would name it to those who may not."""
    hide = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
    bot = Overwrite.of(town.discord.bot_user, allow=permissions.VIEW_CHANNEL)
    plot = town.discord.add_channel(town.guild, "surprise-for-cy", overwrites=(hide, bot))
    first = town.discord.say(town.ada, town.general, f"{before}{plot.mention}")
    message, _ = await town.ask(
        f"what of {plot.mention} and {town.general.mention}?", reply_to=first
    )
    seen = await context_of(town, str(message.id))
    assert "surprise" not in seen
    assert f"what of {plot.mention} and #general" in seen
    assert "surprise" not in town.prompt(message)


async def test_context_names_a_channel_that_all_who_read_the_place_can_see(town: Town) -> None:
    """Nobody else is shown it: neither an admin who can't read the place, nor what is there."""
    crew = town.discord.add_role(town.guild, "crew")
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    town.discord.add_member(town.guild, town.bo, roles=(crew, mods))
    cy = town.discord.add_user("cy")
    town.discord.add_member(town.guild, cy, roles=(mods,))
    hide = Overwrite.of(town.guild.everyone, deny=permissions.VIEW_CHANNEL)
    let_in = Overwrite.of(crew, allow=permissions.VIEW_CHANNEL)
    bot = Overwrite.of(town.discord.bot_user, allow=permissions.VIEW_CHANNEL)
    rules = (hide, let_in, bot)
    deck = town.discord.add_channel(town.guild, "deck", overwrites=rules)
    plot = town.discord.add_channel(town.guild, "surprise-for-cy", overwrites=rules)
    message = town.discord.say(town.bo, deck, f"{town.mention} what of {plot.mention}?")
    await town.ended(message)
    link = f"https://discord.com/channels/{town.guild.id}/{deck.id}/{message.id}"
    await town.command(f"aurora context {link}", author=town.bo)
    seen = attached(town.bot_messages(town.general)[-1])
    assert f"what of #surprise-for-cy {plot.mention}" in seen
    assert "#surprise-for-cy" in town.prompt(message)
    refused = await town.command(f"aurora context {link}", author=cy)
    assert refused == await town.command("aurora context 123456789012345678", author=cy)


async def test_context_refuses_hidden_foreign_and_unknown_messages_alike(town: Town) -> None:
    """Nobody can find out by trying what is there."""
    everyone = town.guild.everyone
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    cy = town.discord.add_user("cy")
    town.discord.add_member(town.guild, cy, roles=(mods,))
    hide = Overwrite.of(everyone, deny=permissions.VIEW_CHANNEL)
    forget = Overwrite.of(everyone, deny=permissions.READ_MESSAGE_HISTORY)
    bot = Overwrite.of(town.discord.bot_user, allow=permissions.VIEW_CHANNEL)
    staff = town.discord.add_channel(town.guild, "staff", overwrites=(hide, bot))
    fresh = town.discord.add_channel(town.guild, "fresh", overwrites=(forget,))
    abroad = town.discord.add_guild("Elsewhere", owner=cy)
    foreign = town.discord.add_channel(abroad, "general")
    locked = town.discord.start_thread(town.general, "guests", owner=town.ada, private=True)
    secrets = [
        town.discord.say(cy if place is foreign else town.ada, place, "secret")
        for place in (staff, fresh, foreign, locked)
    ]
    said = set()
    for message in secrets:
        guild = message.channel.guild
        assert guild is not None
        link = f"https://discord.com/channels/{guild.id}/{message.channel.id}/{message.id}"
        said.add(await town.command(f"aurora context {link}", author=cy))
        said.add(await town.command(f"aurora context {message.id}", author=cy))
    for nothing in (str(town.general.id), "123", "hello", "9" * 30):
        said.add(await town.command(f"aurora context {nothing}", author=cy))
    assert len(said) == 1
    assert "no such message that you can see" in said.pop()


# -- who may do what


GUILD_COMMANDS = [
    "aurora enable agent-1",
    "aurora disable",
    "aurora context 1",
    "aurora config show",
    "aurora config set timeout 90",
    *(f"aurora config {setting} {value}" for setting, value in EXAMPLES.items()),
    "aurora config alerts off",
    "aurora config channels",
    "aurora config roles clear",
    "aurora config users clear",
    "aurora config embedhosts show",
    "aurora config silence show",
    "aurora config replies any",
    "aurora config ignoreprefixes clear",
    "aurora config mentionrole off",
    "aurora config wakeword off",
]
OWNER_COMMANDS = [
    "aurora agents allow agent-1",
    "aurora agents revoke agent-1",
    "aurora agents slim agent-1",
    "aurora lettaurl ws://127.0.0.1:9",
    "aurora config dm off",
    "aurora config tools mcp",
    "aurora config alertwebhook off",
    "aurora config retention 90",
    "aurora config trustbot show",
]


async def test_a_plain_member_is_refused_everything(town: Town) -> None:
    """In silence, as Red does, and nothing changes."""
    services = town.cog.services
    before = services.settings.guild(town.guild.id), services.settings.world
    said = len(town.bot_messages(town.general))
    for command in GUILD_COMMANDS + OWNER_COMMANDS:
        error = await town.refused(command, author=town.bo)
        assert type(error).__name__ in ("CheckFailure", "NotOwner"), command
    assert (services.settings.guild(town.guild.id), services.settings.world) == before
    assert len(town.bot_messages(town.general)) == said


async def test_who_manages_the_server_has_its_commands_but_not_the_owners(town: Town) -> None:
    """manage_guild is enough for the one, nothing but ownership for the other."""
    mods = town.discord.add_role(town.guild, "mods", permissions=permissions.MANAGE_GUILD)
    cy = town.discord.add_user("cy")
    town.discord.add_member(town.guild, cy, roles=(mods,))
    for command in GUILD_COMMANDS:
        assert await town.command(command, author=cy), command
    for command in OWNER_COMMANDS:
        assert await town.refused(command, author=cy), command
    assert town.cog.services.settings.world.letta_base_url == town.server.url


async def test_the_guilds_commands_are_not_for_direct_messages(town: Town) -> None:
    """There is no server that they could mean."""
    dm = town.discord.open_dm(town.ada)
    for command in [*GUILD_COMMANDS, "aurora agents revoke agent-1", "aurora config tools mcp"]:
        error = await town.refused(command, channel=dm)
        assert type(error).__name__ == "NoPrivateMessage", command


async def test_every_command_explains_itself(bare_town: Town) -> None:
    """With the bot's own prefix, and in a few lines."""
    page = await bare_town.command("help aurora lettaurl")
    last = bare_town.bot_messages(bare_town.general)[-1]
    assert "!set api letta token" in page + str(last.embeds)
    bot = bare_town.red.bot
    asked = next(one for one in bot.cached_messages if one.content.startswith("!help"))
    context = await bot.get_context(asked)
    for command in [bot.get_command("aurora"), *bare_town.cog.walk_commands()]:
        text = command.format_help_for_context(context)
        assert 10 < len(text) < 400, command.qualified_name
        assert "[p]" not in text, command.qualified_name


# -- data about people


async def test_a_data_deletion_forgets_a_persons_events(town: Town) -> None:
    """What waits is cancelled, what ended is dropped; the others' stay."""
    _, end = await town.ask("hello", author=town.bo)
    _, kept = await town.ask("hello")
    town.discord.say(town.ada, town.general, f"{town.mention} [[sleep:1]]")
    waiting = town.discord.say(town.bo, town.general, f"{town.mention} me too")
    await town.discord.wait_for(lambda: "queued" in town.steps(waiting) or None)
    await town.cog.red_delete_data_for_user(requester="user", user_id=town.bo.id)
    assert (await town.ended(waiting)).detail == "forgotten"
    store = town.cog.services.store
    assert await store.get(end.event_id) is None
    assert await store.sends(end.event_id) == []
    assert await store.get(kept.event_id) is not None
