"""The house as its source has it: its modules, and what each of them imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("aurora", "doubles", "sandbox", "benchmarks")


def modules_of(package: str) -> dict[str, Path]:
    """Return where a package's modules lie, by their full names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((ROOT / package).rglob("*.py"))
    }


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name, "" for a whole module; `typing` if only a type checker sees it."""

    line: int
    home: str
    name: str
    typing: bool

    @property
    def full(self) -> str:
        """Return what is imported, in full."""
        return f"{self.home}.{self.name}" if self.name else self.home


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Return all that the module in a file imports."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return tuple(read_imports(path.read_text(encoding="utf-8"), parts[:-1]))


@cache
def defined(path: Path) -> frozenset[str]:
    """Return the public names that the module in a file defines itself."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = (name for node in body for name in _names(node))
    return frozenset(name for name in names if not name.startswith("_"))


def _names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        found = (one for target in targets for one in ast.walk(target))
        yield from (one.id for one in found if isinstance(one, ast.Name))


def read_imports(source: str, package: tuple[str, ...]) -> Iterator[Import]:
    """Yield what a module of a package imports, wherever in it that stands."""
    yield from _walk(ast.parse(source), package, typing=False)


def _walk(tree: ast.AST, package: tuple[str, ...], *, typing: bool) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        # Most of a module are expressions, and in none of them anything is imported.
        if isinstance(node, ast.expr):
            continue
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, one.name, "", typing) for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            home = ".".join([*base, *filter(None, [node.module])])
            yield from (Import(node.lineno, home, one.name, typing) for one in node.names)
        else:
            guard = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            yield from _walk(node, package, typing=typing or guard)
