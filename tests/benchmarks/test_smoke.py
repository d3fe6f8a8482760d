"""Every measurement runs and yields its figures; how large they are is not asked here."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks import (
    arrivals,
    audience,
    cost,
    ignored,
    memory,
    mentions,
    scale,
    servers,
    throughput,
    tokens,
)
from benchmarks.figures import Figure

_ROOT = Path(__file__).parents[2]


async def _names(measure: AsyncIterator[Figure]) -> list[str]:
    return [figure.name async for figure in measure]


async def test_an_ignored_message_is_measured() -> None:
    """Figure (a)."""
    assert await _names(ignored.measure(batch=10, rounds=3)) == ["ignored_message_us"]


async def test_a_decision_about_audiences_is_measured() -> None:
    """Figure (l), in a smaller server; the bound is wide, for a machine that does much else."""
    found = {one.name: one.value async for one in audience.measure(members=2_000, times=20)}
    assert list(found) == [
        "audience_by_roles_us",
        "audience_counted_us",
        "audience_one_by_one_us",
    ]
    assert found["audience_by_roles_us"] < 20_000
    assert found["audience_one_by_one_us"] < 20_000


async def test_mentions_are_measured_on_a_real_red() -> None:
    """Figures (b), (g) and (h)."""
    measure = mentions.measure(8, per_second=10, guilds=2, channels=2, settle=0.1)
    assert await _names(measure) == [
        "added_latency_p50_ms",
        "added_latency_p95_ms",
        "added_latency_p99_ms",
        "loop_lag_p99_ms",
        "loop_lag_max_ms",
        "rest_calls_per_mention",
    ]


async def test_both_legs_are_measured_however_mentions_come() -> None:
    """Even arrivals flatter: people come at random, and all at once."""
    measure = arrivals.measure(8, per_second=10, guilds=2, channels=2, settle=0.1)
    legs = ("latency_p50", "latency_p95", "answer_p50", "answer_p95", "loop_lag_max")
    kinds = ("even", "poisson", "bursts")
    assert await _names(measure) == [f"{kind}_{leg}_ms" for kind in kinds for leg in legs]


async def test_the_cost_of_a_mention_is_measured_and_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each mention is committed and written at least once, and what took its time is named."""
    measure = cost.measure(8, per_second=10, guilds=2, channels=2, settle=0.1, profile=True)
    found = {figure.name: figure.value async for figure in measure}
    assert list(found) == ["mentions_per_s_core", "commits_per_mention", "kb_per_mention"]
    assert found["mentions_per_s_core"] > 1
    assert found["commits_per_mention"] >= 1
    assert found["kb_per_mention"] >= 1
    shown = capsys.readouterr().err
    assert "of one mention in the event loop" in shown
    assert "aurora-ledger" in shown


async def test_throughput_is_measured() -> None:
    """Figure (c), with what the file holds afterwards."""
    assert await _names(throughput.measure(64, workers=8)) == ["events_per_s"]


async def test_memory_is_measured() -> None:
    """Figure (d)."""
    assert await _names(memory.measure(50, guilds=5)) == ["memory_10k_mb"]


@pytest.mark.long
async def test_scale_is_measured() -> None:
    """Boots, lists, and all that looks at many."""
    names = await _names(scale.measure(300, waiting=60, lanes=20, agents=10, accepts=3))
    assert len(names) == len(set(names)) == 43
    assert all(name.startswith("scale_") for name in names)


async def test_boot_is_measured() -> None:
    """Figure (e), with a ledger whose process died."""
    assert await _names(memory.measure_boot(60, lanes=10, guilds=2)) == ["boot_100k_s"]


@pytest.mark.timeout(60)
async def test_real_servers_are_measured() -> None:
    """What was measured before a crowd was."""
    assert await _names(servers.measure(channels=2, mentions=2, in_a_row=3)) == [
        "conversation_open_ms",
        *(f"app_server_added_latency_p{percent}_ms" for percent in (50, 95, 99)),
        "pace_shortest_s",
        "start_beside_slow_guild_ms",
        "rest_conversation_open_ms",
        *(f"rest_added_latency_p{percent}_ms" for percent in (50, 95, 99)),
    ]


@pytest.mark.timeout(60)
async def test_tokens_of_an_answer_are_measured() -> None:
    """By text it takes one call of the model for two, and less than half of the tokens."""
    found = {one.name: one.value async for one in tokens.measure(mentions=1)}
    assert found["prompt_overhead_tokens"] <= 350
    for server in ("app_server", "rest"):
        assert found[f"{server}_calls_by_tool"] == 2
        assert found[f"{server}_calls_by_text"] == 1
        assert found[f"{server}_tokens_by_text"] < found[f"{server}_tokens_by_tool"] / 2
        assert found[f"{server}_schema_discord_send_tokens"] > 50


async def test_loading_is_measured_from_the_command_line() -> None:
    """Figures (f), in a process where nothing of the cog was imported before."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", "--here", "loading",
        cwd=_ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    lines = [json.loads(line) for line in output.splitlines()]
    assert [set(line) for line in lines] == [{"name", "value", "unit"}] * 2
    assert [line["name"] for line in lines] == ["load_ms", "load_mb"]


async def test_a_group_that_is_unknown_is_refused() -> None:
    """And the message names it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", "nothing", cwd=_ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"there is no group nothing" in errors
