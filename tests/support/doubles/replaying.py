"""Send a recording's requests to the double, in the recorded order and overlap."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from doubles import recordings
from doubles.letta_rest import LettaRest
from tests.support.doubles.comparing import Comparison
from tests.support.doubles.recorded_model import RecordedModel

_PATIENCE = 10.0
# A gap of this many recorded milliseconds was a wait for runs to end.
_LONG_GAP = 900.0


@dataclass(slots=True)
class Exchange:
    """A recorded exchange, and what the double made of it."""

    recorded: dict[str, Any]
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    events: list[str] = field(default_factory=list)
    broken: bool = False
    compared: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def request(self) -> dict[str, Any]:
        """Give the recorded request."""
        request: dict[str, Any] = self.recorded["request"]
        return request

    @property
    def response(self) -> dict[str, Any]:
        """Give the recorded response."""
        response: dict[str, Any] = self.recorded["response"]
        return response

    @property
    def start(self) -> float:
        """Say when it was sent, in recorded milliseconds."""
        return float(self.recorded["start_ms"])

    @property
    def end(self) -> float:
        """Say when it was over."""
        return self.start + float(self.response["end_ms"])

    def seen_by(self, moment: float) -> int:
        """Count the recorded events until then."""
        return sum(self.start + e["ms"] <= moment for e in self.response.get("events", ()))

    async def has(self, count: int) -> None:
        """Wait until that many events have come."""
        while len(self.events) < count and self.task is not None and not self.task.done():
            self.news.clear()
            await self.news.wait()


class Replay:
    """One recording against one double."""

    def __init__(self, name: str, rest: LettaRest, model: RecordedModel) -> None:
        self.rest = rest
        self.model = model
        self.recording = recordings.load("rest", name)
        self.exchanges = [Exchange(recorded) for recorded in self.recording["exchanges"]]
        self.comparison = Comparison(model.url)
        # What a scenario does by itself before an exchange, by the exchange's number.
        self.before: dict[int, Callable[[], Awaitable[None]]] = {}

    async def play(self) -> None:
        """Send everything; compare each answer as soon as it is complete."""
        for number, exchange in enumerate(self.exchanges):
            if (step := self.before.get(exchange.recorded["n"])) is not None:
                await step()
            await self._until(number)
            exchange.task = asyncio.create_task(self._send(exchange))
            if exchange.end > self._next_start(number) or "read_error" in exchange.response:
                continue
            overlapped = [e for e in self.exchanges[:number] if e.end > exchange.start]
            if overlapped:
                self.model.hold()
                # Only a model call of its own must get through.
                await asyncio.wait_for(exchange.task, _PATIENCE)
                self.model.release()
            await asyncio.wait_for(exchange.task, _PATIENCE)
            self.compare(exchange)
        for exchange in self.exchanges:
            assert exchange.task is not None
            await asyncio.wait_for(exchange.task, _PATIENCE)
            self.compare(exchange)

    def compare(self, exchange: Exchange) -> None:
        """Fail at the first difference from the recording."""
        if exchange.compared:
            return
        exchange.compared = True
        where = f"n{exchange.recorded['n']}"
        recorded, check = exchange.response, self.comparison.check
        assert exchange.status == recorded["status"], f"{where}: {exchange.body}"
        for name in ("Content-Type", "Transfer-Encoding", "Server", "Allow"):
            if name in recorded.get("headers", {}):
                assert exchange.headers.get(name) == recorded["headers"][name], where
        if "json" in recorded:
            check(recorded["json"], json.loads(exchange.body), where)
        if "events" not in recorded:
            return
        wanted, found = recorded["events"], exchange.events
        if "read_error" in recorded:
            assert exchange.broken, f"{where}: the stream did not break"
            found = found[: len(wanted)]
        kinds = [_kind(text) for text in found]
        assert kinds == [_kind(event["raw"]) for event in wanted], where
        for number, (event, text) in enumerate(zip(wanted, found, strict=True)):
            check(_frame(event["raw"]), _frame(text), f"{where} event {number}")

    def _next_start(self, number: int) -> float:
        later = self.exchanges[number + 1 :]
        return later[0].start if later else float("inf")

    async def _until(self, number: int) -> None:
        """Wait for what had happened when the recorded server worked on this exchange."""
        exchange = self.exchanges[number]
        moment = exchange.start + float(exchange.response.get("headers_ms", 0))
        for earlier in self.exchanges[:number]:
            assert earlier.task is not None
            if earlier.end <= exchange.start:
                await asyncio.wait_for(earlier.task, _PATIENCE)
                self.compare(earlier)
            else:
                await asyncio.wait_for(earlier.has(earlier.seen_by(moment)), _PATIENCE)
        last = max((e.end for e in self.exchanges[:number]), default=0.0)
        if number and exchange.start - last > _LONG_GAP:
            await self.quiet()

    async def quiet(self) -> None:
        """Wait until the model answers nobody and its last words are stored."""
        await asyncio.wait_for(self.model.idle.wait(), _PATIENCE)
        await asyncio.sleep(0.05)

    async def _send(self, exchange: Exchange) -> None:
        request = exchange.request
        names = ("Authorization", "Accept", "Content-Type")
        headers = {n: request["headers"][n] for n in names if n in request.get("headers", {})}
        body = request.get("body_text")
        if "json" in request:
            body = self.comparison.to_live(json.dumps(request["json"]))
        url = self.rest.url + self.comparison.to_live(request["path"])
        method = request["method"]
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                async with session.request(method, url, data=body, headers=headers) as response:
                    await self._receive(exchange, response)
            except aiohttp.ClientConnectorError:
                assert exchange.response["status"] == 0
            except aiohttp.ClientPayloadError:
                exchange.broken = True
            finally:
                exchange.news.set()

    async def _receive(self, exchange: Exchange, response: aiohttp.ClientResponse) -> None:
        exchange.status = response.status
        exchange.headers = dict(response.headers)
        if not response.headers["Content-Type"].startswith("text/event-stream"):
            exchange.body = await response.text()
            return
        leaves_after = None
        if "client_closed_at_ms" in exchange.response:
            leaves_after = len(exchange.response["events"])
        text = ""
        async for line in response.content:
            text += line.decode()
            if text.endswith("\n\n"):
                exchange.events.append(text)
                exchange.news.set()
                text = ""
            if len(exchange.events) == leaves_after:
                return


def _kind(raw: str) -> str:
    """Name an event in a word, so that a difference in their order is easy to see."""
    found = re.search(r'"message_type":\s*"(\w+)"', raw)
    kind = found[1] if found else raw.strip()
    return f"error: {kind}" if raw.startswith("event: error") else kind


def _frame(raw: str) -> Any:
    data = raw.partition("data: ")[2].strip()
    return json.loads(data) if data.startswith("{") else data
