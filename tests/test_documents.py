"""What the documents say is there, and what they must not say is not."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from pkgutil import walk_packages
from urllib.parse import unquote

import pytest

from aurora import words
from aurora.agents.protocol import ToolSpec
from aurora.aurora import Aurora
from aurora.commands.config import ConfigCommands
from aurora.commands.events import EventsCommands
from aurora.commands.queue import QueueCommands
from aurora.reasons import REASONS
from aurora.settings import (
    GLOBAL_DEFAULTS,
    GUILD_DEFAULTS,
    KEYS,
    RULES,
    WORLD_RULES,
    GuildSettings,
    typed,
)
from aurora.tools.choice import CHOICES, tools_for
from aurora.words import say
from tests.support.commands import commands_of_the_cog
from tests.support.documents import DESIGN, functions, section, text_of, way_of_a_mention
from tests.support.events import make_event
from tests.support.house import PACKAGES, ROOT, modules_of

DOCUMENTS = [
    str(path.relative_to(ROOT))
    for home in (".", "docs", *PACKAGES, "tests")
    for path in sorted((ROOT / home).glob("*.md" if home == "." else "**/*.md"))
]


# -- settings and commands


def rows(document: str) -> list[str]:
    """Return the rows of a document's tables."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.lstrip().startswith("|")]


@pytest.mark.parametrize("document", ["README.md", "COMMANDS.md"])
@pytest.mark.parametrize("setting", KEYS)
def test_every_setting_stands_in_the_documents_with_its_default_and_range(
    setting: str, document: str
) -> None:
    """A row with `config <setting>`, the default and the range, as settings/ has them."""
    key = KEYS[setting]
    named = re.compile(rf"aurora config {setting}\b")
    found = [
        [cell.strip(" `") for cell in row.strip().strip("|").split("|")]
        for row in rows(document)
        if named.search(row)
    ]
    wanted = {typed(GUILD_DEFAULTS[key]), str(RULES[key].values)}
    assert any(wanted <= set(cells) for cells in found), (
        f"{document} has no table row with `[p]aurora config {setting}`, "
        f"{' and '.join(sorted(wanted))}; rows that name it: {found}"
    )


@pytest.mark.parametrize("key", WORLD_RULES)
def test_every_setting_of_the_owners_stands_in_commands_md(key: str) -> None:
    """With its default and range, as settings/ has them."""
    rule = WORLD_RULES[key]
    named = re.compile(rf"aurora config {rule.command}\b")
    found = [
        {cell.strip(" `") for cell in row.strip().strip("|").split("|")}
        for row in rows("COMMANDS.md")
        if named.search(row)
    ]
    assert any({typed(GLOBAL_DEFAULTS[key]), str(rule.values)} <= cells for cells in found)


def test_the_cogs_commands_are_known_here() -> None:
    """The group is made in one module and filled in four."""
    known = commands_of_the_cog()
    assert {"aurora enable", "aurora config show"} <= set(known)
    groups = (ConfigCommands.config, QueueCommands.queue, EventsCommands.events)
    assert [group.name for group in groups] == ["config", "queue", "events"]


def test_every_command_stands_in_commands_md() -> None:
    """With its full name, in code."""
    text = (ROOT / "COMMANDS.md").read_text(encoding="utf-8")
    missing = [
        name for name in commands_of_the_cog() if not re.search(rf"\[p\]{name}(?![\w-])", text)
    ]
    assert missing == [], f"COMMANDS.md does not name: {', '.join(missing)}"


def test_commands_md_names_no_command_that_does_not_exist() -> None:
    """A document outlives what it describes."""
    known = set(commands_of_the_cog())
    text = (ROOT / "COMMANDS.md").read_text(encoding="utf-8")
    wrong = [
        used
        for used in re.findall(r"\[p\](aurora [a-z]+(?: [a-z]+)?)", text)
        if not any(used == name or used.startswith(f"{name} ") for name in known)
        and not any(name.startswith(f"{used} ") for name in known)
    ]
    assert wrong == []


def test_every_tool_stands_in_the_readme_with_its_arguments() -> None:
    """In the order of its schema, with a question mark behind what may be left out."""
    written = set(re.findall(r"`(discord_\w+\([^)]*\))`", "\n".join(rows("README.md"))))
    event, everything = make_event(), dict.fromkeys(CHOICES, "allow")
    offered = tools_for(event, GuildSettings(tools_chosen=everything), memory=False)
    assert written == {_signature(one.spec) for one in offered}


def _signature(spec: ToolSpec) -> str:
    needed = spec.parameters.get("required", ())
    names = (name if name in needed else f"{name}?" for name in spec.parameters["properties"])
    return f"{spec.name}({', '.join(names)})"


def test_every_sentence_about_an_end_is_explained() -> None:
    """Who reads one finds there what it means, by its first words or others of it."""
    quoted = re.findall(r'"([^"]+)"', text_of("docs/troubleshooting.md"))
    told = {say(one.user) for one in REASONS.values() if one.user is not None and not one.mark}
    assert [one for one in told if not any(words in one for words in quoted)] == []


# -- links


def links(document: str) -> list[str]:
    """Return where a document's links and pictures lead, but for those into the web."""
    found: list[str] = re.findall(r"\]\(([^)\s]+)\)", text_of(document))
    return [link for link in found if not link.startswith(("https://", "http://"))]


