"""Files and pictures on their whole way: from a message to what the model gets, and the answer."""

from __future__ import annotations

from aurora.context.child import libraries
from aurora.installing import FolderState
from doubles.llm import pictures_in, text_parts
from sandbox.letta import SEEING, AppServer
from tests.support.e2e.hands import question_of, reply
from tests.support.e2e.town import Town
from tests.support.hostile import png

PASTE = "".join(f"line {number:04} of a long paste\n" for number in range(600))[:15_000]
UNSEEN = "My agent's model cannot see pictures"


async def let_it_see(town: Town) -> None:
    """Put a model that sees behind an agent, and enable it."""
    if isinstance(town.letta, AppServer):
        llm = town.llm
        await town.letta.use_provider(llm.url, llm.key, llm.model, kind=SEEING)
        agent = await town.letta.create_agent("an agent that sees")
        assert "Done" in await town.command(f"aurora enable {agent}")


async def test_a_picture_and_a_long_paste_reach_the_model(either_town: Town) -> None:
    """As a part of the input, and as text in a fence; the model answers by what it sees."""
    town = either_town
    await let_it_see(town)
    files = [("message.txt", PASTE.encode()), ("square.png", png(400, 300))]
    message, end = await town.ask("what colour is that?", attachments=files)
    assert end.step == "answered"
    assert [one.content for one in town.answers(message)] == ["red"]
    prompt = town.prompt(message)
    assert "File 1, with the current message: text, all of it." in prompt
    assert f'Name: "message.txt"\n{PASTE}' in prompt
    assert (
        "File 2, with the current message: a picture of 400 × 300 pixels; picture 1 below."
        in prompt
    )
    messages = town.llm.requests[-1]["messages"]
    (asked,) = [one for one in messages if prompt in text_parts(one)]
    assert [kind for kind, _ in pictures_in(asked)] == ["image/png"]
    # Of the try by which Aurora knows that the model sees nothing is left in the conversation.
    assert "This is a check by Aurora" not in str(town.llm.requests[-1]["messages"])

    again, _ = await town.ask("what colour is that now?", attachments=files[1:])
    assert [one.content for one in town.answers(again)] == ["red"]
    tries = [one for one in town.llm.requests if "This is a check by Aurora" in str(one)]
    assert len(tries) == 1, "a model is tried once"


async def test_a_model_that_sees_nothing_is_told_in_words_and_so_is_the_person(
    either_town: Town,
) -> None:
    """Or it would make something up."""
    town = either_town
    town.llm.sees = False
    message, end = await town.ask("hello", attachments=[("square.png", png(400, 300))])
    assert end.step == "answered"
    said = [one.content for one in town.answers(message)]
    assert len(said) == 2
    assert said[-1].startswith(UNSEEN)
    assert "a picture of 400 × 300 pixels, which your model can't see." in town.prompt(message)
    assert not any(pictures_in(one) for one in town.llm.requests[-1]["messages"])

    plain, _ = await town.ask("hello", attachments=[("a.txt", b"no picture")])
    assert UNSEEN not in "".join(one.content for one in town.answers(plain))


async def test_the_owner_is_offered_what_opens_files(bare_town: Town) -> None:
    """With one call of pip, and not behind their back."""
    folder = libraries(bare_town.cog.services.folder)
    question = await question_of(bare_town, "aurora config files")
    assert "2 packages, in a folder of Aurora's own" in question.content
    said = await reply(bare_town, question, "No")
    assert said.startswith("Nothing was installed.")
    assert folder.command() in said
    assert folder.state() is FolderState.MISSING
    question = await question_of(bare_town, "aurora config files")
    said = await reply(bare_town, question, "Yes", timeout=120)
    assert said.startswith("Done")
    assert folder.state() is FolderState.READY
    assert "are installed" in await bare_town.command("aurora config files")
