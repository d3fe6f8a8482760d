"""Webhooks: whoever has the address may write, and nobody else."""

from __future__ import annotations

import discord
import pytest

from doubles.local_discord import Webhook
from tests.support.doubles.looking import refused, text_channel
from tests.support.local_town import LocalTown


def hook_of(client: discord.Client, webhook: Webhook) -> discord.Webhook:
    """Return a webhook as one who was told its address has it."""
    return discord.Webhook.from_url(webhook.url, client=client)


async def test_a_webhook_writes_into_its_channel_under_its_name(
    town: LocalTown, client: discord.Client
) -> None:
    """It needs no login, and what it wrote is known for a webhook's."""
    webhook = town.server.add_webhook(town.general, "Town crier")
    sent = await hook_of(client, webhook).send("Hear ye!", wait=True)
    heard = await text_channel(client, town.general).fetch_message(sent.id)
    assert (heard.content, heard.author.name) == ("Hear ye!", "Town crier")
    assert heard.webhook_id == webhook.id


async def test_without_waiting_nothing_is_returned(
    town: LocalTown, client: discord.Client
) -> None:
    """The message is there all the same."""
    webhook = town.server.add_webhook(town.general)
    await hook_of(client, webhook).send("one", username="Crier")
    assert town.server.calls[-1].status == 204
    (message,) = town.server.messages(town.general)
    assert (message.content, message.author.name) == ("one", "Crier")


@pytest.mark.parametrize("mentions", [True, False])
async def test_a_webhook_may_ping_everyone_unless_told_not_to(
    town: LocalTown, client: discord.Client, mentions: bool
) -> None:
    """It needs no permission for that, so its owner has to take care."""
    webhook = town.server.add_webhook(town.general)
    allowed = discord.AllowedMentions(everyone=mentions)
    await hook_of(client, webhook).send("@everyone", allowed_mentions=allowed)
    (message,) = town.server.messages(town.general)
    assert message.mention_everyone is mentions


async def test_a_deleted_webhook_is_unknown(town: LocalTown, client: discord.Client) -> None:
    """And so is one whose channel was deleted."""
    webhook, other = (town.server.add_webhook(town.general) for _ in range(2))
    town.server.remove_webhook(webhook)
    with refused(10015, discord.NotFound):
        await hook_of(client, webhook).send("anybody?")
    town.server.delete_channel(town.general)
    with refused(10015, discord.NotFound):
        await hook_of(client, other).send("anybody?")


async def test_a_wrong_token_is_refused(town: LocalTown, client: discord.Client) -> None:
    """To know the id is not enough."""
    webhook = town.server.add_webhook(town.general)
    webhook.token = "x" * len(webhook.token)
    hook = hook_of(client, webhook)
    webhook.token = "y" * len(webhook.token)
    with refused(50027):
        await hook.send("let me in")
    assert town.server.messages(town.general) == []


@pytest.mark.parametrize(
    ("text", "name", "code"),
    [(" ", "a", 50006), ("x" * 2001, "a", 50035), ("x", "Discord", 50035)],
)
async def test_what_discord_refuses_is_refused(
    town: LocalTown, client: discord.Client, text: str, name: str, code: int
) -> None:
    """Nothing, too much, and a name that could deceive."""
    hook = hook_of(client, town.server.add_webhook(town.general))
    with refused(code):
        await hook.send(text, username=name)
