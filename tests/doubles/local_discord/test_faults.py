"""Trouble on demand."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import discord
import pytest

from tests.support.doubles.looking import text_channel
from tests.support.local_town import LocalTown


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let discord.py wait a hundredth between its retries."""
    real = asyncio.sleep
    monkeypatch.setattr("discord.http.asyncio.sleep", lambda seconds: real(seconds / 100))


async def test_a_rate_limit_is_honoured(town: LocalTown, client: discord.Client) -> None:
    """discord.py waits as long as it is told and sends once."""
    channel = text_channel(client, town.general)
    town.server.faults.rate_limit("POST", r"/messages$", retry_after=0.2)
    before = time.monotonic()
    await channel.send("late")
    assert time.monotonic() - before >= 0.2
    assert [call.status for call in town.server.calls if call.method == "POST"] == [429, 200]


@pytest.mark.usefixtures("impatient")
async def test_a_server_error_is_retried(town: LocalTown, client: discord.Client) -> None:
    """A lost request is sent again."""
    town.server.faults.add("POST", r"/messages$", status=502, times=2)
    await text_channel(client, town.general).send("once")
    assert len(town.server.messages(town.general)) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_lost_answer_without_a_nonce_is_a_second_message(
    town: LocalTown, client: discord.Client
) -> None:
    """A retry cannot know that the first try arrived."""
    town.server.faults.add("POST", r"/messages$", status=500, applied=True)
    route = discord.http.Route(
        "POST", "/channels/{channel_id}/messages", channel_id=town.general.id
    )
    await client.http.request(route, json={"content": "twice"})
    assert len(town.server.messages(town.general)) == 2


@pytest.mark.usefixtures("impatient")
async def test_a_lost_answer_with_a_nonce_is_one_message(
    town: LocalTown, client: discord.Client
) -> None:
    """discord.py gives every message a nonce, which makes its retries safe."""
    town.server.faults.add("POST", r"/messages$", status=500, applied=True)
    await text_channel(client, town.general).send("once")
    assert len(town.server.messages(town.general)) == 1


async def test_a_refusal_can_be_ordered(town: LocalTown, client: discord.Client) -> None:
    """Any code of Discord's can be had."""
    town.server.faults.add(
        "*", r"/messages$", status=403, code=50013, message="Missing Permissions"
    )
    with pytest.raises(discord.Forbidden) as caught:
        await text_channel(client, town.general).send("no")
    assert caught.value.code == 50013


@pytest.mark.usefixtures("impatient")
async def test_a_line_can_be_cut(town: LocalTown, client: discord.Client) -> None:
    """Status 0 is no answer at all."""
    town.server.faults.add("POST", r"/messages$", status=0, times=5)
    with pytest.raises(aiohttp.ClientError):
        await text_channel(client, town.general).send("hello")


async def test_every_answer_has_rate_limit_headers(town: LocalTown) -> None:
    """discord.py learns its buckets from them."""
    headers = {"Authorization": f"Bot {town.server.token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{town.server.url}/api/v10/users/@me", headers=headers) as response,
    ):
        assert response.headers["Content-Type"] == "application/json"
        for name in ("Limit", "Remaining", "Reset-After", "Bucket"):
            assert f"X-RateLimit-{name}" in response.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing/here", 404), ("DELETE", "/users/@me", 405)],
)
async def test_an_unknown_route_is_refused_and_remembered(
    town: LocalTown, method: str, path: str, status: int
) -> None:
    """So that a test can see what this Discord lacks."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{town.server.url}/api/v10{path}") as response,
    ):
        assert response.status == status
        assert (await response.json())["code"] == 0
    assert town.server.unknown_routes == [f"{method} /api/v10{path}"]
    town.server.unknown_routes.clear()


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"'])
async def test_a_body_that_is_no_object_is_refused(town: LocalTown, body: bytes) -> None:
    """Broken JSON and other shapes are the caller's fault, not a crash."""
    url = f"{town.server.url}/api/v10/channels/{town.general.id}/messages"
    headers = {"Authorization": f"Bot {town.server.token}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        assert response.status == 400
        assert (await response.json())["code"] in (50035, 50109)


async def test_an_id_that_is_none_is_refused(town: LocalTown, client: discord.Client) -> None:
    """The path is checked like the body."""
    with pytest.raises(discord.HTTPException) as caught:
        await client.http.get_message(town.general.id, "abc")
    assert caught.value.code == 50035
