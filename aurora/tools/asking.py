"""The tool by which an agent asks back: discord_ask. It ends the turn, as its answer."""

from __future__ import annotations

from ..agents.protocol import ToolSpec
from ..chat.long_texts import Part
from ..chat.questions import MOST_OPTIONS, OPTION_CHARS, question_key
from ..guard.policy import Act, Target
from .arguments import Arguments, BadArgument, schema
from .posting import post
from .tool import Call, Tool

QUESTION_CHARS = 1500


async def discord_ask(call: Call) -> str:
    """Post a question where the agent was asked, with a button for each option."""
    scope, arguments = call.scope, call.arguments

    def said(text: str, name: str, most: int) -> str:
        plain = scope.sender.filtered(scope.turn, text).text.strip()
        if not 0 < len(plain) <= most:
            raise BadArgument(f"{name} must have 1 to {most} characters.")
        return plain

    question = said(arguments.text("question"), "question", QUESTION_CHARS)
    options = tuple(
        " ".join(said(one, "Each option", OPTION_CHARS).split()) for one in _options(arguments)
    )
    print_ = scope.sender.fingerprints.of(question)
    sent = await post(call, (question_key(print_),), question, Part("", options=options))
    if isinstance(sent, str):
        return sent
    return "Asked. Your turn is over: the answer comes as the next message. NO_REPLY."


def _options(arguments: Arguments) -> list[str]:
    options = arguments.texts("options") if arguments.given("options") else []
    if not len({one.strip() for one in options}) == len(options) <= MOST_OPTIONS:
        raise BadArgument(f"options must be at most {MOST_OPTIONS} different texts.")
    return options


def _where(arguments: Arguments) -> Target:
    arguments.text("question")
    _options(arguments)
    return Target()


ASK = Tool(
    ToolSpec(
        "discord_ask",
        "Ask the person back, only if you can't go on without it. Ends your turn.",
        schema(
            ("question",),
            question={"type": "string", "description": f"Up to {QUESTION_CHARS} characters"},
            options={
                "type": "array",
                "items": {"type": "string"},
                "description": f"Buttons, up to {MOST_OPTIONS} of {OPTION_CHARS} characters",
            },
        ),
    ),
    Act.SEND,
    _where,
    discord_ask,
    alters=True,
    answers=True,
    here=True,
    ends=True,
)
