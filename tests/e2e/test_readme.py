"""The README's own steps: where they send a secret, and what they find."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from doubles.letta_rest import LettaRest
from doubles.llm import ScriptedLLM
from sandbox.letta import AppServer
from tests.support.documents import whole

_MOST_CHARS = 1000
"""What a person looks through for an id; the server's own answer has 23,000 for each agent."""


def line_with(words: str) -> str:
    """Return the one shell line of the README that has these words in it."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", whole("README.md"), re.MULTILINE | re.DOTALL)
    (line,) = [one for block in blocks for one in block.splitlines() if words in one]
    return str(line).strip()


async def run(line: str, **environment: str) -> str:
    """Run a shell line and return what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    process = await asyncio.create_subprocess_shell(
        line,
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": path, "LETTA_CODE_TELEM": "0", "DO_NOT_TRACK": "1", **environment},
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return printed.decode()


async def test_the_readme_finds_the_id_of_an_agent_on_an_app_server(
    app_server: AppServer,
) -> None:
    """Which stands in the second line of a page that nobody reads."""
    agent_id = await app_server.create_agent("found by the readme")
    line = line_with("agents list").replace("letta/bin/letta", "letta")
    printed = await run(line, HOME=str(app_server.home))
    assert agent_id in printed
    assert "found by the readme" in printed
    assert max(map(len, printed.splitlines())) < _MOST_CHARS


async def test_the_readme_finds_the_id_of_an_agent_behind_the_rest_api() -> None:
    """By the API itself, as Letta Cloud has no command line for it."""
    llm = ScriptedLLM()
    await llm.start()
    server = LettaRest(llm.provider)
    await server.start()
    try:
        agent_id = server.create_agent("found by the readme")
        line = line_with("/v1/agents/").replace("https://api.letta.com", server.url)
        printed = await run(line, LETTA_API_KEY=server.token or "")
    finally:
        await server.stop()
        await llm.stop()
    assert printed == f"{agent_id} found by the readme\n"


@pytest.mark.parametrize("document", ["README.md", "docs/backends.md"])
def test_a_token_is_sent_to_a_direct_message(document: str) -> None:
    """In a channel it stays readable, for the README's permissions let nobody delete it."""
    text = whole(document)
    blocks = re.findall(r"([^\n]*(?:\n[^\n]+)*)\n\n *```\n(.*?)```", text, re.DOTALL)
    secret = [before for before, block in blocks if "set api letta token" in block]
    assert secret
    for before in secret:
        assert "direct message to the bot" in before
