"""What wakes the agent in a real Red, beside its other cogs, and what admins say of it."""

from __future__ import annotations

from importlib import import_module

from redbot.core import commands

from doubles.local_discord import Message
from doubles.local_discord.posting import Draft, post
from tests.support.e2e.town import Town


class Ping(commands.Cog):
    """Another cog of the bot."""

    @commands.command()
    async def pong(self, ctx: commands.Context) -> None:
        """Say something."""
        await ctx.send("Pong.")


async def quiet(town: Town, *messages: Message) -> None:
    """See that the agent was not asked, though it hears others."""
    _, end = await town.ask("are you there?")
    assert end.step == "answered"
    assert [one.content for one in messages if town.steps(one)] == []


async def load(town: Town, *cogs: str) -> None:
    """Load some of Red's own cogs."""
    for cog in cogs:
        await import_module(f"redbot.cogs.{cog}").setup(town.red.bot)


async def test_an_alias_and_a_custom_command_are_answered_once(town: Town) -> None:
    """By Red alone, also behind a mention of the bot where that is a prefix."""
    await load(town, "alias", "customcom")
    await town.red.bot.add_cog(Ping())
    await town.command("alias add hug pong")
    await town.command("customcom create simple motd Be kind to {author}.")
    said = [f"!hug {town.mention}", f"!motd {town.mention}", f"!nothing {town.mention}"]
    prefixes = ["!", f"{town.mention} "]
    await town.red.bot.set_prefixes(prefixes=prefixes, guild=town.red.bot.get_guild(town.guild.id))
    said += [f"{town.mention} hug", f"{town.mention} motd", f"{town.mention} pong"]
    messages = [town.discord.say(town.bo, town.general, text) for text in said]

    def answered() -> bool | None:
        texts = [one.content for one in town.bot_messages(town.general)]
        return (texts.count("Pong.") == 3 and sum("Be kind" in one for one in texts) == 2) or None

    await town.discord.wait_for(answered)
    await quiet(town, *messages)


async def test_a_report_is_reds_and_the_next_message_the_agents(town: Town) -> None:
    """What somebody reports in private is not for the agent to read."""
    await load(town, "reports")
    await town.command(f"reportset output <#{town.general.id}>")
    await town.command("reportset toggle")
    await town.cog.services.settings.set_world(dm_agent_id=town.agent_id)
    dm = town.discord.open_dm(town.bo)
    town.discord.say(town.bo, town.general, "!report")
    await town.discord.wait_for(lambda: town.bot_messages(dm) or None)
    report = town.discord.say(town.bo, dm, "Somebody is unkind to me.")
    await town.discord.wait_for(lambda: len(town.bot_messages(dm)) > 1 or None)
    assert await town.refusal(report) == "awaited"
    later, end = await town.ask("[[say:Of course.]]", author=town.bo, channel=dm)
    assert end.step == "answered"
    assert "unkind" not in str(town.llm.requests)
    assert town.steps(report) == []
    assert len(town.answers(later, dm)) == 1


async def test_only_replies_to_what_the_agent_said_count(town: Town) -> None:
    """Until admins say otherwise; a reply that mentions the bot always does."""
    await town.red.bot.add_cog(Ping())
    asked, _ = await town.ask("hello")
    (answer,) = town.answers(asked)
    await town.command("pong")
    pong = town.bot_messages(town.general)[-1]
    lol = town.discord.say(town.bo, town.general, "lol", reply_to=pong)
    assert await town.refusal(lol) == "other_cogs_message"
    more = town.discord.say(town.bo, town.general, "and then?", reply_to=answer)
    assert (await town.ended(more)).step == "answered"
    why = town.discord.say(town.bo, town.general, f"{town.mention} what is that?", reply_to=pong)
    assert (await town.ended(why)).step == "answered"
    assert "whatever message of mine" in await town.command("aurora config replies any")
    lol = town.discord.say(town.bo, town.general, "lol", reply_to=pong)
    assert (await town.ended(lol)).step == "answered"
    assert "that I posted for the agent" in await town.command("aurora config replies agent")


async def test_config_ignoreprefixes_is_a_list_with_a_beginning(town: Town) -> None:
    """Added, removed, emptied, and as it was; what is no prefix is refused by name."""
    command = "aurora config ignoreprefixes"
    assert "`t!`" not in await town.command(command)
    assert "`zz!`" in await town.command(f"{command} add ZZ!")
    for wrong in ("abc", "a b!", "*", "!" * 11, "5"):
        said = await town.command(f"{command} add {wrong}")
        assert "Nothing was changed" in said
        assert f"`{wrong[:50]}`" in said
    assert "Which prefix?" in await town.command(f"{command} add")
    assert "`zz!`" not in await town.command(f"{command} remove zz!")
    assert "is not listed" in await town.command(f"{command} remove zz!")
    left = town.discord.say(town.bo, town.general, f"?hug {town.mention}")
    assert await town.refusal(left) == "other_bots_command"
    assert "No prefix is listed" in await town.command(f"{command} clear")
    asked = town.discord.say(town.bo, town.general, f"?hug {town.mention}")
    assert (await town.ended(asked)).step == "answered"
    assert "`?`" in await town.command(f"{command} default")


