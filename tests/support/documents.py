"""What the documents say, taken apart."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tests.support.house import ROOT

DESIGN = "EVENT_SYSTEM_DESIGN.md"


@cache
def whole(document: str | Path) -> str:
    """Return a document as it is."""
    return (ROOT / document).read_text(encoding="utf-8")


def text_of(document: str | Path) -> str:
    """Return a document without its blocks of code, whose lines look like anything."""
    return re.sub(r"^ *```.*?^ *```", "", whole(document), flags=re.MULTILINE | re.DOTALL)


def section(document: str, title: str) -> str:
    """Return a section of a document, further headings below it included."""
    found = re.split(rf"^## {title}\n", text_of(document), flags=re.MULTILINE)
    assert len(found) == 2, f"{document} has no section {title}"
    return re.split(r"^## ", found[1], flags=re.MULTILINE)[0]


def way_of_a_mention() -> list[tuple[str, str]]:
    """Return the steps of the sequence picture: the files, below aurora/, and the functions."""
    _, _, rest = whole(DESIGN).partition("```mermaid\nsequenceDiagram\n")
    picture, _, _ = rest.partition("```")
    return re.findall(r"^ *\w+->>\w+: (\S+\.py): (\S+)$", picture, flags=re.MULTILINE)


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
