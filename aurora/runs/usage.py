"""What runs cost, as people ask for it: in all, by day, and by what they were of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from ..model import Turn, Used

Key = TypeVar("Key")

_MILLION = 1_000_000


class Price(NamedTuple):
    """What a million tokens of a model cost, by what the bot's owner says."""

    prompt: float
    completion: float
    cached: float

    def of(self, used: Used) -> float:
        """Return what some runs of that model cost."""
        fresh = max(0, used.prompt - used.cached)
        return (
            fresh * self.prompt + used.cached * self.cached + used.completion * self.completion
        ) / _MILLION


Prices = Mapping[str, Sequence[float]]


def price_of(prices: Prices, model: str) -> Price | None:
    """Return a model's price; None if nobody has set one."""
    found = prices.get(model)
    return None if found is None else Price(*found)


def money(prices: Prices, rows: Sequence[Used]) -> tuple[float, int]:
    """Estimate what runs cost; return how many of them are of models without a price, too."""
    total, unpriced = 0.0, 0
    for row in rows:
        price = price_of(prices, row.model)
        if price is None:
            unpriced += row.runs
        else:
            total += price.of(row)
    return total, unpriced


def cost_of(turn: Turn) -> Used:
    """Return what one turn has cost so far."""
    return Used(
        0,
        agent_id=turn.agent_id or "",
        model=turn.model or "",
        runs=1,
        unknown=int(turn.unmetered > 0 or not turn.attempts),
        prompt=turn.prompt_tokens,
        cached=turn.cached_tokens,
        completion=turn.completion_tokens,
        seconds=turn.seconds,
    )


@dataclass(slots=True)
class Summary:
    """Sums of what was spent, each with the names of what it is of."""

    total: Used = field(default_factory=lambda: Used(0))
    days: dict[int, Used] = field(default_factory=dict)
    models: dict[str, Used] = field(default_factory=dict)
    agents: dict[str, Used] = field(default_factory=dict)
    channels: dict[int, Used] = field(default_factory=dict)

    def add(self, row: Used) -> None:
        """Count some runs."""
        self.total = self.total.plus(row)
        _add(self.days, row.day, row)
        _add(self.models, row.model, row)
        _add(self.agents, row.agent_id, row)
        _add(self.channels, row.channel_id, row)

    def money(self, prices: Prices) -> tuple[float, int]:
        """Estimate what all of it cost; see `money`."""
        return money(prices, [one._replace(model=name) for name, one in self.models.items()])


def _add(sums: dict[Key, Used], key: Key, row: Used) -> None:
    sums[key] = sums[key].plus(row) if key in sums else row


async def summed(
    parts: AsyncIterator[Sequence[Used]], wanted: Callable[[Used], bool] = lambda _row: True
) -> Summary:
    """Sum up what a store tells, a part at a time; others run in between."""
    summary = Summary()
    async for rows in parts:
        for row in filter(wanted, rows):
            summary.add(row)
    return summary