async def test_a_role_and_a_nickname_that_admins_choose_count(town: Town) -> None:
    """As `config show` says; what can't be is refused by name."""
    team = town.discord.add_role(town.guild, "team", mentionable=True)
    command = "aurora config mentionrole"
    assert "I don't have the role" in await town.command(f"{command} team")
    assert "no role `nobody`" in await town.command(f"{command} nobody")
    assert "everybody has that role" in await town.command(f"{command} @everyone")
    member = town.guild.members[town.discord.bot_user.id]
    member.roles.append(team.id)
    town.discord.world.update_member(town.guild, member)
    assert f"<@&{team.id}>" in await town.command(f"{command} team")
    assert f"<@&{team.id}>" in await town.command(command)
    asked = town.discord.say(town.bo, town.general, f"<@&{team.id}> hello")
    assert (await town.ended(asked)).step == "answered"
    assert "only my own" in await town.command(f"{command} off")

    command = "aurora config wakeword"
    for wrong in ("x", "?!", "Aurora,", "a" * 33):
        assert "is no nickname" in await town.command(f"{command} {wrong}")
    assert "`Aurora`" in await town.command(f"{command} Aurora")
    assert "wakeword         Aurora" in await town.settings()
    asked = town.discord.say(town.bo, town.general, "aurora, hello")
    assert (await town.ended(asked)).step == "answered"
    assert "no nickname" in await town.command(f"{command} off")
    await quiet(town, town.discord.say(town.bo, town.general, "aurora, hello"))


async def test_a_trusted_bot_is_answered_three_times_between_people(town: Town) -> None:
    """The owner names it; two bots that answer each other come to an end."""
    other = town.discord.add_user("other", bot=True)
    town.discord.add_member(town.guild, other)
    command = "aurora config trustbot"
    assert "is a person" in await town.command(f"{command} add <@{town.bo.id}>")
    assert "is neither" in await town.command(f"{command} add somebody")
    assert "is neither" in await town.command(f"{command} add {town.mention}")
    assert f"<@{other.id}>" in await town.command(f"{command} add <@{other.id}>")
    message = town.discord.say(other, town.general, f"{town.mention} hello")
    for _ in range(3):
        assert (await town.ended(message)).step == "answered"
        (answer,) = town.answers(message)
        message = town.discord.say(other, town.general, "I see.", reply_to=answer)
    assert await town.refusal(message) == "bots_alone"
    await town.ask("go on")
    message = town.discord.say(other, town.general, f"{town.mention} hello again")
    assert (await town.ended(message)).step == "answered"
    assert "No bot and no webhook" in await town.command(f"{command} remove <@{other.id}>")
    message = town.discord.say(other, town.general, f"{town.mention} and now?")
    assert await town.refusal(message) == "bot"


async def test_a_trusted_webhook_is_answered_where_it_writes(town: Town) -> None:
    """Its agent reads and writes there, and nowhere else."""
    other = town.discord.add_channel(town.guild, "elsewhere")
    hook = town.discord.add_webhook(town.general, "News")
    assert f"`{hook.id}`" in await town.command(f"aurora config trustbot add {hook.id}")
    text = (
        f'{town.mention} [[tool:discord_read_messages {{"channelId": "{town.general.id}"}}]]'
        f"[[then]][[sendto:{other.id}|There.]][[then]][[send:Here.]]"
    )
    draft = Draft(content=text, webhook_id=hook.id)
    message = post(town.discord.world, hook.user, town.general, draft)
    assert (await town.ended(message)).step == "answered"
    assert [one.content for one in town.answers(message)] == ["Here."]
    assert town.bot_messages(other) == []
    assert "only the channel that it wrote in" in str(town.llm.requests)


async def test_context_says_if_a_message_would_not_be_answered(town: Town) -> None:
    """By the same gates."""
    message = town.discord.say(town.bo, town.general, f"?hug {town.mention}")
    said = await town.command(f"aurora context {message.id}")
    assert "It would not be answered: it begins as a command of another bot does." in said
    message = town.discord.say(town.bo, town.general, f"{town.mention} hello")
    await town.ended(message)
    assert "not be answered" not in await town.command(f"aurora context {message.id}")
