"""What the documents say is there, and what they must not say is not."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from aurora.commands.config import ConfigCommands
from aurora.commands.events import EventsCommands
from aurora.commands.queue import QueueCommands
from aurora.settings import GUILD_DEFAULTS, KEYS, RULES
from tests.support.commands import commands_of_the_cog
from tests.support.house import ROOT

DESIGN = "EVENT_SYSTEM_DESIGN.md"
DOCUMENTS = sorted(
    subprocess.run(
        ["git", "ls-files", "*.md"],  # noqa: S607 - git is found where it was installed
        check=True, cwd=ROOT, capture_output=True, text=True,
    ).stdout.split()
)  # fmt: skip


@cache
def text_of(document: str | Path) -> str:
    """Return a document without its blocks of code, whose lines look like anything."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def section(document: str, title: str) -> str:
    """Return a section of a document, further headings below it included."""
    found = re.split(rf"^## {title}\n", text_of(document), flags=re.MULTILINE)
    assert len(found) == 2, f"{document} has no section {title}"
    return re.split(r"^## ", found[1], flags=re.MULTILINE)[0]


# -- settings and commands


def rows(document: str) -> list[str]:
    """Return the rows of a document's tables."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.lstrip().startswith("|")]


def written(value: object) -> str:
    """Write a default as a person types it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("document", ["README.md", "COMMANDS.md"])
@pytest.mark.parametrize("setting", KEYS)
def test_every_setting_stands_in_the_documents_with_its_default_and_range(
    setting: str, document: str
) -> None:
    """A row with `config <setting>`, the default and the range, as settings.py has them."""
    key = KEYS[setting]
    named = re.compile(rf"aurora config {setting}\b")
    found = [
        [cell.strip(" `") for cell in row.strip().strip("|").split("|")]
        for row in rows(document)
        if named.search(row)
    ]
    wanted = {written(GUILD_DEFAULTS[key]), str(RULES[key].values)}
    assert any(wanted <= set(cells) for cells in found), (
        f"{document} has no table row with `[p]aurora config {setting}`, "
        f"{' and '.join(sorted(wanted))}; rows that name it: {found}"
    )


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


@cache
def functions(path: Path) -> frozenset[str]:
    """Return the functions of a module, methods as Class.method."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    found = {node.name for node in tree.body if isinstance(node, kinds)}
    for home in tree.body:
        if isinstance(home, ast.ClassDef):
            found |= {f"{home.name}.{one.name}" for one in home.body if isinstance(one, kinds)}
    return frozenset(found)


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


# -- what nobody is told


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_document_speaks_of_what_a_reader_does_not_have(document: str) -> None:
    """Neither by the number of a promise, nor of a document that is not in the repository."""
    text = text_of(document)
    assert re.findall(r"\bP\d{1,2}\b", text) == []
    assert re.findall(r"(?<![\w/])DESIGN(?:\.md)?\b", text) == []
    if document != DESIGN:
        assert re.findall(r"\b(?:promises?|decisions?) \d+", text, flags=re.IGNORECASE) == []
