"""Routes of agents, their tools, and models."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from . import problems, shapes
from .api import (
    Api,
    page,
    read_body,
    respond,
)
from .ids import new_id
from .state import Agent, Json


class AgentRoutes:
    """Agents and what they are made of."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.get("/v1/health", _health),
            web.get("/v1/health/", _health),
            web.get("/v1/models/", self._models),
            web.get("/v1/models/embedding", self._embeddings),
            web.get("/v1/agents/", self._list),
            web.post("/v1/agents/", self._create),
            web.get("/v1/agents/{agent_id}", self._retrieve),
            web.delete("/v1/agents/{agent_id}", self._delete),
            web.get("/v1/agents/{agent_id}/tools", self._tools),
            web.patch("/v1/agents/{agent_id}/tools/attach/{tool_id}", self._attach),
            web.patch("/v1/agents/{agent_id}/tools/detach/{tool_id}", self._detach),
            web.patch("/v1/agents/{agent_id}/tools/approval/{name}", self._approval),
        ]

    def show(self, agent: Agent, request: web.Request | None = None) -> Json:
        """Build an agent's JSON with what the request includes."""
        include = request.query.getall("include", []) if request is not None else []
        main = self._api.store.main[agent.id]
        url = self._api.model.provider.url
        return shapes.agent_json(agent, main, self._api.tools, url, include)

    async def _models(self, _: web.Request) -> web.Response:
        provider = self._api.model.provider
        return respond(shapes.models_json((provider.model, *provider.more), provider.url))

    async def _embeddings(self, _: web.Request) -> web.Response:
        return respond(shapes.embeddings_json(self._api.model.provider.url))

    async def _list(self, request: web.Request) -> web.Response:
        agents = reversed(self._api.store.agents.values())
        name, tags = request.query.get("name"), set(request.query.getall("tags", []))
        found = [
            self.show(agent, request)
            for agent in agents
            if name in (None, agent.name) and (not tags or tags & set(agent.tags))
        ]
        return respond(page(request, found, limit=50))

    async def _create(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        tools, tags = _names(body, "tools"), _names(body, "tags")
        provider = self._api.model.provider
        model = body.get("model") or f"{shapes.PREFIX}/{provider.model}"
        unknown = {name for name in tools if name not in self._api.tools}
        self._api.check_model(model)
        if unknown:
            raise problems.detail(400, f"Tools not found by name: {unknown}")
        agent = Agent(
            name=body.get("name") or new_id("agent"),
            system=body.get("system") or "You are a helpful assistant.",
            tools=tools,
            model=model,
            parallel_tool_calls=bool(body.get("parallel_tool_calls")),
            tags=tags,
            blocks=[
                shapes.block_json(block["label"], block["value"])
                for block in body.get("memory_blocks") or ()
            ],
        )
        return respond(self.show(self._api.add_agent(agent)))

    async def _retrieve(self, request: web.Request) -> web.Response:
        return respond(self.show(self._api.agent(request.match_info["agent_id"]), request))

    async def _delete(self, request: web.Request) -> web.Response:
        agent = self._api.agent(request.match_info["agent_id"])
        store = self._api.store
        del store.agents[agent.id], store.main[agent.id]
        for thread_id in [i for i, t in store.threads.items() if t.agent_id == agent.id]:
            del store.threads[thread_id]
        return respond({"message": f"Agent id={agent.id} successfully deleted"})

    async def _tools(self, request: web.Request) -> web.Response:
        agent = self._api.agent(request.match_info["agent_id"])
        rows = [self._api.tools[name].json for name in reversed(agent.tools)]
        return respond(page(request, rows, limit=10))

    async def _attach(self, request: web.Request) -> web.Response:
        agent, name = self._agent_and_tool(request)
        if name not in agent.tools:
            agent.tools.append(name)
        return respond(self.show(agent))

    async def _detach(self, request: web.Request) -> web.Response:
        agent, name = self._agent_and_tool(request)
        if name in agent.tools:
            agent.tools.remove(name)
        return respond(self.show(agent))

    async def _approval(self, request: web.Request) -> web.Response:
        agent = self._api.agent(request.match_info["agent_id"])
        name = request.match_info["name"]
        body = await read_body(request)
        wanted = body.get("requires_approval", request.query.get("requires_approval") == "true")
        (agent.approvals.add if wanted else agent.approvals.discard)(name)
        return respond(self.show(agent))

    def _agent_and_tool(self, request: web.Request) -> tuple[Agent, str]:
        agent = self._api.agent(request.match_info["agent_id"])
        tool_id = request.match_info["tool_id"]
        for tool in self._api.tools.values():
            if tool.id == tool_id:
                return agent, tool.name
        raise problems.detail(404, f"Tool with id={tool_id} not found")


async def _health(_: web.Request) -> web.Response:
    return respond({"version": "0.16.8", "status": "ok"})


def _names(body: Json, key: str) -> list[str]:
    value: Any = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise problems.invalid("list_type", ("body", key), "Input should be a valid list", value)
    return value
