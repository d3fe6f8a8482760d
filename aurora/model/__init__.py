"""The plain data that travels through the house."""

from .changes import Change, MemoryChange, Unread
from .contexts import BY_MESSAGE, EventContext, Kind, Mentions, Named, Person, Place, Quote
from .events import NO_CONTEXT, Event, State, Turn, apart, lane_of, own_lane
from .schedules import Paused, Schedule
from .sends import ASKED, Ballot, Offer, Owed, Said, Send, Sent, Trace
from .steps import Step, StepKind
from .usage import Used

__all__ = [
    "ASKED",
    "BY_MESSAGE",
    "NO_CONTEXT",
    "Ballot",
    "Change",
    "Event",
    "EventContext",
    "Kind",
    "MemoryChange",
    "Mentions",
    "Named",
    "Offer",
    "Owed",
    "Paused",
    "Person",
    "Place",
    "Quote",
    "Said",
    "Schedule",
    "Send",
    "Sent",
    "State",
    "Step",
    "StepKind",
    "Trace",
    "Turn",
    "Unread",
    "Used",
    "apart",
    "lane_of",
    "own_lane",
]
