"""What is done about a turn that failed, before its end is told.

The server keeps the input of a turn that fails, and gives it to the model again with each turn
that follows: what was refused once, or was too long, would be so for ever.
"""

from __future__ import annotations

from typing import NamedTuple

from ...reasons import AgentError, Outcome
from ...words import servers as w
from ..frames import items, word
from ..outcomes import Ending
from ..protocol import ConversationKey
from . import requests
from .link import Link
from .run import AppServerRun

_DEPTH = 200
_COMPACTION_SECONDS = 300.0  # the server's own limit for its model
_STAYS_REFUSED = frozenset({Outcome.CONTENT_REFUSED, Outcome.IMAGE_REFUSED, Outcome.CONTEXT_FULL})


class Aftermath(NamedTuple):
    """How the turn ended, and in which conversation its lane goes on."""

    ending: Ending
    key: ConversationKey


async def aftermath(
    link: Link, run: AppServerRun, key: ConversationKey, ending: Ending
) -> Aftermath:
    """Name what the server did not, and take out of the conversation what can't stay in it."""
    if not key.agent_id:
        # Without an agent nobody goes on in it.
        return Aftermath(ending, key)
    if ending.outcome is Outcome.FAILED and await _is_gone(link, key.agent_id):
        gone = w.NO_SUCH_AGENT(agent=key.agent_id)
        return Aftermath(Ending(Outcome.CONFIG, gone), key)
    try:
        if ending.outcome in _STAYS_REFUSED:
            key = await _without_input(link, run, key)
        if ending.outcome is Outcome.CONTEXT_FULL and not run.given.compacted:
            await link.ask(requests.compact(key), timeout=_COMPACTION_SECONDS)
            ending = Ending(Outcome.COMPACTED, w.COMPACTED)
    except AgentError:
        pass  # It is as it was, which the next turn will meet.
    return Aftermath(ending, key)


async def _is_gone(link: Link, agent_id: str) -> bool:
    """Tell whether the server has the agent no more: its turns fail like any other's."""
    try:
        await link.ask(requests.agent(agent_id))
    except AgentError as error:
        return error.outcome is Outcome.CONFIG
    return False


async def _without_input(link: Link, run: AppServerRun, key: ConversationKey) -> ConversationKey:
    """Return the conversation as it was before the input, which stays in the old one."""
    found = items(await link.ask(requests.history(key, _DEPTH)), "messages")
    at = next((at for at, one in enumerate(found) if word(one, "otid") == run.input_id), None)
    if at is None:
        return key
    if before := [one for one in found[at + 1 :] if word(one, "id")]:
        fresh = await link.fork(key, through=word(before[0], "id"))
    else:
        fresh = await link.create(key.agent_id, run.given.title)
    await link.ask(requests.archive(key))
    return fresh
