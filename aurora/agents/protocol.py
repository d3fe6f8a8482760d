"""What Aurora asks of an agent server and what it hears back, in no server's own words."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from ..files import Picture
from ..reasons import Outcome
from ..words import Phrase


class ToolSpec(NamedTuple):
    """A tool as the model is told of it; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class ToolResult(NamedTuple):
    """What the model reads after its call, and sees where its server can show it anything."""

    text: str
    is_error: bool = False
    picture: Picture | None = None


class ToolHost(Protocol):
    """The tools of one run; the only way back from an agent into Discord."""

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """List the tools on offer."""
        ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Run a tool; a refusal or a failure is a result with `is_error`, never an exception."""
        ...


class ConversationKey(NamedTuple):
    """Which conversation; some servers name one of each agent's alike."""

    agent_id: str
    conversation_id: str


class Input(NamedTuple):
    """One input to an agent; `input_id` is new for each attempt, a used one is never answered.

    A conversation that is gone from the server is replaced by another of this `title`. `own_tools`
    are the names of the agent's own tools that may run on its server; None where nobody looks.
    `max_steps` is how often its model is asked at most, where a server lets itself be told.
    `compacted` says that the conversation was shortened for it before, which helped nothing.
    `pictures` stand behind the text. `model` is what the agent is to be given for it in place of
    its own model, which an empty one is; None leaves alone what the conversation has.
    """

    agent_id: str
    conversation_id: str
    text: str
    input_id: str
    title: str = "Discord"
    own_tools: frozenset[str] | None = None
    max_steps: int | None = None
    compacted: bool = False
    pictures: tuple[Picture, ...] = ()
    model: str | None = None

    @property
    def conversation(self) -> ConversationKey:
        """Return which conversation it is for."""
        return ConversationKey(self.agent_id, self.conversation_id)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the input; from here on it must not be sent again blindly."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The server named the run (a turn with tools has several)."""

    run_id: str


class ModelCalled(NamedTuple):
    """The server has asked the agent's model once more."""


class Text(NamedTuple):
    """A piece of the answer. Pieces of one message share `message_id`; a new id starts over."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The agent thinks; never shown to anybody."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The agent called a tool, ours or one of its own.

    `arguments` are the model's words: for no log and no repr. Empty if they are no JSON object.
    """

    call_id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)


class ToolReturned(NamedTuple):
    """A tool call ended; `fault` tells errors of different texts apart, without their words."""

    call_id: str
    is_error: bool
    fault: int = 0


class Usage(NamedTuple):
    """Tokens of `calls` of the model, summed up.

    Those of the prompt include the `cached` ones, of which not every server tells.
    """

    prompt_tokens: int
    completion_tokens: int
    calls: int = 1
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ConversationMoved:
    """The conversation had to be forked (history kept): use this one for the lane from now on."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class ServerLost:
    """The server of a run is gone, and looked for: the time that takes is not the agent's."""


@dataclass(frozen=True, slots=True)
class ServerFound:
    """The server is back, and the run goes on there; `anew`, if it began again from its start.

    That may be told a second time, for it may show later.
    """

    anew: bool = False


class Finished(NamedTuple):
    """The end of a run; always the last event.

    `text` is the agent's last message, whole. `detail` is for admins and logs: no user's words,
    no secret. `retry_after` is in seconds, where the server named it.
    """

    outcome: Outcome
    text: str = ""
    detail: Phrase | str = ""
    retry_after: float | None = None


RunEvent = (
    Accepted
    | RunStarted
    | ModelCalled
    | Text
    | Reasoning
    | ToolCalled
    | ToolReturned
    | Usage
    | ConversationMoved
    | ServerLost
    | ServerFound
    | Finished
)


class AgentInfo(NamedTuple):
    """An agent as its server knows it."""

    id: str
    name: str


class AgentModel(NamedTuple):
    """The model of an agent; `sees` says whether it gets to see pictures, None if nobody knows."""

    name: str
    sees: bool | None = None


class OwnTool(NamedTuple):
    """A tool that an agent carries itself; `source` names the MCP server behind it, if any."""

    name: str
    source: str = ""
    id: str = ""


