"""The lines that say what runs cost."""

from __future__ import annotations

from collections.abc import Iterator

from redbot.core.utils.chat_formatting import humanize_number, humanize_timedelta

from ..model import Used
from ..runs.usage import Prices, Summary
from ..words import Phrase, say
from ..words import usage as w


def spent_lines(summary: Summary, prices: Prices) -> Iterator[str]:
    """Say what runs cost in all."""
    total = summary.total
    if not total.runs:
        yield say(w.NOTHING)
        return
    yield say(w.RUNS(count=total.runs, answered=total.answered, failed=total.failed))
    yield say(tokens_of(total))
    if total.unknown:
        yield say(w.UNKNOWN(count=total.unknown))
    each = humanize_timedelta(seconds=max(1, round(total.seconds / total.runs)))
    yield say(w.TIME(time=humanize_timedelta(seconds=max(1, round(total.seconds))), each=each))
    amount, unpriced = summary.money(prices)
    if unpriced < total.runs:
        yield say(w.MONEY(amount=in_money(amount)))
        if unpriced:
            yield say(w.UNPRICED(count=unpriced))


def spent_line(name: str, used: Used) -> str:
    """Say what some runs cost in one line."""
    return f"{name} · {say(w.LINE(runs=used.runs, tokens=in_tokens(used)))}"


def in_tokens(used: Used) -> str:
    """Write how many tokens runs took: unknown is not nothing."""
    if used.unknown and not used.tokens:
        return "?"
    return humanize_number(used.tokens) + (" + ?" if used.unknown else "")


def in_money(amount: float) -> str:
    """Write an amount; a small one has more digits."""
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.2g}"


def tokens_of(total: Used) -> Phrase:
    """Say how many tokens runs took, and of what kinds."""
    if total.unknown and not total.tokens:
        return w.TOKENS_UNKNOWN
    return (w.TOKENS_CACHED if total.cached else w.TOKENS)(
        tokens=in_tokens(total),
        prompt=humanize_number(total.prompt),
        cached=humanize_number(total.cached),
        completion=humanize_number(total.completion),
    )
