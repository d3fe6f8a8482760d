"""What comes along with a message goes to the agent, and who asked knows what was not seen."""

from __future__ import annotations

import pytest

from aurora.agents.protocol import Accepted, Finished
from aurora.files import Attachment, File, Opened, Picture
from aurora.reasons import AgentError, Outcome
from aurora.words.notices import UNSEEN
from tests.support.scripts import by_tool, done
from tests.support.workers import Bench, start_bench

FILE = File(id="1", channel_id="2", message_id="3", name="a", size=9, type="")
TEXT = Attachment(FILE, "current", Opened("text, all of it", "the text of the file"))
PICTURE = Attachment(FILE, "current", Opened("a picture", picture=Picture("image/png", b"PNG")))
UNSEEN_PICTURE = Attachment(FILE, "current", Opened("a picture", unseen=True))


async def test_texts_go_into_the_prompt_and_pictures_behind_it(benches: list[Bench]) -> None:
    """The bytes are in memory while the run lasts, and in no row."""
    bench, backend = await start_bench(benches)
    bench.files = (TEXT, PICTURE)
    event = await bench.ask()
    (given,) = backend.seen
    assert "the text of the file" in given.text
    assert [one.data for one in given.pictures] == [b"PNG"]
    assert "the text of the file" not in repr(await bench.tried(event))
    assert b"PNG" not in repr(given).encode()
    assert bench.square.delivered == ["Hello."]


async def test_files_are_opened_anew_for_each_attempt(benches: list[Bench]) -> None:
    """They may be gone meanwhile, and nobody keeps them."""
    bench, _ = await start_bench(benches, [Finished(Outcome.UNREACHABLE)])
    bench.files = (TEXT,)
    await bench.ask()
    await bench.clock.advance(30)
    assert bench.files_opened == 2
    assert bench.square.delivered == ["Hello."]


@pytest.mark.parametrize(
    "script",
    [[Accepted(), done("Hello.")], [Accepted(), by_tool("Hello."), done("")]],
    ids=["by text", "by tool"],
)
async def test_whoever_asked_of_an_unseen_picture_is_told_beside_the_answer(
    benches: list[Bench], script: list[object]
) -> None:
    """Once, and it is no answer."""
    bench, _ = await start_bench(benches, script)
    bench.files = (UNSEEN_PICTURE, UNSEEN_PICTURE)
    event = await bench.ask()
    assert sorted(one.text for one in bench.square.posts) == ["Hello.", str(UNSEEN)]
    assert (await bench.kept(event)).state.value == "answered"


async def test_a_run_that_fails_says_nothing_of_pictures(benches: list[Bench]) -> None:
    """Another notice tells of that already."""
    bench, _ = await start_bench(benches, [Accepted(), Finished(Outcome.FAILED)])
    bench.files = (UNSEEN_PICTURE,)
    await bench.ask()
    assert str(UNSEEN) not in [one.text for one in bench.square.posts]


async def test_a_server_that_is_away_when_it_is_asked_what_it_sees_is_an_outage(
    benches: list[Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn waits for it, as for any other question."""
    bench, backend = await start_bench(benches)

    async def away(_turn: object) -> tuple[Attachment, ...]:
        raise AgentError(Outcome.UNREACHABLE, "refused")

    ports = bench.worker._ports
    monkeypatch.setattr(bench.worker, "_ports", ports._replace(files=away))
    event = await bench.ask()
    assert backend.seen == []
    monkeypatch.undo()
    await bench.clock.advance(30)
    assert (await bench.kept(event)).state.value == "answered"
