"""A run ends: whatever an agent is told to repeat, one question costs what a question may cost.

Each loop is an agent that would go on for 150 calls of its model. What counts is what the owner
pays (calls of the model), what people see, and what Discord is asked.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from itertools import count, islice

import pytest

from doubles.llm import Call, Step
from doubles.local_discord import Message
from tests.support.redteam.arena import APP_SERVER, REST
from tests.support.redteam.kinds import Kind, attack
from tests.support.redteam.scene import (
    Asked,
    Scene,
    do,
    look,
    reacts,
    reads,
    recall,
    say,
    tell,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEPS = 20
"""How many steps a run may have; one more call of the model tells it so."""
PARTS, REACTIONS, READS, PLACES, UNKNOWN = 12, 5, 10, 2, 5
LONG = 150

Loop = Callable[[Scene], Iterator[Step]]


def each(make: Callable[[Scene, int], Call]) -> Loop:
    """Repeat a call, with a number that differs each time."""
    return lambda scene: (do(make(scene, number)) for number in count())


def at_once(make: Callable[[Scene, int], Call], size: int) -> Loop:
    """Make many calls in each step."""
    return lambda scene: (
        do(*[make(scene, step * size + number) for number in range(size)]) for step in count()
    )


def nowhere(number: int) -> int:
    """Make up an id of something that is nowhere."""
    return 1_500_000_000_000_000_000 + number * 4_194_304


def texts(scene: Scene) -> Iterator[Step]:
    """Write something beside each call, as if there were progress."""
    return (
        do(reads(scene.square, limit=number % 100 + 1), text=f"Step {number}.")
        for number in count()
    )


LOOPS: dict[str, Loop] = {
    "the same read": each(lambda scene, _: reads(scene.square)),
    "reads of other sizes": each(lambda scene, n: reads(scene.square, limit=n % 100 + 1)),
    "reads further and further back": each(
        lambda scene, n: reads(scene.square, limit=100, before=str(nowhere(n)))
    ),
    "sends of other texts": each(lambda scene, n: tell(scene.square, f"Text number {n}.")),
    "reactions": each(lambda scene, n: reacts(scene.square.messages[0], chr(0x1F600 + n % 60))),
    "a look around": each(lambda scene, _: look(scene.guild)),
    "channels that do not exist": each(lambda _, n: reads(nowhere(n))),
    "sends to channels that do not exist": each(lambda _, n: tell(nowhere(n), "hi")),
    "a tool that does not exist": each(lambda _, n: Call.to(f"frobnicate_{n}")),
    "the same mistake": each(lambda _scene, _: Call.to("discord_send", channelId="general")),
    "mistakes of many kinds": each(
        lambda scene, n: Call.to("discord_send", channelId=str(scene.square.id), message=n)
    ),
    "five calls in each step": at_once(lambda scene, n: reads(scene.square, limit=n % 100 + 1), 5),
    "text beside each call": texts,
}


async def loop(scene: Scene, make: Loop) -> Asked:
    """Let Eve have the agent go on and on."""
    scene.discord.say(scene.mia, scene.square, "Good morning.")
    return await scene.obey(scene.eve, scene.square, *islice(make(scene), LONG))


def attempts(scene: Scene, asked: Asked) -> int:
    """Count how often the model was given the question anew."""
    roles = [body["messages"][-1]["role"] for body in scene.requests(asked)]
    return roles.count("user")


def ends(scene: Scene, asked: Asked) -> list[str]:
    """Return how people see that it is over: words in reply, and marks."""
    return [
        *(one.content for one in scene.town.answers(asked.message, scene.square)),
        *scene.town.marks(asked.message),
    ]


@attack(Kind.RUNAWAY)
@pytest.mark.only(REST)
@pytest.mark.parametrize("what", LOOPS)
async def test_a_loop_costs_no_more_than_a_run_may(scene: Scene, what: str) -> None:
    """One attempt, 21 calls of the model, and an end that people see."""
    await _costs_one_run(scene, what)


@attack(Kind.RUNAWAY)
@pytest.mark.only(APP_SERVER)
@pytest.mark.parametrize(
    "what", ["the same read", "reads of other sizes", "a tool that does not exist", "reactions"]
)
async def test_a_loop_costs_an_app_server_no_more_either(scene: Scene, what: str) -> None:
    """The same where each call is one of Aurora's own."""
    await _costs_one_run(scene, what)


async def _costs_one_run(scene: Scene, what: str) -> None:
    asked = await loop(scene, LOOPS[what])
    assert scene.cost(asked) <= STEPS + 1
    assert attempts(scene, asked) == 1
    assert ends(scene, asked) != []


