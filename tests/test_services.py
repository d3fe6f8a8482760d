"""The wiring reads from top to bottom: no piece is named before it exists."""

from __future__ import annotations

import ast

from tests.support.house import ROOT


def build() -> ast.FunctionDef:
    """Return the function that wires everything."""
    tree = ast.parse((ROOT / "aurora" / "services" / "wiring.py").read_text(encoding="utf-8"))
    return next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "build"
    )


def test_no_lambda_names_a_piece_that_is_made_further_down() -> None:
    """Such a one works only because nobody calls it too early."""
    function = build()
    made = {
        target.id: node.lineno
        for node in function.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert {"queue", "alerts", "worker"} <= made.keys(), "the rule looks in the wrong place"
    lambdas = [node for node in ast.walk(function) if isinstance(node, ast.Lambda)]
    assert lambdas
    forward = [
        f"line {name.lineno}: {name.id}"
        for node in lambdas
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and made.get(name.id, 0) > node.lineno
    ]
    assert forward == []


def test_nothing_is_wired_by_a_function_inside() -> None:
    """A closure would hide the same."""
    inner = [
        node.name
        for node in ast.walk(build())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "build"
    ]
    assert inner == []
