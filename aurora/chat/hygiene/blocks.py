"""Take out of a text what stands in marks: reasoning, tool calls, turns, and what is ours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .code import Code, code_in
from .names import LANGUAGES, REASONING
from .tokens import Act, Kind, Token, tokens_in

_WORD = re.compile(r"\S")
# Where a tag has begun, a blank would keep it from being read as one.
_ENDS_WORD = re.compile(r"\A[^<]*[\w.!?\u2026:;,]\Z")


class Rest(NamedTuple):
    """What is left of a text, and the text of each tool call that stood in it."""

    text: str
    calls: Sequence[str] = ()


class _Block(NamedTuple):
    name: str
    family: str
    kind: Kind
    start: int
    """Where it begins in the text."""


def take_blocks(text: str) -> Rest:
    """Take out all blocks, closed or not, however they are nested; linear in the text's length."""
    tokens, end = tokens_in(text)
    if not tokens:
        return Rest(text)
    return _Reader(text[:end], tokens).read()


class _Reader:
    """Goes through a text once, from mark to mark.

    What stands in code is left alone; but for a block that is named for reasoning.
    """

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._code = code_in(text) if "`" in text else {}
        self._out: list[str] = []
        self._calls: list[str] = []
        self._stack: list[_Block] = []
        # How many blocks of a name are open, and of a family.
        self._open: Counter[str] = Counter()
        # The turn, or the channel, that is no answer.
        self._turn: _Block | None = None
        # Where in the output blocks of this family began that are closed: what follows may still
        # belong to them, if they are closed once more.
        self._begun: dict[str, int] = {}
        self._answers: set[str] = set()
        self._said = False
        self._at = 0
        # Up to here it is code.
        self._code_end = 0
        self._seam = False
        self._last_close = {one.family: one.start for one in tokens if one.act is Act.CLOSE}

    def read(self) -> Rest:
        """Return what is left."""
        for token in self._tokens:
            if token.start >= self._at:
                self._take(token)
        if self._hidden is None:
            self._show(len(self._text))
        else:
            self._keep_call(self._hidden, len(self._text))
        return Rest("".join(self._out), self._calls)

    @property
    def _hidden(self) -> _Block | None:
        """Return the outermost block that hides the text; None where people read it."""
        return self._stack[0] if self._stack else self._turn

    def _take(self, token: Token) -> None:
        if token.act is Act.TICKS:
            self._ticks(token)
        elif token.start < self._code_end and self._is_quoted(token):
            return
        elif token.act is Act.OPEN:
            self._enter(token)
        elif token.act is Act.CLOSE:
            self._leave(token)
        elif token.act is Act.STOP:
            self._stop(token)
        elif token.act is Act.DROP:
            self._drop(token)
        else:
            self._change_turn(token)

    # -- code

    def _ticks(self, token: Token) -> None:
        code = self._code.get(token.start)
        if token.start < self._code_end or self._is_call():
            return
        if code is None:
            self._fence_without_end(token)
        elif self._hidden is None and code.language in LANGUAGES:
            self._hide_code(token, code)
        else:
            self._code_end = code.end

    def _fence_without_end(self, token: Token) -> None:
        line = self._text[token.end : token.end + 40].partition("\n")[0].strip().lower()
        if self._hidden is None and token.end - token.start > 2 and line in REASONING:
            self._push(token, _Block("code", "code", Kind.REASONING, token.end))

    def _hide_code(self, token: Token, code: Code) -> None:
        self._show(token.start)
        if code.language not in REASONING:
            self._calls.append(self._text[code.inside : code.end].rstrip("` \n"))
        self._resume(code.end)

    def _is_quoted(self, token: Token) -> bool:
        """Tell whether a mark in code is only spoken of."""
        if self._hidden is None:
            return True
        # In what a model thinks code may begin by mistake; the mark that closes it has to count.
        closes = token.act is Act.CLOSE and self._is_open(token)
        return not closes or self._last_close[token.family] >= self._code_end

    # -- blocks

    def _enter(self, token: Token) -> None:
        if token.kind is Kind.ANSWER:
            self._open_answer(token)
            return
        if self._is_call() and (token.kind is not Kind.TOOL or not self._stack):
            return
        innermost = self._stack[-1] if self._stack else None
        if (
            innermost is not None
            and innermost.family == token.family
            and not self._text[innermost.start : token.start].strip()
        ):
            # What a template has opened a model opens again.
            self._stack[-1] = innermost._replace(start=token.end)
            return
        inner = token.start if token.kind is Kind.TOOL else token.end
        self._push(token, _Block(token.name, token.family, token.kind, inner))

    def _push(self, token: Token, block: _Block) -> None:
        if self._hidden is None:
            self._show(token.start)
        self._begun[block.family] = len(self._out)
        self._stack.append(block)
        self._open.update((block.name, f"{block.family}*"))

    def _pop(self) -> _Block:
        block = self._stack.pop()
        self._open.subtract((block.name, f"{block.family}*"))
        return block

    def _is_open(self, token: Token) -> bool:
        return self._open[f"{token.family}*"] > 0

    def _leave(self, token: Token) -> None:
        if token.kind is Kind.ANSWER:
            self._close_answer(token)
            return
        if self._is_open(token):
            exactly = self._open[token.name] > 0
            block = self._pop()
            while block.name != token.name if exactly else block.family != token.family:
                block = self._pop()
            if not self._stack:
                self._keep_call(block, token.end)
            if self._hidden is None:
                self._resume(token.end)
        elif self._hidden is None:
            self._close_unopened(token)

    def _close_unopened(self, token: Token) -> None:
        """Forget what stands before a lone mark: a template had opened the block."""
        self._show(token.start)
        if token.kind is Kind.REASONING or token.family in self._begun:
            kept = self._begun.get(token.family, 0)
            if kept < len(self._out):
                del self._out[kept:]
                self._begun = {one: min(at, kept) for one, at in self._begun.items()}
                self._said = self._said and kept > 0
        self._resume(token.end)

    def _keep_call(self, block: _Block, end: int) -> None:
        if block.kind is Kind.TOOL:
            self._calls.append(self._text[block.start : end])

    # -- turns, answers

    def _change_turn(self, token: Token) -> None:
        self._end_call(token.start)
        if self._hidden is None:
            self._show(token.start)
        if token.kind is Kind.ANSWER:
            self._leave_all()
        hides = token.act is Act.HIDE
        start = token.start if token.kind is Kind.TOOL else token.end
        self._turn = _Block("turn", "turn", token.kind, start) if hides else None
        if self._hidden is None:
            self._resume(token.end)

    def _stop(self, token: Token) -> None:
        self._end_call(token.start)
        if self._hidden is None:
            self._show(token.start)
        self._turn = None
        if self._hidden is None:
            self._resume(token.end)

    def _is_call(self) -> bool:
        return self._hidden is not None and self._hidden.kind is Kind.TOOL

    def _end_call(self, end: int) -> None:
        """End a call that has no mark of its own for it."""
        hidden = self._hidden
        if hidden is not None and hidden.kind is Kind.TOOL:
            self._keep_call(hidden, end)
            self._leave_all()
            self._turn = None
            self._resume(end)

    def _leave_all(self) -> None:
        self._stack.clear()
        self._open.clear()

    def _drop(self, token: Token) -> None:
        if self._hidden is None:
            self._show(token.start)
            self._resume(token.end)

    def _open_answer(self, token: Token) -> None:
        # In a text it is what the text is about.
        if self._hidden is not None or self._said:
            return
        if _WORD.search(self._text, self._at, token.start) is None:
            self._answers.add(token.name)
            self._drop(token)

    def _close_answer(self, token: Token) -> None:
        if token.name in self._answers:
            self._drop(token)

    # -- output

    def _show(self, end: int) -> None:
        piece = self._text[self._at : end]
        self._at = end
        if self._seam and piece:
            before = self._out[-1] if self._out else ""
            if not before or before[-1] == "\n":
                piece = _without_blank_lines(piece)
            elif before[-1].isspace():
                piece = piece.lstrip(" \t")
            elif _ENDS_WORD.search(before[-20:]) is not None and _begins_word(before, piece):
                piece = f" {piece}"
            self._seam = False
        if piece:
            self._out.append(piece)
            self._said = self._said or bool(piece.strip())

    def _resume(self, at: int) -> None:
        self._at = at
        self._code_end = min(self._code_end, at)
        self._seam = True


def _begins_word(before: str, piece: str) -> bool:
    """Tell whether a piece begins another word than the one that was cut off before it."""
    goes_on = before[-1].islower() and piece[0].islower()
    return piece[0].isalnum() and not (goes_on or (before[-1].isdigit() and piece[0].isdigit()))


def _without_blank_lines(piece: str) -> str:
    """Drop the blank lines that a piece begins with, and the blanks before its first word."""
    words = piece.lstrip()
    blank = piece[: len(piece) - len(words)]
    last = blank.rpartition("\n")
    return (last[2] if last[1] else "") + words