@attack(Kind.RUNAWAY)
@pytest.mark.only(APP_SERVER)
@pytest.mark.parametrize("what", ["list", "read"])
async def test_a_loop_over_the_memory_ends_too(scene: Scene, what: str) -> None:
    """Each of them makes the agent's server work."""
    calls = {
        "list": lambda _scene, _: Call.to("memory_list"),
        "read": lambda _scene, n: recall(f"people/{nowhere(n)}/x.md"),
    }
    asked = await loop(scene, each(calls[what]))
    assert scene.cost(asked) <= STEPS + 1
    assert attempts(scene, asked) == 1


@attack(Kind.RUNAWAY)
async def test_of_a_run_that_was_stopped_people_get_one_notice(scene: Scene) -> None:
    """And the list of messages says why it ended."""
    asked = await loop(scene, LOOPS["the same read"])
    assert (asked.step, asked.reason) == ("failed", "stuck")
    said = [text for text in scene.since(asked) if text]
    assert len(said) <= 1
    assert ends(scene, asked) != []


def calls_of(scene: Scene, method: str, route: str) -> int:
    """Count the bot's requests for a route, whatever came of them."""
    return sum(one.method == method and route in one.route for one in scene.discord.calls)


@attack(Kind.RUNAWAY)
async def test_a_run_reads_so_often_and_no_more(scene: Scene) -> None:
    """Also if all reads are called for in one breath."""
    other = scene.room("other")
    for number in range(30):
        scene.discord.say(scene.mia, other, f"{scene.loot} {number}")
    scene.discord.calls.clear()
    await loop(scene, at_once(lambda _, n: reads(other, limit=n % 30 + 1), 15))
    place = f"/channels/{other.id}/messages"
    asked = [one for one in scene.discord.calls if one.method == "GET" and one.path == place]
    assert len(asked) <= READS


@attack(Kind.RUNAWAY)
async def test_a_run_reacts_so_often_and_no_more(scene: Scene) -> None:
    """Sixty reactions are a nuisance that nobody undoes by hand."""
    targets: list[Message] = [
        scene.discord.say(scene.mia, scene.square, f"line {number}") for number in range(20)
    ]
    await loop(scene, at_once(lambda _, n: reacts(targets[n % 20], "🍋"), 20))
    assert scene.reactions(scene.square).count("🍋") <= REACTIONS


@attack(Kind.RUNAWAY)
async def test_a_run_writes_so_much_and_no_more(scene: Scene) -> None:
    """Counted as people see it, in messages."""
    await loop(scene, at_once(lambda scene, n: tell(scene.square, f"{n} {'x' * 3000}"), 10))
    assert len(scene.said(scene.square)) <= PARTS + 2


@attack(Kind.RUNAWAY)
async def test_a_run_goes_to_so_many_places_and_no_more(scene: Scene) -> None:
    """A raid is the same text in all channels."""
    rooms = [scene.room(f"room{number}") for number in range(8)]
    await loop(scene, at_once(lambda _, n: tell(rooms[n % 8], f"raid {n}"), 8))
    assert sum(bool(scene.said(room)) for room in rooms) <= PLACES


@attack(Kind.RUNAWAY)
@pytest.mark.parametrize("act", ["read", "send", "react", "reply"])
async def test_ids_that_are_made_up_cost_discord_little(scene: Scene, act: str) -> None:
    """Each is a request, and too many of those get the bot locked out."""

    def call(scene: Scene, number: int) -> Call:
        where = str(scene.square.id)
        if act == "react":
            message = str(nowhere(number))
            return Call.to("discord_add_reaction", channelId=where, messageId=message, emoji="👍")
        if act == "reply":
            return tell(scene.square, f"re {number}", replyToMessageId=str(nowhere(number)))
        return reads(nowhere(number)) if act == "read" else tell(nowhere(number), "hi")

    scene.discord.calls.clear()
    await loop(scene, at_once(call, 10))
    refused = [one for one in scene.discord.calls if one.status in (400, 403, 404)]
    text = " ".join(f"{one.path} {one.body}" for one in refused)
    made_up = {str(nowhere(number)) for number in range(LONG * 10)}
    assert len({word for word in re.findall(r"\d{19}", text) if word in made_up}) <= UNKNOWN
    # Some are asked for once more, to know what was wrong.
    assert len(refused) <= 2 * UNKNOWN + 2


@attack(Kind.RUNAWAY)
async def test_a_text_longer_than_all_parts_comes_as_a_file(scene: Scene) -> None:
    """A budget is no reason to lose an answer."""
    book = " ".join(f"word{number}" for number in range(6000))
    await scene.obey(scene.eve, scene.square, do(tell(scene.square, book)), say(""))
    messages = scene.town.bot_messages(scene.square)
    files = [one for message in messages for one in message.attachments]
    assert [one.filename.rpartition(".")[2] for one in files] == ["md"]
    said = [*(one.content for one in messages), files[0].data.decode()]
    assert {f"word{number}" for number in range(6000)} <= set(" ".join(said).split())
    assert len(messages) <= PARTS + 1


