"""Nobody gets more than their share, however often they ask; a refusal is cheap, and told.

Over the REST API alone: the queue knows no servers of agents. Order is asserted, never time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from doubles.local_discord import Channel, Message, User
from tests.support.redteam.arena import REST
from tests.support.redteam.kinds import Kind, attack
from tests.support.redteam.scene import Asked, Scene, say

pytestmark = pytest.mark.asyncio(loop_scope="module")

BACKENDS = (REST,)

WAITING = 5
"""How many messages of one person may wait in a server."""
SIZE = 25

Judged = tuple[list[Message], list[Message]]


async def held(scene: Scene, *places: Channel, author: User | None = None) -> asyncio.Event:
    """Let somebody hold these places until the gate is set."""
    gate = scene.gate()
    for place in places:
        asked = scene.start(author or scene.mo, place, say("Held.", gate=gate))
        await scene.thinks(asked)
    return gate


async def judged(scene: Scene, messages: Sequence[Message]) -> Judged:
    """Wait until each of them waits or is refused; return both kinds."""
    store = scene.town.cog.services.store
    waiting, refused = [], []
    for message in messages:
        async with asyncio.timeout(20):
            while True:
                if scene.town.steps(message):
                    waiting.append(message)
                    break
                if await store.refusal(message.id) is not None:
                    refused.append(message)
                    break
                await asyncio.sleep(0.01)
    return waiting, refused


def questions(scene: Scene, author: User, place: Channel, count: int = SIZE) -> list[Message]:
    """Let somebody ask many questions at once."""
    return [scene.start(author, place, say(f"{number}.")).message for number in range(count)]


# -- one person


@attack(Kind.CROWDING)
@pytest.mark.parametrize("where", ["one channel", "a channel each"])
async def test_one_person_waits_with_so_many_messages_and_no_more(
    scene: Scene, where: str
) -> None:
    """The queue is everybody's."""
    await scene.set(max_queue_size=20)
    places = [scene.square] * SIZE
    if where == "a channel each":
        places = [scene.room(f"room{number}") for number in range(SIZE)]
        # Her three slots are taken, so that all that follow wait.
        await held(scene, *[scene.room(f"own{n}") for n in range(3)], author=scene.eve)
    await held(scene, scene.square)
    asked = [scene.start(scene.eve, place, say("x")).message for place in places]
    waiting, refused = await judged(scene, asked)
    hers = scene.start(scene.mia, scene.square, say("Hello, Mia."))
    mine, _ = await judged(scene, [hers.message])
    for one in scene.gates:
        one.set()
    assert len(waiting) <= WAITING
    assert len(refused) == SIZE - len(waiting)
    assert mine == [hers.message]
    assert (await scene.over(hers)).step == "answered"


@attack(Kind.CROWDING, Kind.COSTLY_REFUSALS)
async def test_each_refused_message_is_marked_and_words_come_once(scene: Scene) -> None:
    """A flood of questions is not answered by a flood of notices."""
    gate = await held(scene, scene.square)
    asked = questions(scene, scene.eve, scene.square)
    _, refused = await judged(scene, asked)
    assert len(refused) >= SIZE - WAITING
    await scene.discord.wait_for(lambda: all(map(scene.town.marks, refused)) or None)
    assert {mark for one in refused for mark in scene.town.marks(one)} == {"⏳"}
    words = [
        one
        for one in scene.town.bot_messages(scene.square)
        if one.reference in {message.id for message in refused}
    ]
    gate.set()
    assert len(words) <= 1


