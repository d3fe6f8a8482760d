"""The plain data that travels through the house."""

from .changes import Change, MemoryChange, Unread
from .contexts import BY_MESSAGE, EventContext, Kind, Mentions, Named, Person, Place, Quote
from .events import NO_CONTEXT, Event, State, Turn, apart, lane_of, own_lane
from .feedback import Judgement
from .routes import NO_ROUTE, Complexity, Route, read_route
from .schedules import Paused, Schedule
from .sends import ASKED, Ballot, Offer, Owed, Said, Send, Sent, Trace
from .steps import Step, StepKind
from .strains import NO_STRAIN, Strain
from .usage import Used
from .wishes import NO_WISH, Wish, read_wish

__all__ = [
    "ASKED",
    "BY_MESSAGE",
    "NO_CONTEXT",
    "NO_ROUTE",
    "NO_STRAIN",
    "NO_WISH",
    "Ballot",
    "Change",
    "Complexity",
    "Event",
    "EventContext",
    "Judgement",
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
    "Route",
    "Said",
    "Schedule",
    "Send",
    "Sent",
    "State",
    "Step",
    "StepKind",
    "Strain",
    "Trace",
    "Turn",
    "Unread",
    "Used",
    "Wish",
    "apart",
    "lane_of",
    "own_lane",
    "read_route",
    "read_wish",
]
