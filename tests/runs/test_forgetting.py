"""Data deletion: what goes here and at the agent's server, and what is said of the rest."""

from __future__ import annotations

import asyncio

from aurora.agents.protocol import AgentBackend, ConversationKey
from aurora.ledger.memory import MemoryStore
from aurora.model import Turn
from aurora.reasons import AgentError, Outcome
from aurora.runs.background import Background
from aurora.runs.cancelling import Cancelling
from aurora.runs.claim import Claims
from aurora.runs.forgetting import Forgetting, Renewed
from aurora.settings import Settings
from tests.support.clocks import FakeClock
from tests.support.events import make_event
from tests.support.keepers import Keeper
from tests.support.scripts import ScriptedBackend
from tests.support.workers import Bench


class ForgettingBackend(ScriptedBackend):
    """A server that puts conversations away, unless it is away itself."""

    def __init__(self) -> None:
        super().__init__()
        self.forgotten: list[ConversationKey] = []

    async def forget_conversation(self, key: ConversationKey) -> None:
        if self.away:
            raise AgentError(Outcome.UNREACHABLE, "it is away.")
        self.forgotten.append(key)


class Scene:
    """Somebody with two conversations of direct messages."""

    def __init__(self, backend: AgentBackend | None) -> None:
        bench = Bench(None, clock=FakeClock())
        self.store = MemoryStore(FakeClock())
        self.settings = Settings(Keeper({}, {9: {"users_denied": [7, 8], "users_allowed": [7]}}))
        self.told: list[str] = []
        cancelling: Cancelling = bench.cancelling
        self.claims, self.background = Claims(), Background()
        self.forgetting = Forgetting(
            self.store,
            self.settings,
            cancelling,
            lambda: backend,
            lambda said: self.told.append(str(said)),
            self.claims,
            self.background,
        )

    async def forget(self, *, unlist: bool = True) -> None:
        """Forget person 7, whose direct messages are in channel 5."""
        await self.settings.load()
        for agent_id in ("a", "b"):
            await self.store.set_conversation(agent_id, "channel:5", f"conv-{agent_id}")
        await self.store.set_conversation("a", "channel:6", "conv-other")
        await self.forgetting.forget(7, 5, unlist=unlist)


async def test_the_conversations_of_their_direct_messages_go_at_the_agents_server() -> None:
    """And of nobody else's."""
    backend = ForgettingBackend()
    scene = Scene(backend)
    await scene.forget()
    assert backend.forgotten == [ConversationKey("a", "conv-a"), ConversationKey("b", "conv-b")]
    assert scene.told == []
    assert await scene.store.conversation("a", "channel:6") == "conv-other"


async def test_what_could_not_be_deleted_there_is_told_the_owner_with_its_id() -> None:
    """Otherwise it would live on and nobody would know; what Aurora keeps goes all the same."""
    backend = ForgettingBackend()
    backend.away = True
    scene = Scene(backend)
    await scene.forget()
    assert len(scene.told) == 2
    assert "it is away. Delete it by hand" in scene.told[0]
    assert "`conv-a`" in scene.told[0]
    assert "7" not in scene.told[0]
    assert await scene.store.conversation("a", "channel:5") is None


async def test_a_server_that_can_put_nothing_away_is_told_of_too() -> None:
    """As is that there is none."""
    for backend in (ScriptedBackend(), None):
        scene = Scene(backend)
        await scene.forget()
        assert len(scene.told) == 2


async def test_they_go_from_the_access_lists_unless_they_alone_ask() -> None:
    """Who is kept out could get in again by asking for it."""
    scene = Scene(ForgettingBackend())
    await scene.forget(unlist=False)
    assert list(scene.settings.guild(9).users_denied) == [7, 8]
    await scene.forget()
    assert list(scene.settings.guild(9).users_denied) == [8]
    assert list(scene.settings.guild(9).users_allowed) == []


# -- a lane whose conversation begins anew


async def test_a_lane_begins_a_new_conversation_and_the_old_one_is_put_away() -> None:
    """With those that somebody has apart there; other lanes keep theirs."""
    backend = ForgettingBackend()
    scene = Scene(backend)
    for lane in ("channel:5", "channel:5:user:7", "channel:6"):
        await scene.store.set_conversation("a", lane, f"conv {lane}")
    assert await scene.forgetting.renew("channel:5") is Renewed.DONE
    gone = [ConversationKey("a", "conv channel:5"), ConversationKey("a", "conv channel:5:user:7")]
    assert backend.forgotten == gone
    assert await scene.store.conversation("a", "channel:5") is None
    assert await scene.store.conversation("a", "channel:6") is not None
    assert await scene.forgetting.renew("channel:5") is Renewed.NOTHING


async def test_a_turn_under_way_keeps_its_conversation_to_its_end() -> None:
    """Only then is that put away; the next turn has another already."""
    backend = ForgettingBackend()
    scene = Scene(backend)
    await scene.store.set_conversation("a", "channel:5", "conv")
    over = asyncio.Event()

    async def wait() -> None:
        await over.wait()

    claim = scene.claims.add(Turn((make_event(channel_id=5),)))
    claim.task = asyncio.create_task(wait())
    assert await scene.forgetting.renew("channel:5") is Renewed.LATER
    assert await scene.store.conversation("a", "channel:5") is None
    await asyncio.sleep(0)
    assert backend.forgotten == []
    over.set()
    await scene.background.stop(5.0)
    assert backend.forgotten == [ConversationKey("a", "conv")]


async def test_what_can_not_be_put_away_is_told_and_the_lane_begins_anew_all_the_same() -> None:
    """The server may be away just then."""
    backend = ForgettingBackend()
    backend.away = True
    scene = Scene(backend)
    await scene.store.set_conversation("a", "channel:5", "conv")
    assert await scene.forgetting.renew("channel:5") is Renewed.LEFT
    assert await scene.store.conversation("a", "channel:5") is None
    assert "`conv`" in scene.told[0]