@attack(Kind.COSTLY_REFUSALS)
async def test_for_a_refused_message_nothing_is_fetched(scene: Scene) -> None:
    """Its reply chain would be twenty requests to Discord."""
    chain = scene.discord.say(scene.mo, scene.square, "root")
    for number in range(8):
        chain = scene.discord.say(scene.mo, scene.square, f"{number}", reply_to=chain)
    gate = await held(scene, scene.square)
    cached = scene.town.red.bot._connection._messages
    assert cached is not None
    cached.clear()
    full = questions(scene, scene.eve, scene.square, 6)
    await judged(scene, full)
    scene.discord.calls.clear()
    more = [
        scene.start(scene.eve, scene.square, say("x"), reply_to=chain).message for _ in range(SIZE)
    ]
    waiting, _ = await judged(scene, more)
    fetched = [
        one
        for one in scene.discord.calls
        if one.method == "GET" and one.route.endswith("/messages/{message_id}")
    ]
    gate.set()
    assert waiting == []
    assert fetched == []


@attack(Kind.CROWDING)
async def test_one_account_does_not_close_direct_messages_for_all(scene: Scene) -> None:
    """Seventy questions of one, and one of another."""
    gate = await held(scene, scene.dm(scene.eve), author=scene.eve)
    asked = questions(scene, scene.eve, scene.dm(scene.eve), 70)
    waiting, refused = await judged(scene, asked)
    hers = scene.start(scene.mia, scene.dm(scene.mia), say("Hello, Mia."))
    ended = await scene.over(hers)
    gate.set()
    assert ended.step == "answered"
    assert len(waiting) <= WAITING
    assert len(refused) >= 70 - WAITING


@attack(Kind.CROWDING)
async def test_who_asks_too_often_is_told_once_and_others_are_not_affected(scene: Scene) -> None:
    """Six turns a minute, unless admins say otherwise."""
    rooms = [scene.room(f"room{number}") for number in range(10)]
    asked = []
    for room in rooms:
        one = scene.start(scene.eve, room, say("Here."))
        await judged(scene, [one.message])
        await scene.discord.wait_for(lambda: not scene.running() or None)
        asked.append(one)
    assert sum(scene.cost(one) for one in asked) <= 6
    over = [one for one in asked if not scene.cost(one)]
    assert all(scene.town.marks(one.message) or scene.since(one) for one in over)
    words = [one for room in rooms for one in scene.said(room) if one != "Here."]
    assert len(words) <= 1
    after = await scene.obey(scene.mia, scene.square, say("Hello, Mia."))
    assert scene.since(after) == ["Hello, Mia."]


@attack(Kind.CROWDING)
async def test_admins_decide_how_often_is_too_often(scene: Scene) -> None:
    """`config userlimit`."""
    said = await scene.command("config userlimit 2 20", author=scene.ada)
    asked = []
    for number in range(4):
        one = scene.start(scene.eve, scene.room(f"room{number}"), say("Here."))
        await judged(scene, [one.message])
        await scene.discord.wait_for(lambda: not scene.running() or None)
        asked.append(one)
    assert [scene.cost(one) for one in asked] == [1, 1, 0, 0], said


# -- many people, and other servers


@attack(Kind.STARVING, Kind.CROWDING)
@pytest.mark.parametrize("where", ["the same channel", "another channel"])
async def test_two_hundred_questions_leave_others_waiting_five_turns_at_most(
    scene: Scene, where: str
) -> None:
    """By order: how many of Eve's are answered between Mia's question and her answer."""
    await scene.set(max_queue_size=1000)
    gate = await held(scene, scene.square)
    flood = questions(scene, scene.eve, scene.square, 200)
    await judged(scene, flood)
    place = scene.square if where == "the same channel" else scene.room("quiet")
    hers = scene.start(scene.mia, place, say("Hello, Mia."))
    await judged(scene, [hers.message])
    gate.set()
    await scene.over(hers)
    ids = {message.id for message in flood}
    ran = [one.message_id for one in scene.town.changes if one.step == "running"]
    before = ran[: ran.index(hers.message.id)]
    assert sum(one in ids for one in before) <= 5


def agency(scene: Scene, count: int, prefix: str) -> list[tuple[User, Channel]]:
    """Open so many rooms with a person each."""
    return [
        (scene.person(f"{prefix}{number}"), scene.room(f"{prefix}{number}"))
        for number in range(count)
    ]


