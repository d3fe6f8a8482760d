"""Why an event can't be tried again, as half sentences."""

from __future__ import annotations

from collections.abc import Mapping

from ..intake.rereading import Lost
from ..intake.triggers import Reason
from ..model import State
from ..queue import Enqueued
from ..runs.ports import Trace

NOT_RETRIED: Mapping[str, str] = {
    State.WAITING: "it is waiting for its turn already",
    State.RUNNING: "it is being answered right now",
    State.ANSWERED: "it was answered",
    State.DECLINED: "the agent has read it and had nothing to say",
    Trace.ANSWER: "an answer to it is in Discord, in whole or in part",
    Trace.DOUBT: "an answer to it may be in Discord; I can't find out",
    Trace.ELSEWHERE: "the agent has already acted on it, in another place",
    Lost.GONE: "the message is gone, or I can't see it any more",
    Lost.AUTHOR_GONE: "its author has left",
    Lost.UNKNOWN: "Discord did not say what became of the message",
    Reason.BOT: "its author is a bot",
    Reason.NOT_ADDRESSED: "it does not mention me any more",
    Reason.DM_DISABLED: "direct messages are switched off",
    Reason.NOT_CONFIGURED: "no Letta server is set",
    Reason.NOT_ENABLED: "no agent is enabled there",
    Reason.DM_NO_AGENT: "no agent is chosen for direct messages",
    Reason.COG_DISABLED: "Aurora is disabled there",
    Reason.INELIGIBLE: "its author may not use me",
    Reason.CANNOT_SEND: "I may not write there",
    Enqueued.FULL: "too much is waiting there already",
    Enqueued.SHUT: "I am being unloaded",
    Enqueued.DUPLICATE: "it waits for its turn already",
}