@cache
def anchors(document: str | Path) -> frozenset[str]:
    """Return the anchors that a document's headings get on the web."""
    headings = re.findall(r"^#+ +(.*?) *$", text_of(document), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return frozenset(re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in plain)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    """To a file that is in the repository, and to a heading that is in the file."""
    dead = []
    for link in links(document):
        path, _, anchor = unquote(link).partition("#")
        target = ((ROOT / document).parent / path).resolve() if path else ROOT / document
        known = target.exists() and target.is_relative_to(ROOT)
        if not known or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_the_rule_sees_links_and_headings() -> None:
    """Or it would pass for want of sight."""
    assert "docs/backends.md" in links("README.md")
    assert "try-it-in-two-commands" in anchors("README.md")


# -- what is promised


def promises() -> list[list[str]]:
    """Return the rows of the table of promises: number, promise, tests, what is left out."""
    rows = re.findall(r"^\| \d.*$", section(DESIGN, "What is promised"), flags=re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_promises_are_numbered() -> None:
    """Comments in the code name them so."""
    assert [row[0] for row in promises()] == [str(number) for number in range(1, 14)]


@pytest.mark.parametrize("row", promises(), ids=lambda row: f"promise {row[0]}")
def test_each_promise_has_tests_that_exist_or_says_that_it_is_not_kept(row: list[str]) -> None:
    """A test that was renamed proves nothing any more."""
    _, _, proofs, left_out = row
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", proofs)
    assert named or (proofs, "**not kept yet**" in left_out) == ("none", True)
    for path, function in named:
        assert function in functions(ROOT / path), f"{path} has no {function}"


# -- security


def security() -> list[str]:
    """Return the promises of SECURITY.md, each with what stands below it."""
    return re.split(r"^- ", section("SECURITY.md", "What is promised"), flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("promise", security(), ids=lambda one: " ".join(one.split()[:6]))
def test_each_promise_of_security_names_a_test_that_exists(promise: str) -> None:
    """Who reads it may want to see it fail."""
    named = re.findall(r"`(tests/\S+\.py)::(\w+)`", promise)
    assert named
    for path, function in named:
        assert function in functions(ROOT / path), f"{path} has no {function}"


# -- the house


def test_every_room_stands_in_the_table_of_rooms() -> None:
    """A stranger looks there first."""
    told = set(re.findall(r"`(\w+(?:\.py|/))`", section(DESIGN, "Where things are")))
    rooms = {f"{path.parent.name}/" for path in (ROOT / "aurora").glob("*/__init__.py")}
    ground = {path.name for path in (ROOT / "aurora").glob("*.py")} - {"__init__.py"}
    assert (rooms | ground) - told == set()
    known = rooms | ground | {f"{path.name}/" for path in ROOT.glob("**/*") if path.is_dir()}
    assert told - known == set()


def test_the_way_of_a_mention_is_short_and_names_what_there_is() -> None:
    """That it really goes so is tested in `tests/e2e/test_way.py`."""
    way = way_of_a_mention()
    assert 20 < len(way) <= 30
    assert [step for step in way if step[1] not in functions(ROOT / "aurora" / step[0])] == []


# -- what nobody is told


BEYOND_READERS = r"\bP\d{1,2}\b|(?<![\w/])DESIGN(?:\.md)?\b|\b(?i:promises?|decisions?) \d+"
"""The number of a promise or a decision, and a document that is not in the repository."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_speaks_of_what_its_readers_do_not_have(document: str) -> None:
    """But for the list of promises itself, to which the code's comments point."""
    found = re.findall(BEYOND_READERS, text_of(document))
    known = r"(?i:promises? \d+)" if document == DESIGN else "(?!)"
    assert [one for one in found if not re.fullmatch(known, one)] == []


def texts_for_people() -> Iterator[tuple[str, str]]:
    """Yield what people read of the bot: words and translations, helps, what Downloader shows."""
    for found in walk_packages(words.__path__, "aurora.words."):
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, words.Phrase):
                yield f"{found.name}.{name}", value.text
    for command in Aurora.aurora.walk_commands():
        yield command.qualified_name, command.help or ""
    for path in [*(ROOT / "aurora").rglob("*.po*"), *(ROOT / "aurora").glob("*.json")]:
        yield path.name, path.read_text(encoding="utf-8")


def test_the_bot_speaks_of_nothing_that_its_readers_do_not_have() -> None:
    """Nobody who asks a bot has read its source."""
    texts = dict(texts_for_people())
    assert len(texts) > 100
    assert [name for name, text in texts.items() if re.search(BEYOND_READERS, text)] == []


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_comments_point_to_what_is_in_the_repository(package: str) -> None:
    """To a promise that is in the list, and to no other document of the design."""
    lost = []
    for name, path in modules_of(package).items():
        text = path.read_text(encoding="utf-8")
        numbers = re.findall(r"\bpromises? (\d+)(?:, (\d+))?(?: and (\d+))?", text, re.IGNORECASE)
        unknown = {int(one) for some in numbers for one in some if one} - set(range(1, 14))
        if unknown or re.search(r"DESIGN (?:promise|decision)|\bdecision \d", text):
            lost.append(name)
    assert lost == []
