"""Ask the language model, with the retries and the error words of the server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from ..llm import Provider
from .problems import StreamError
from .state import Json

_TRIES = 3
_AGAIN = frozenset({408, 409, 429})
_LONGEST_WAIT = 60.0
# By the provider's status: error_type, error code, and how the detail begins.
_WORDS = {
    400: ("llm_error", "INVALID_ARGUMENT", "Bad request to OpenAI-compatible endpoint"),
    401: ("llm_authentication", "UNAUTHENTICATED", "Authentication failed with OpenAI"),
    402: ("llm_error", "PAYMENT_REQUIRED", "Insufficient credits"),
    403: ("llm_error", "PERMISSION_DENIED", "Permission denied by OpenAI"),
    404: ("llm_error", "NOT_FOUND", "Resource not found in OpenAI"),
    422: ("llm_error", "INVALID_ARGUMENT", "Invalid request content for OpenAI"),
    429: ("llm_rate_limit", "RATE_LIMIT_EXCEEDED", "Rate limited by OpenAI"),
}
_MESSAGES = {
    "llm_rate_limit": (
        "Rate limit exceeded for LLM model provider. Please wait before making another request."
    ),
    "llm_authentication": "Authentication failed with the LLM model provider.",
    "llm_error": "An error occurred with the LLM request.",
}
# What plain requests answer when the model fails.
_STATUSES = {"llm_rate_limit": 429, "llm_authentication": 401}


class Model:
    """The provider behind the agents.

    `backoff` is the first wait between tries in seconds; it doubles, and a provider's
    Retry-After goes before it.
    """

    def __init__(self, provider: Provider, *, backoff: float = 0.5) -> None:
        self.provider = provider
        self._backoff = backoff
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Get ready to ask."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))

    async def close(self) -> None:
        """Hang up."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def ask(
        self, model: str, messages: Sequence[Json], tools: Sequence[Json]
    ) -> AsyncGenerator[Json, None]:
        """Yield the chunks of one answer.

        Raises:
            StreamError: the provider refused, broke off or wrote nonsense.

        """
        body: Json = {"model": model, "messages": list(messages), "stream": True}
        body["stream_options"] = {"include_usage": True}
        body["tools"] = list(tools) or None
        async with self._post(body) as response:
            try:
                async for line in response.content:
                    text = line.decode().strip()
                    if text.startswith("data: ") and text != "data: [DONE]":
                        yield json.loads(text.removeprefix("data: "))
            except aiohttp.ClientError as error:
                raise _broken(_CUT) from error
            except ValueError as error:
                raise _broken(str(error)) from error

    @asynccontextmanager
    async def _post(self, body: Json) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open the answer, trying again where the OpenAI client does."""
        assert self._session is not None  # noqa: S101 - asked only while the server runs
        headers = {"Authorization": f"Bearer {self.provider.key}"}
        url = f"{self.provider.url}/chat/completions"
        for number in range(1, _TRIES + 1):
            wait = self._backoff * 2 ** (number - 1)
            try:
                async with self._session.post(url, json=body, headers=headers) as response:
                    if response.status == 200:
                        yield response
                        return
                    failure = _refused(response.status, await response.text())
                    again = response.status in _AGAIN or response.status >= 500
                    wait = _retry_after(response, wait)
            except aiohttp.ClientConnectionError:
                failure, again = _failure("llm_error", _OFFLINE), True
            if not again or number == _TRIES:
                raise failure
            await asyncio.sleep(wait)


_CUT = (
    "INTERNAL_SERVER_ERROR: Connection error during OpenAI streaming: peer closed connection "
    "without sending complete message body (incomplete chunked read)"
)
_OFFLINE = "INTERNAL_SERVER_ERROR: Failed to connect to OpenAI: Connection error."


def _failure(kind: str, detail: str) -> StreamError:
    status = _STATUSES.get(kind, 500)
    return StreamError(kind, _MESSAGES[kind], detail, stop_reason="llm_api_error", status=status)


def _refused(status: int, text: str) -> StreamError:
    try:
        body: Any = json.loads(text)
    except ValueError:
        body = text
    other = "INTERNAL_SERVER_ERROR" if status >= 500 else "INVALID_ARGUMENT"
    kind, code, begin = _WORDS.get(status, ("llm_error", other, "OpenAI API error"))
    return _failure(kind, f"{code}: {begin}: Error code: {status} - {body}")


def _broken(detail: str) -> StreamError:
    """Build the failure of an answer that had begun: cut off, or no answer at all."""
    text = "An error occurred during agent execution."
    return StreamError("internal_error", text, detail, stop_reason="llm_api_error", twice=True)


def _retry_after(response: aiohttp.ClientResponse, wait: float) -> float:
    try:
        told = float(response.headers.get("Retry-After", ""))
    except ValueError:
        return wait
    return told if 0 < told <= _LONGEST_WAIT else wait
