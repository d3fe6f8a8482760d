"""Where a text may be cut, and what is open there, by the rules of Discord's markdown.

The first mark that finds its partner wins, whatever stands between; one without a partner is
text. Quotes, headings and list items end with their lines, and so do all marks inside.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal, NamedTuple

from .. import markdown

START, INSIDE, PREFIX = "\x01", "\x02", "\x03"
"""In a mask: before this a cut may fall; before this none; the `> ` of a quote's further lines."""

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_MASKS = re.compile(f"[{START}{INSIDE}{PREFIX}]")
_SPECIAL = re.compile(r"\*+|_+|~+|\|+|`+|[\\<\[]|\n(?= *[>#*\-0-9])|h(?=ttps?://)")
_ALONE = {"|": 5, "`": 7}
"""So many of a mark and nothing else are a spoiler, or a block, with one of them inside."""
_RULE = 8
"""So many stars, underscores or tildes in a row draw a line, whatever Discord makes of them."""
_LOOKS_LIKE_BLOCK = re.compile(r"[*_~|]{0,12}+(?:>|>>>|#{1,3}|-#|[*-]|\d{1,9}\.)\s")
_TICKS = re.compile(r"\s?`+.?", re.DOTALL)
_LONGEST_LANGUAGE = 30
_DEEPEST = 12

Kind = Literal["rest", "quote", "heading", "subtext", "item", "fence", "code", "inline"]


class Style(NamedTuple):
    """What a message has to begin with to go on with a style, and to end with to end it."""

    kind: Kind
    opening: str
    closing: str = ""
    margin: int = 0  # of a list item: so many blanks stand before it


Styles = tuple[Style, ...]


class _Construct(NamedTuple):
    """Where a construct begins, where its content does, and where both end."""

    begin: int
    inner: int
    closed: int
    stop: int
    style: Style
    fresh: bool = False  # its content begins a line


class Markup:
    """A text, a mask of the same length that says where it may be cut, and its open styles.

    In the mask white space may be cut away, and other characters be cut before, but for what
    `START`, `INSIDE` and `PREFIX` say. Constructs of up to `keep` characters are kept whole, and
    so are code blocks, links and addresses of up to `limit`.
    """

    def __init__(self, text: str, *, keep: int, limit: int) -> None:
        self.text = text
        reader = _Reader(text, keep, limit)
        reader.read(0, len(text), (), fresh=True)
        self.mask = "".join(reader.pieces)
        self._places, self._styles = reader.places, reader.styles

    def styles_at(self, at: int) -> Styles:
        """Return what is open where the text is cut, from the outside in."""
        return self._styles[bisect_right(self._places, at) - 1]

    def may_begin(self, at: int) -> bool:
        """Tell whether a message that begins here becomes no list or quote by that."""
        return not _LOOKS_LIKE_BLOCK.match(self.text, at) or markdown.begins_line(self.text, at)


def units(text: str) -> int:
    """Count a text as UTF-16 does."""
    return len(text) + (0 if text.isascii() else len(_ASTRAL.findall(text)))