def ran(scene: Scene, asked: Sequence[Asked]) -> list[bool]:
    """Return which of them have begun."""
    return ["running" in scene.town.steps(one.message) for one in asked]


@attack(Kind.STARVING)
async def test_a_server_that_holds_an_agent_gives_way_to_another(scene: Scene) -> None:
    """Four slow runs and six that wait; the other server's two come first."""
    first, then = scene.gate(), scene.gate()
    busy = agency(scene, 10, "busy")
    mine = [scene.start(*one, say("Slow.", gate=first)) for one in busy[:2]]
    mine += [scene.start(*one, say("Slow.", gate=then)) for one in busy[2:4]]
    for one in mine:
        await scene.thinks(one)
    waiting = [scene.start(*one, say("Slow.", gate=then)) for one in busy[4:]]
    await judged(scene, [one.message for one in waiting])
    theirs = scene.discord.add_guild("Theirs", owner=scene.ada)
    places = [scene.discord.add_channel(theirs, f"room{number}") for number in range(2)]
    guest = scene.discord.add_user("guest")
    for user in (scene.mia, guest):
        scene.discord.add_member(theirs, user)
    await scene.town.command(f"aurora enable {scene.town.agent_id}", channel=places[0])
    others = [
        scene.start(user, place, say("Slow.", gate=then))
        for user, place in zip((scene.mia, guest), places, strict=True)
    ]
    await judged(scene, [one.message for one in others])
    first.set()
    for one in mine[:2]:
        await scene.over(one)
    await scene.discord.wait_for(lambda: sum(ran(scene, [*others, *waiting])) >= 2 or None)
    begun = ran(scene, others), ran(scene, waiting)
    then.set()
    for one in others:
        await scene.over(one)
    scene.discord.remove_guild(theirs)
    assert begun == ([True, True], [False] * 6)


@attack(Kind.STARVING)
async def test_direct_messages_are_one_server_among_others(scene: Scene) -> None:
    """Two dozen accounts cost nothing."""
    settings = scene.town.cog.services.settings
    await settings.set_world(dm_agent_id=scene.town.agent_id)
    try:
        first, then = scene.gate(), scene.gate()
        crowd = [scene.person(f"crowd{number}") for number in range(24)]
        asked = [
            scene.start(user, scene.dm(user), say("x", gate=first if number < 2 else then))
            for number, user in enumerate(crowd)
        ]
        await judged(scene, [one.message for one in asked])
        await scene.discord.wait_for(lambda: sum(ran(scene, asked)) >= 4 or None)
        hers = scene.start(scene.mia, scene.square, say("Hello, Mia.", gate=then))
        his = scene.start(scene.mo, scene.room("room"), say("Hello, Mo.", gate=then))
        await judged(scene, [hers.message, his.message])
        before = sum(ran(scene, asked))
        first.set()
        await scene.discord.wait_for(lambda: sum(ran(scene, [hers, his])) == 2 or None)
        after = sum(ran(scene, asked))
        then.set()
        for one in (hers, his, *asked):
            await scene.over(one)
    finally:
        await settings.set_world(dm_agent_id=scene.town.dm_agent_id)
    assert after - before <= 1


@attack(Kind.BOTWIDE_LOCK)
async def test_a_command_of_one_server_holds_up_no_other(scene: Scene) -> None:
    """`queue retry` runs once at a time, in each server by itself."""
    theirs = scene.discord.add_guild("Theirs", owner=scene.ada)
    place = scene.discord.add_channel(theirs, "room")
    await scene.settled()
    for there in (scene.square, place):
        scene.discord.say(scene.ada, there, "!aurora queue retry all")
    before = len(scene.said(scene.square))
    await scene.discord.wait_for(
        lambda: (len(scene.said(scene.square)) > before and scene.said(place)) or None
    )
    answers = scene.said(scene.square)[-1], scene.said(place)[-1]
    scene.discord.remove_guild(theirs)
    assert answers[0] == answers[1]