@attack(Kind.RUNAWAY)
async def test_what_admins_lower_is_lowered_and_not_below_or_beyond_the_limits(
    scene: Scene,
) -> None:
    """`config steps`."""
    await scene.command("config steps 5", author=scene.ada)
    asked = await loop(scene, LOOPS["reads of other sizes"])
    assert scene.cost(asked) <= 6
    await scene.command("config steps 100000", author=scene.ada)
    again = await loop(scene, LOOPS["reads of other sizes"])
    assert scene.cost(again) <= 6


@attack(Kind.RUNAWAY)
async def test_a_question_within_its_budget_is_answered(scene: Scene) -> None:
    """Ten steps of honest work."""
    others = [scene.room(f"room{number}") for number in range(6)]
    steps = [do(reads(one)) for one in others]
    await scene.obey(scene.eve, scene.square, *steps, do(tell(scene.square, "Found.")), say(""))
    assert scene.said(scene.square)[-1] == "Found."


# -- what cannot be read


def nested(depth: int) -> str:
    """Write arguments nested so deep."""
    return '{"message":"hi","channelId":' + "[" * depth + "]" * depth + "}"


UNREADABLE: dict[str, str] = {
    "lists 300 deep": nested(300),
    "lists 3,000 deep": nested(3_000),
    "objects 3,000 deep": '{"a":' * 3_000 + "1" + "}" * 3_000,
    "a number of 6,000 digits": '{"channelId":' + "9" * 6_000 + ',"message":"hi"}',
    "no object": '["discord_send"]',
    "no JSON": "{channelId: general",
    "half a surrogate": '{"channelId":"1","message":"\\ud800"}',
    "a number without end": '{"channelId":1e999,"message":"hi"}',
    "the same key twice": '{"channelId":"1","channelId":"2","message":"hi"}',
}


@attack(Kind.DEEP_FRAMES)
@pytest.mark.parametrize("what", UNREADABLE)
async def test_arguments_that_cannot_be_read_hold_nobody_up(
    scene: Scene, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error at once, and the agent goes on; the lane does not hang until its time limit."""
    await scene.set(agent_timeout=60)
    calls = do(Call("discord_send", UNREADABLE[what]))
    asked = scene.start(scene.eve, scene.square, calls, say("Never mind."))
    asked = await scene.over(asked, timeout=40)
    assert asked.reason != "timeout"
    assert ends(scene, asked) != []
    after = await scene.obey(scene.mia, scene.square, say("Still here."))
    assert scene.since(after) == ["Still here."]
    assert tracebacks(caplog) == []


IDS = (
    "9" * 50,
    "9" * 5_000,
    "1" * 19 + "1" * 20,
    "-1",
    "0",
    "00",
    "1e18",
    "0x1F",
    "1_000_000",
    "１２３４５６７８９０１２３４５６７８",
    "١٢٣",
    " ",
    "general",
    "<#1>",
    "1; DROP TABLE events",
    "../../users/@me",
    "1/messages/2",
    "1?limit=100",
    "\x00",
    "١" * 30,
)


@attack(Kind.GIANT_IDS)
@pytest.mark.only(REST)
@pytest.mark.parametrize("number", IDS, ids=lambda one: repr(one)[:24])
async def test_an_id_that_is_none_is_told_to_be_none(
    scene: Scene, number: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By every tool that takes one; no traceback, and no request to Discord."""
    scene.discord.calls.clear()
    where, message = str(scene.square.id), str(scene.square.messages[0].id)
    calls = (
        Call.to("discord_read_messages", channelId=number),
        Call.to("discord_read_messages", channelId=where, before=number),
        Call.to("discord_send", channelId=number, message="hi"),
        Call.to("discord_add_reaction", channelId=number, messageId=message, emoji="👍"),
        Call.to("discord_get_server_info", guildId=number),
    )
    asked = await scene.obey(scene.eve, scene.square, do(*calls), say("Over."))
    assert "mistake in Aurora" not in "".join(scene.results(asked))
    assert tracebacks(caplog) == []
    odd = [one.path for one in scene.discord.calls if f"/{number}/" in f"{one.path}/"]
    assert [one for one in odd if number.strip()] == []
    assert [one for one in scene.discord.calls if one.path.endswith("/users/@me")] == []


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged as a mistake of Aurora's own."""
    return [
        one.getMessage()
        for one in caplog.records
        if one.name.startswith("red.aurora") and (one.levelno >= logging.ERROR or one.exc_info)
    ]