class AgentBackend(Protocol):
    """One agent server. Constructing it touches no network; it connects when first used."""

    url: str

    async def ping(self) -> None:
        """Find out whether the server can be used; raise AgentError if not."""
        ...

    async def agent(self, agent_id: str) -> AgentInfo:
        """Look the agent up; raise AgentError (CONFIG when it does not exist)."""
        ...

    async def model(self, agent_id: str) -> AgentModel:
        """Tell what model the agent has; raise AgentError."""
        ...

    async def open_conversation(self, agent_id: str, title: str) -> str:
        """Create a conversation and return its id; raise AgentError."""
        ...

    def run(self, given: Input, tools: ToolHost) -> AsyncGenerator[RunEvent, None]:
        """Give an agent an input; yields exactly one Finished, last. Raises only CancelledError.

        Cancelling or closing the iterator aborts the run on the server; the conversation stays
        taken, inside the backend, until the server has let go of it.
        """
        ...

    async def close(self) -> None:
        """Abort what runs, wait a moment for the server to confirm, and leave nothing behind."""
        ...


@runtime_checkable
class ToolLister(Protocol):
    """A backend whose agents may carry tools of their own, which run out of reach of a ToolHost.

    A backend that locks each input to the tools on offer is none: nothing of theirs can run.
    """

    async def own_tools(self, agent_id: str) -> Sequence[OwnTool]:
        """Return the tools that the agent carries itself; raise AgentError."""
        ...


@runtime_checkable
class ModelLister(Protocol):
    """A backend that can give an agent another model for an input."""

    async def models(self) -> Sequence[str]:
        """Return the handles of the models that its server has; raise AgentError."""
        ...


@runtime_checkable
class AgentFree(Protocol):
    """A backend whose models can be asked without an agent: without memory, and without tools.

    The key of such a conversation has no agent.
    """

    async def open_free(self, system: str, model: str) -> str:
        """Create a conversation and return its id; raise AgentError."""
        ...


@runtime_checkable
class PictureTeller(Protocol):
    """A backend on whose server the result of a tool may hold a picture."""

    results_show_pictures: bool


@runtime_checkable
class Forgetter(Protocol):
    """A backend whose server can be told to put a conversation away."""

    async def forget_conversation(self, key: ConversationKey) -> None:
        """Delete a conversation, or archive it where the server deletes none; raise AgentError.

        One that is not there is no error.
        """
        ...


@runtime_checkable
class ToolDetacher(Protocol):
    """A backend that can take a tool off an agent."""

    async def own_tools(self, agent_id: str) -> Sequence[OwnTool]:
        """Return the tools that the agent carries itself; raise AgentError."""
        ...

    async def detach(self, agent_id: str, tool_id: str) -> None:
        """Take a tool off the agent; it stays on the server. Raise AgentError."""
        ...


@runtime_checkable
class SystemKeeper(Protocol):
    """A backend whose agents have a system prompt that is long, and can be replaced."""

    async def system(self, agent_id: str) -> str:
        """Return the agent's system prompt, without persona and memory; raise AgentError."""
        ...

    async def set_system(self, agent_id: str, text: str) -> None:
        """Replace it, from the next input of each conversation on; raise AgentError."""
        ...


@runtime_checkable
class Housed(Protocol):
    """A backend that tells where on its host its agents live."""

    @property
    def folders(self) -> Collection[str]:
        """Return the folders that the server has named so far."""
        ...


@runtime_checkable
class Abandoner(Protocol):
    """A backend on whose server a run goes on though its Aurora has died."""

    def abandon(self, key: ConversationKey) -> None:
        """Have what was left running in a conversation aborted, as soon as the server is there."""
        ...


@runtime_checkable
class Recaller(Protocol):
    """A backend whose server keeps its runs, so that they outlive an Aurora that dies."""

    async def recall(self, given: Input) -> Finished | None:
        """Return how an attempt ended that nobody followed to its end; raise AgentError.

        None if the server has not kept it or it has not ended: then a new attempt may be sent,
        unless the old one had a visible effect. The input's text is not looked at.
        """
        ...
