"""What runs cost: the ledger has what the model told, and people see what is theirs to see."""

from __future__ import annotations

from sandbox.letta import AppServer
from tests.support.e2e.pages import add_mod, no_embeds, page
from tests.support.e2e.town import Town
from tests.support.metering import fault_of, metered

MIXED = (
    "hello",
    "[[say:by text]]",
    "[[send:hi]][[after:NO_REPLY]]",
    "[[empty]]",
    '[[tools:[["discord_get_server_info",{}],["discord_get_server_info",{}]]]][[after:two]]',
    "[[send:one]][[then]][[send:two]][[then]][[react:👍]]",
    "[[think:hm]][[long:3000]]",
    "[[err:400]]",
)


async def test_each_run_costs_what_the_model_has_told(either_town: Town) -> None:
    """Of both kinds of server, in all ways to answer; and so do the sums."""
    town, store = either_town, either_town.cog.services.store
    for text in MIXED:
        message, end = await town.ask(text)
        found, told = await metered(store, message.id), town.llm.told[str(message.id)]
        assert fault_of(found, told) is None, text
        assert found is not None
        failed = end.step == "failed"
        assert found.unknown == failed, "nobody says what a refused call cost"
        assert (found.prompt > 0) != failed
    costs = [one for one in town.llm.told.values() if one]
    rows = [row async for some in store.usage(town.guild.id, 0) for row in some]
    assert sum(row.runs for row in rows) == len(MIXED)
    assert sum(row.unknown for row in rows) == 1
    assert sum(row.prompt for row in rows) == sum(one["prompt_tokens"] for one in costs)
    assert sum(row.completion for row in rows) == sum(one["completion_tokens"] for one in costs)
    assert {row.agent_id for row in rows} == {town.agent_id}
    assert all(row.model.endswith("/scripted") for row in rows if row.model)
    assert any(row.model for row in rows)
    assert sum(row.seconds for row in rows) > 0
    cached = sum(row.cached for row in rows)
    # A REST server does not tell of it where it tells its text in pieces.
    assert (cached > 0) == isinstance(town.letta, AppServer)
    if isinstance(town.letta, AppServer):
        await look(town, sum(row.tokens for row in rows))


async def look(town: Town, tokens: int) -> None:
    """Look at what was spent: each at their own, who manages the server at all of it."""
    mod, prices = add_mod(town), town.cog.services.settings
    said = await page(town, "aurora usage")
    assert f"runs: {len(MIXED)} (answered {len(MIXED) - 2}, failed 1)" in said
    assert f"tokens: {tokens:,}" in said
    assert "did not tell all tokens: 1" in said
    assert "money" not in said, "nobody has set a price"
    [picture] = town.bot_messages(town.general)[-1].attachments
    assert picture.filename == "usage.png"
    # Others have used nothing, and see nothing of those who have.
    assert "asked nothing" in await page(town, "aurora usage me 7", author=town.bo)
    for what in ("user @ada", f"channel {town.general.id}", "agent", "server"):
        refused = await page(town, f"aurora usage {what}", author=town.bo)
        assert "for those who may manage" in refused, what
        dm = town.discord.open_dm(mod)
        assert "for those who may manage" in await page(
            town, f"aurora usage {what}", author=mod, channel=dm
        )
    await prices.set_world(prices={"openai-compatible/scripted": (1.0, 2.0, 0.5)})
    for what in (
        f"user {town.ada.id} 7",
        "channel",
        f"channel 7 {town.general.mention}",
        "server",
    ):
        said = await page(town, f"aurora usage {what}", author=mod)
        assert f"tokens: {tokens:,}" in said, what
    assert "an estimate by the prices" in said
    assert town.agent_id in await page(town, "aurora usage agent 1", author=mod)
    assert "asked nothing" in await page(town, "aurora usage agent nobody", author=mod)
    assert "asked nothing" in await page(town, "aurora usage user 123456789012345678", author=mod)
    assert "takes 1 to 366" in await page(town, "aurora usage me 367", author=mod)
    assert "Which user" in await page(town, "aurora usage user", author=mod)
    assert "no such channel" in await page(town, "aurora usage channel #nowhere", author=mod)
    no_embeds(town)
    said = await page(town, "aurora usage")
    assert f"tokens: {tokens:,}" in said
    everywhere = await page(town, "aurora usage server", channel=town.discord.open_dm(town.ada))
    assert f"tokens: {tokens:,}" in everywhere