class _Reader:
    """Reads a text once, from the outside in; descends only where a cut may have to fall."""

    def __init__(self, text: str, keep: int, limit: int) -> None:
        self._text, self._keep, self._limit = text, keep, limit
        self._plain = _MASKS.sub("?", text)
        self._code = markdown.Code(text)
        self._sticky = False
        self.pieces: list[str] = []
        self.places: list[int] = [0]
        self.styles: list[Styles] = [()]

    def read(self, start: int, end: int, styles: Styles, *, fresh: bool) -> None:
        """Read what stands between two places; `fresh` if a line begins there."""
        dead: set[str] = set()
        done = at = self._block(start, end, styles) if fresh else start
        while found := _SPECIAL.search(self._text, at, end):
            begin, at = found.span()
            mark = found[0][0]
            if mark in "*_~|`":
                self._emit(self._plain[done:begin])
                done = at = self._marks(begin, at, end, styles, dead)
            elif mark == "\n":
                self._emit(self._plain[done:at])
                done = at = self._line(at, end, styles)
            elif stop := self._whole(mark, begin, end, styles, done):
                done = at = stop
        self._emit(self._plain[done:end])

    # -- lines

    def _line(self, at: int, end: int, styles: Styles) -> int:
        prefix = markdown.QUOTE.match(self._text, at, end) if styles else None
        if prefix and any(style.kind == "quote" for style in styles):
            self._emit(PREFIX * len(prefix[0]))
            at = prefix.end()
        return self._block(at, end, styles)

    def _block(self, at: int, end: int, styles: Styles) -> int:
        """Read the quote, heading or list item that begins here; return where it ends."""
        found = markdown.BLOCK.match(self._text, at, end)
        if found is None:
            return at
        kind: Kind = found.lastgroup  # type: ignore[assignment]  # the names are those of Kind
        kinds = {style.kind for style in styles}
        if kind in ("rest", "quote") and not kinds.isdisjoint(("rest", "quote")):
            return at
        if kind in ("heading", "subtext") and "item" in kinds:
            return at
        lines = markdown.LINE
        if kind == "quote":
            lines = markdown.QUOTED
        elif kind == "item" and "quote" not in kinds:
            lines = markdown.item_lines(len(found[0]) - len(found[0].lstrip(" ")))
        rest = lines.match(self._text, found.end(), end)
        stop = end if kind == "rest" or rest is None else rest.end()
        if kind == "quote":
            stop = self._without_blank_lines(found.end(), stop)
        if kind in ("rest", "quote") and not self._text[found.end() : stop].strip():
            self._emit(PREFIX * (stop - at))
            return stop
        if stop - at <= self._keep:
            self._atom(stop - at)
            return stop
        margin = len(found[0]) - len(found[0].lstrip(" "))
        style = Style(kind, found[0].strip() + " ", margin=margin if kind == "item" else 0)
        self._add(_Construct(at, found.end(), stop, stop, style, fresh=True), styles, self._keep)
        return stop

    def _without_blank_lines(self, inner: int, stop: int) -> int:
        """Return where the last line of a quote ends that says something."""
        # Discord cuts the blanks at the end of a message, and then the sign is no quote's.
        while (line := self._text.rfind("\n", inner, stop)) >= 0:
            if not markdown.QUOTE.fullmatch(self._text, line + 1, stop):
                break
            stop = line
        return stop

    # -- marks

    def _marks(self, begin: int, behind: int, end: int, styles: Styles, dead: set[str]) -> int:
        """Read the construct that a run of marks begins; return where to go on."""
        mark, length = self._text[begin], behind - begin
        if (alone := _ALONE.get(mark)) and length >= 2 * alone:
            times = length // alone - 1
            self._emit((START + INSIDE * (alone - 1)) * times)
            return begin + times * alone
        if mark == "`":
            if code := self._coded(begin, end, not styles):
                keep = self._limit if code.style.kind == "fence" else self._keep
                # Nobody has closed it: then each message has to.
                self._add(code, styles, 0 if code.closed == end == len(self._text) else keep)
                return code.stop
        elif length < _RULE or mark == "|":
            # What the first two of a run can't open, none of them can.
            for at in range(begin, min(begin + 2, behind)):
                width, stop = self._styled(mark, at, end, dead)
                if stop:
                    self._literal(at - begin)
                    self._inline(at, width, stop, styles)
                    return stop
        self._literal(length)
        return behind

    def _styled(self, mark: str, at: int, end: int, dead: set[str]) -> tuple[int, int]:
        """Return how many marks open a style here and where it ends: the longer one wins."""
        text, width, stop = self._text, 0, 0
        if mark in markdown.ITALICS and (italic := markdown.ITALICS[mark].match(text, at, end)):
            width, stop = 1, italic.end()
        if mark not in dead and text.startswith(mark * 2, at):
            double = markdown.DOUBLES[mark].match(text, at, end)
            if double is None:
                dead.add(mark)  # Those that come later will find no partner either.
            elif double.end() > stop:
                width, stop = 2, double.end()
        return width, stop

    def _inline(self, at: int, width: int, stop: int, styles: Styles) -> None:
        if stop - at <= self._keep:
            self._atom(stop - at)
            return
        marks = self._text[at : at + width]
        style = Style("inline", marks, marks)
        fresh = markdown.begins_line(self._text, at)
        self._add(_Construct(at, at + width, stop - width, stop, style, fresh), styles, 0)

    def _coded(self, at: int, end: int, outmost: bool) -> _Construct | None:
        text = self._text
        opened = markdown.FENCE.match(text, at, end) if text.startswith("```", at) else None
        if opened:
            stop, closed = self._code.block_at(at, end), 3
            if stop is None and outmost and opened[1] is not None:
                stop, closed = self._unclosed(at, opened.end()), 0
            if stop is not None:
                inner = opened.end() if opened.end() < stop - closed else at + 3
                language = (opened[1] or "") if inner == opened.end() else ""
                opening = f"```{language if len(language) <= _LONGEST_LANGUAGE else ''}\n"
                style = Style("fence", opening, "\n```")
                return _Construct(at, inner, stop - closed, stop, style)
        if span := self._code.span_at(at, end):
            width, stop = span
            style = Style("code", "`" * width, "`" * width)
            return _Construct(at, at + width, stop - width, stop, style)
        return None

    def _unclosed(self, at: int, inner: int) -> int | None:
        """Tell where a block ends that its author forgot to close: with the text.

        Discord shows such a block as text, with its spoilers; where there are any, it stays so.
        """
        text = self._text
        alone = text.rfind("\n", max(at - 1, 0), at) + 1 == at
        return len(text) if alone and inner < len(text) and text.find("||", at) < 0 else None

    def _whole(self, mark: str, begin: int, end: int, styles: Styles, done: int) -> int:
        """Read what can't be cut at all; return where it ends, 0 if it is no such thing."""
        found = (markdown.LINK if mark == "[" else markdown.ATOM).match(self._text, begin, end)
        if found is None and mark != "\\":
            return 0
        self._emit(self._plain[done:begin])
        if found is None:
            self._literal(1)  # It stands at the end of a line.
            return begin + 1
        if mark == "[" and len(found[2]) <= self._keep:
            style = Style("inline", "[", found[2])
            link = _Construct(begin, *found.span(1), found.end(), style)
            self._add(link, styles, self._limit)
        else:
            self._atom(found.end() - begin)
        return found.end()

    # -- what is emitted

    def _add(self, one: _Construct, styles: Styles, keep: int) -> None:
        """Emit a construct: whole if it is short, else open for cuts inside."""
        if units(self._text[one.begin : one.stop]) <= keep or len(styles) >= _DEEPEST:
            self._atom(one.stop - one.begin)
            return
        self._atom(one.inner - one.begin)
        within = (*styles, one.style)
        self._open(one.inner, within)
        first = len(self.pieces)
        if one.style.kind in ("fence", "code"):
            self._verbatim(one.inner, one.closed)
        else:
            self.read(one.inner, one.closed, within, fresh=one.fresh)
        content = "".join(self.pieces[first:])
        # No message may hold the marks and nothing between them.
        blank = content.replace(PREFIX, " ")
        lead = len(content) - len(blank.lstrip()) + 1
        tail = len(blank.rstrip()) if one.style.closing else len(content)
        self.pieces[first:] = [(INSIDE * lead + content[lead:tail]).ljust(len(content), INSIDE)]
        self._sticky = False
        if one.closed < one.stop or one.style.kind != "fence":
            self._emit(INSIDE * (one.stop - one.closed))
            self._open(one.stop, styles)

    def _open(self, at: int, styles: Styles) -> None:
        self.places.append(at)
        self.styles.append(styles)

    def _verbatim(self, start: int, end: int) -> None:
        """Emit code: nothing in it is a mark, but no cut falls beside a backtick."""
        code = self._plain[start:end]
        self._emit(_TICKS.sub(lambda found: START + INSIDE * (len(found[0]) - 1), code))

    def _literal(self, length: int) -> None:
        if length:
            self._atom(length)
            # A mark that is text must not come to stand beside one that we add.
            self._sticky = True

    def _atom(self, length: int) -> None:
        self._emit(START + INSIDE * (length - 1))

    def _emit(self, piece: str) -> None:
        if piece and self._sticky:
            piece = INSIDE + piece[1:]
            self._sticky = False
        self.pieces.append(piece)
