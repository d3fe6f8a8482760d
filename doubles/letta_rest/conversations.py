"""Routes of conversations and of what is stored: conversations, messages, runs."""

from __future__ import annotations

from aiohttp import web

from . import problems, shapes
from .api import (
    Api,
    fault_of,
    page,
    read_body,
    respond,
    stream_of,
)
from .ids import now
from .state import (
    Json,
    Record,
    Redis,
    Run,
    Thread,
)
from .streaming import Reader

_SUMMARY = "The following is a summary of the previous messages: they talked."


class ConversationRoutes:
    """Conversations, messages and runs."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.get("/v1/conversations/", self._list),
            web.post("/v1/conversations/", self._create),
            web.get("/v1/conversations/{thread_id}", self._retrieve),
            web.patch("/v1/conversations/{thread_id}", self._update),
            web.delete("/v1/conversations/{thread_id}", self._delete),
            web.get("/v1/conversations/{thread_id}/messages", self._messages),
            web.post("/v1/conversations/{thread_id}/cancel", self._cancel),
            web.post("/v1/conversations/{thread_id}/compact", self._compact),
            web.post("/v1/conversations/{thread_id}/stream", self._stream),
            web.get("/v1/agents/{agent_id}/messages", self._agent_messages),
            web.post("/v1/agents/{agent_id}/messages/cancel", self._agent_cancel),
            web.get("/v1/runs/", self._runs),
            web.get("/v1/runs/{run_id}", self._run),
            web.get("/v1/runs/{run_id}/messages", self._run_messages),
            web.get("/v1/runs/{run_id}/usage", self._run_usage),
            web.get("/v1/runs/{run_id}/steps", self._run_steps),
            web.post("/v1/runs/{run_id}/stream", self._run_stream),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        agent_id = request.query.get("agent_id")
        words = request.query.get("summary_search", "")
        rows = [
            shapes.thread_json(thread)
            for thread in reversed(self._api.store.threads.values())
            if agent_id in (None, thread.agent_id) and words in (thread.summary or "")
        ]
        return respond(page(request, rows, limit=50))

    async def _create(self, request: web.Request) -> web.Response:
        agent_id = request.query.get("agent_id")
        if agent_id is None:
            raise problems.invalid("missing", ("query", "agent_id"), "Field required", None)
        if agent_id not in self._api.store.agents:
            raise problems.detail(404, "Agent not found")
        body = await read_body(request)
        thread = self._api.add_thread(Thread(agent_id, summary=body.get("summary")))
        return respond(shapes.thread_json(thread))

    async def _retrieve(self, request: web.Request) -> web.Response:
        return respond(shapes.thread_json(self._thread(request), messages=True))

    async def _update(self, request: web.Request) -> web.Response:
        thread, body = self._thread(request), await read_body(request)
        if "summary" in body:
            thread.summary = body["summary"]
        thread.updated = now()
        return respond(shapes.thread_json(thread))

    async def _delete(self, request: web.Request) -> web.Response:
        thread_id = self._thread(request).id
        if thread_id is not None:
            del self._api.store.threads[thread_id]
        return respond(None)

    async def _messages(self, request: web.Request) -> web.Response:
        thread_id = request.match_info["thread_id"]
        thread = self._api.thread_if_any(thread_id, request.query.get("agent_id"))
        # A conversation that is unknown or deleted is no error here, but one without messages.
        return respond(_listed(request, [] if thread is None else thread.records))

    async def _agent_messages(self, request: web.Request) -> web.Response:
        agent = self._api.agent(request.match_info["agent_id"])
        thread = self._api.store.main[agent.id]
        if conversation := request.query.get("conversation_id"):
            thread = self._api.any_thread(conversation, agent.id)
        return respond(_listed(request, thread.records))

    async def _cancel(self, request: web.Request) -> web.Response:
        thread_id = request.match_info["thread_id"]
        thread = self._api.any_thread(thread_id, request.query.get("agent_id"))
        runs = self._api.store.active(thread)
        if not runs:
            text = f"No active runs to cancel for conversation {thread_id}"
            raise problems.detail(409, f"CONFLICT: {text}")
        return respond(self._api.cancel(runs))

    async def _compact(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        thread = self._api.any_thread(request.match_info["thread_id"], body.get("agent_id"))
        seen = [one for one in thread.records if one.role != "system" and one.chat]
        if len(seen) < 2:
            raise problems.nothing_to_compact()
        for one in seen:
            one.chat = []
        # Listings still have them; the model sees what stands for them.
        seen[-1].chat = [{"role": "user", "content": _SUMMARY}]
        counts = {"num_messages_before": len(seen) + 1, "num_messages_after": 2}
        return respond({"summary": _SUMMARY, **counts})

    async def _agent_cancel(self, request: web.Request) -> web.Response:
        agent = self._api.agent(request.match_info["agent_id"])
        store, body = self._api.store, await read_body(request)
        run_ids: list[str] = body.get("run_ids") or []
        # Redis remembers the agent's last run, whether it is over or not.
        if not run_ids and store.redis is not None and agent.id in store.redis.last_run:
            run_ids = [store.redis.last_run[agent.id]]
        if not run_ids:
            active = [run for run in store.newest() if run.active and run.agent_id == agent.id]
            run_ids = [run.id for run in active]
        if not run_ids:
            text = f"CONFLICT: No active runs to cancel for agent {agent.id}"
            raise problems.detail(409, text)
        known = [store.runs[run_id] for run_id in run_ids if run_id in store.runs]
        failed = {run_id: "failed" for run_id in run_ids if run_id not in store.runs}
        return respond({**self._api.cancel(known), **failed})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        thread_id, body = request.match_info["thread_id"], await read_body(request)
        redis = self._redis()
        if run_id := body.get("run_id"):
            run = self._api.run(run_id)
        elif otid := body.get("otid"):
            if otid not in redis.otids:
                text = f"No run found for otid={otid}. The run may have expired or never existed."
                raise problems.detail(404, text)
            run = self._api.run(redis.otids[otid])
        else:
            thread = self._api.any_thread(thread_id, body.get("agent_id"))
            active = self._api.store.active(thread)
            if not active:
                text = "No active runs found for this conversation."
                raise problems.detail(400, f"INVALID_ARGUMENT: {text}")
            run = _background(active[0])
        return await self._read(request, run, body)

    async def _runs(self, request: web.Request) -> web.Response:
        query = request.query
        rows = [
            shapes.run_json(run, listed=True)
            for run in self._api.store.newest()
            if query.get("conversation_id") in (None, run.thread.id)
            and query.get("agent_id") in (None, run.agent_id)
            and (query.get("active") != "true" or run.active)
            and (not query.getall("statuses", []) or run.status in query.getall("statuses"))
        ]
        return respond(page(request, rows, limit=100))

    async def _run(self, request: web.Request) -> web.Response:
        return respond(shapes.run_json(self._named_run(request)))

    async def _run_messages(self, request: web.Request) -> web.Response:
        run = self._named_run(request)
        return respond(_listed(request, run.records, order="asc"))

    async def _run_usage(self, request: web.Request) -> web.Response:
        return respond(shapes.run_usage_json(self._named_run(request)))

    async def _run_steps(self, request: web.Request) -> web.Response:
        run, provider = self._named_run(request), self._api.model.provider
        rows = [shapes.step_json(step, run, provider.model, provider.url) for step in run.steps]
        return respond(rows)

    async def _run_stream(self, request: web.Request) -> web.StreamResponse:
        run, body = self._named_run(request), await read_body(request)
        self._redis()
        return await self._read(request, _background(run), body)

    async def _read(self, request: web.Request, run: Run, body: Json) -> web.StreamResponse:
        reader = Reader(
            stream_of(self._api, run.id),
            run.id,
            after=body.get("starting_after") or 0,
            keepalive=self._api.keepalive if body.get("include_pings", True) else None,
            fault=fault_of(request),
        )
        return await reader.serve(request)

    def _redis(self) -> Redis:
        store = self._api.store
        if store.redis is None:
            raise problems.lost_redis() if store.redis_is_lost else problems.no_redis(prefix="")
        return store.redis

    def _thread(self, request: web.Request) -> Thread:
        return self._api.thread(request.match_info["thread_id"])

    def _named_run(self, request: web.Request) -> Run:
        return self._api.run(request.match_info["run_id"])


def _background(run: Run) -> Run:
    if not run.background:
        text = "Run was not created in background mode, so it cannot be retrieved."
        raise problems.detail(400, f"INVALID_ARGUMENT: {text}")
    return run


def _listed(request: web.Request, records: list[Record], order: str = "desc") -> list[Json]:
    """List messages; a stored message may show as several, and the limit counts stored ones."""
    rows = [{"id": record.id, "record": record} for record in reversed(records)]
    # A cursor is an id that was shown, which a request beside text does not share with its row.
    shown = {entry["id"]: record.id for record in records for entry in record.entries}
    order = request.query.get("order", order)
    chosen = page(request, rows, limit=100, order=order, cursors=shown)
    entries: list[Json] = []
    for row in chosen:
        parts: list[Json] = row["record"].entries
        entries += parts if order == "asc" else reversed(parts)
    return entries
