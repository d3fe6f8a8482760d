"""The real `redbot`, as a process of its own, set up by commands alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doubles.llm import ScriptedLLM
from sandbox.letta import AppServer
from tests.support.e2e.binary import Binary, new_binary, publish
from tests.support.house import ROOT


@pytest.fixture
async def binary(tmp_path: Path) -> AsyncIterator[Binary]:
    """An instance that has never run."""
    async with new_binary(tmp_path) as red:
        yield red


async def test_the_real_binary_answers_ends_cleanly_and_answers_again(
    binary: Binary, app_server: AppServer
) -> None:
    """Everything that was set by commands is there after the restart."""
    llm = ScriptedLLM()
    await llm.start()
    try:
        await app_server.use_provider(llm.url, llm.key, llm.model)
        agent_id = await app_server.create_agent("binary's agent")
        async with binary.running():
            await binary.say(f"!addpath {ROOT}", until="added")
            await binary.say("!load aurora", until="Loaded")
            await binary.say(f"!set api letta token,{app_server.token}", until="letta")
            await binary.say(f"!aurora lettaurl {app_server.url}", until="answers")
            await binary.say(f"!aurora enable {agent_id}", until="binary's agent")
            await binary.say(f"{binary.mention} [[send:first]]", until="first")
        async with binary.running():
            await binary.say(f"{binary.mention} [[send:second]]", until="second")
    finally:
        await llm.stop()


async def test_downloader_installs_the_cog_from_a_repository(
    binary: Binary, tmp_path: Path
) -> None:
    """As a user does it, from `repo add` to `load`; nothing but the cog's folder is taken."""
    repository = publish(tmp_path / "repository")
    async with binary.running():
        await binary.install(repository)
        await binary.say("!load aurora", until="Loaded")
        await binary.say("!aurora enable agent-1", until="!aurora lettaurl <url>")
    installed = binary.data / "cogs" / "CogManager" / "cogs" / "aurora"
    assert (installed / "info.json").is_file()
    assert not list(installed.rglob("test_*.py"))
