"""What is kept and logged holds no words, and nobody else on the machine reads it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from doubles.llm import Call, Step
from tests.support.redteam.kinds import Kind, attack
from tests.support.redteam.scene import (
    Scene,
    do,
    reads,
    say,
    tell,
    writes,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def ledger(home: Path) -> list[Path]:
    """Return the files of the ledger, and what stands beside them but for Red's own settings."""
    folders = {one.parent for one in home.rglob("ledger*-wal")}
    found = [one for folder in folders for one in folder.iterdir() if one.is_file()]
    assert found, "no ledger"
    return [one for one in found if one.name != "settings.json"]


# -- words in the record

CARRIERS: dict[str, Callable[[Scene, str], Step]] = {
    "the emoji of a reaction": lambda scene, text: do(
        Call.to(
            "discord_add_reaction",
            channelId=str(scene.square.id),
            messageId=str(scene.square.messages[0].id),
            emoji=text,
        )
    ),
    "the name of a custom emoji": lambda scene, text: do(
        Call.to(
            "discord_add_reaction",
            channelId=str(scene.square.id),
            messageId=str(scene.square.messages[0].id),
            emoji=f"<:{text.replace('-', '_')}:1187654321098765432>",
        )
    ),
    "a text": lambda scene, text: do(tell(scene.square, text)),
    "a text elsewhere": lambda scene, text: do(tell(scene.room("room"), text)),
    "an id": lambda _, text: do(reads(1, before=text)),
    "the id of a channel": lambda _, text: do(Call.to("discord_read_messages", channelId=text)),
    "the name of a tool": lambda _, text: do(Call.to(text)),
    "the name of an argument": lambda scene, text: do(
        Call("discord_send", f'{{"channelId":"{scene.square.id}","message":"x","{text}":1}}')
    ),
    "the text of a memory file": lambda scene, text: do(
        writes(f"people/{scene.eve.id}/facts.md", f"---\nname: facts\ndescription: x\n---\n{text}")
    ),
    "a text that is not sent": lambda _, text: do(tell(1, text)),
    "an error": lambda _, text: Step(fault="error", status=400, text=text),
    "the text at the end": lambda _, text: say(text),
}


@attack(Kind.KEPT_WORDS)
@pytest.mark.parametrize("carrier", CARRIERS)
async def test_no_words_stay_in_the_record(scene: Scene, home: Path, carrier: str) -> None:
    """Of what is over only ids, times and reasons stay, and the names of memory files."""
    step = CARRIERS[carrier](scene, scene.loot)
    await scene.obey(scene.eve, scene.square, step, say(""), text=f"I say {scene.loot}")
    traces = scene.loot.encode(), scene.loot.replace("-", "_").encode()
    for _ in range(400):
        found = [
            one.name for one in ledger(home) if any(trace in one.read_bytes() for trace in traces)
        ]
        if not found:
            break
        await asyncio.sleep(0.02)
    assert found == []


GUESSES = ("yes", "no", "👍", "guilty")


@attack(Kind.GUESSED_WORDS)
@pytest.mark.parametrize("text", GUESSES)
async def test_nobody_finds_out_by_trying_what_was_said(
    scene: Scene, home: Path, text: str
) -> None:
    """Short answers are few: who has the ledger alone must not recognise one."""
    await scene.obey(scene.eve, scene.square, do(tell(scene.square, text)), say(""))
    kept = b"".join(one.read_bytes() for one in ledger(home) if one.suffix != ".key")
    assert kept
    found = [name for name, digest in digests(text) if digest[:20].encode() in kept]
    assert found == []


def digests(text: str) -> list[tuple[str, str]]:
    """Hash a text in the ways that need no key."""
    spellings = {text, text.lower(), f"{text}\n", f" {text}"}
    names = (
        "md5",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha512",
        "blake2b",
        "blake2s",
        "sha3_256",
    )
    found = [
        (name, hashlib.new(name, one.encode()).hexdigest()) for name in names for one in spellings
    ]
    found += [
        (f"blake2b of {size}", hashlib.blake2b(one.encode(), digest_size=size).hexdigest())
        for size in (10, 12, 16, 20, 24, 32)
        for one in spellings
    ]
    return found


@attack(Kind.OPEN_FILES)
async def test_the_ledger_is_its_account_s_alone(scene: Scene, home: Path) -> None:
    """On a machine that others use too; the file, its log, the key, and the folder."""
    await scene.obey(scene.eve, scene.square, say("x"))
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in ledger(home)}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    folders = {one.parent for one in ledger(home)}
    assert [oct(one.stat().st_mode & 0o777) for one in folders] == ["0o700"] * len(folders)


# -- the log

TROUBLES: dict[str, Callable[[Scene], tuple[Step, ...]]] = {
    "an answer": lambda scene: (do(tell(scene.square, scene.loot)), say("")),
    "a text": lambda scene: (say(scene.loot),),
    "a refusal": lambda scene: (do(tell(1, scene.loot)), say(scene.loot)),
    "an odd id": lambda scene: (do(reads(1, before=scene.loot)), say("")),
    "an odd tool": lambda scene: (do(Call.to(scene.loot, text=scene.loot)), say("")),
    "an odd argument": lambda scene: (
        do(Call("discord_send", f'{{"message":"{scene.loot}","channelId":{{}}}}')),
        say(""),
    ),
    "no JSON": lambda scene: (do(Call("discord_send", f"{{{scene.loot}")), say("")),
    "an error of the model": lambda scene: (Step(fault="error", status=400, text=scene.loot),),
    "a stream that breaks off": lambda scene: (Step(fault="garbage", times=1), say(scene.loot)),
    "an emoji": lambda scene: (
        do(
            Call.to(
                "discord_add_reaction",
                channelId=str(scene.square.id),
                messageId=str(scene.square.messages[0].id),
                emoji=scene.loot,
            )
        ),
        say(""),
    ),
}


@attack(Kind.LOGGED_WORDS)
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_no_words_and_no_tokens_are_logged(
    scene: Scene, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO and above, with what a traceback shows."""
    caplog.set_level(logging.INFO)
    steps = TROUBLES[trouble](scene)
    await scene.obey(scene.eve, scene.square, *steps, text=f"I say {scene.loot}")
    logged = "\n".join(
        f"{one.getMessage()} {one.exc_text or ''} {one.exc_info or ''}"
        for one in caplog.records
        if one.levelno >= logging.INFO
    )
    for word in (scene.loot, scene.discord.token, scene.town.letta.token, scene.llm.key):
        assert word not in logged
    assert not re.search(r"Bearer \S", logged)
