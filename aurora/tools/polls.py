"""The tool by which an agent lets people vote: discord_create_poll."""

from __future__ import annotations

from ..agents.protocol import ToolSpec
from ..chat.long_texts import Part
from ..guard.policy import Act, Target
from ..model import Ballot
from .arguments import Arguments, BadArgument, schema, snowflake
from .posting import ids_of, post
from .tool import Call, Tool

QUESTION_CHARS, ANSWER_CHARS = 300, 55
FEWEST, MOST = 2, 10
MOST_HOURS = 32 * 24


async def discord_create_poll(call: Call) -> str:
    """Post a poll, unless it repeats one."""
    scope, arguments = call.scope, call.arguments

    def said(text: str, name: str, most: int) -> str:
        plain = " ".join(scope.sender.filtered(scope.turn, text).text.split())
        if not 0 < len(plain) <= most:
            raise BadArgument(f"{name} must have 1 to {most} characters.")
        return plain

    ballot = Ballot(
        said(arguments.text("question"), "question", QUESTION_CHARS),
        tuple(said(one, "Each answer", ANSWER_CHARS) for one in _answers(arguments)),
        _hours(arguments),
        arguments.flag("multiple"),
    )
    beside = Part("", ballot=ballot)
    print_ = scope.sender.fingerprints.of(beside.said)
    sent = await post(call, (f"poll:{call.channel.id}:{print_}",), "", beside)
    if isinstance(sent, str):
        return sent
    return (
        f'Posted the poll to channel "{call.channel.id}" as {ids_of(sent.message_ids)}. '
        "It can't be changed any more."
    )


def _answers(arguments: Arguments) -> list[str]:
    answers = arguments.texts("answers")
    if not FEWEST <= len({one.strip() for one in answers}) == len(answers) <= MOST:
        raise BadArgument(f"answers must be {FEWEST} to {MOST} different texts.")
    return answers


def _hours(arguments: Arguments) -> int:
    return arguments.whole("hours", 1, MOST_HOURS, 24)


def _where(arguments: Arguments) -> Target:
    arguments.text("question")
    _answers(arguments)
    _hours(arguments)
    arguments.flag("multiple")
    return Target(arguments.snowflake("channelId"))


CREATE_POLL = Tool(
    ToolSpec(
        "discord_create_poll",
        "Post a poll.",
        schema(
            ("channelId", "question", "answers"),
            channelId=snowflake("Id of the channel or thread"),
            question={"type": "string", "description": f"Up to {QUESTION_CHARS} characters"},
            answers={
                "type": "array",
                "items": {"type": "string"},
                "description": f"{FEWEST} to {MOST}, each up to {ANSWER_CHARS} characters",
            },
            hours={
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_HOURS,
                "description": "How long it is open (default 24)",
            },
            multiple={"type": "boolean", "description": "Whether one may choose several"},
        ),
    ),
    Act.POLL,
    _where,
    discord_create_poll,
    alters=True,
    answers=True,
)
