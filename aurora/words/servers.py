"""What was wrong at an agent's server, in half sentences for those who look after it.

Where a server says it in words of its own, these are passed on as they are.
"""

from __future__ import annotations

from . import phrase as _

WITH_STATUS = _("{what} ({status})")
CLOSED = _("the connection to the agent server was closed")
NO_CONVERSATION = _("the agent server named no conversation")
INSIDE = _("Aurora failed inside ({error})")

# -- how a turn ended

CANCELLED = _("the run was cancelled on the agent server")
CREDITS = _("the account at the agent server has no credits left")
WINDOW = _("the agent's instructions, memory and tools alone are larger than its model's window")
TURN_FAILED = _("the agent's turn failed")
TURN_FAILED_BY = _("the agent's turn failed ({kind})")
UNKNOWN_KIND = _("unknown reason")
PROVIDER_FAILED = _("the agent's model provider failed")
UNUSABLE_ANSWER = _("the agent's model gave an unusable answer")
UNUSABLE_CALL = _("the agent's model made an unusable tool call")
PROVIDER_LIMITS = _("the agent's model provider limits its rate")
PROVIDER_REFUSED_KEY = _("the agent's model provider refused its key")
MODEL_TOO_SLOW = _("the agent's model did not answer in time")
EMPTY_ANSWER = _("the agent's model gave an empty answer")
FAILED_INSIDE = _("the agent server failed inside")
NO_RESULT = _("the agent server ended the turn without a result")
PROVIDER_STATUS = _("the agent's model provider answered {status}")
PROVIDER_STATUS_KIND = _("the agent's model provider answered {status} ({kind})")
CONTENT_REFUSED = _("the agent's model provider refused what it was given, for its content")
IMAGE_REFUSED = _("the agent's model provider refused a picture")
CONTEXT_FULL = _("the conversation is longer than the agent's model can take")
COMPACTED = _("the conversation was longer than the agent's model can take, and was shortened")
WEDGED = _("the conversation is held by a turn that was lost")
CALL_WAITS = _("a tool call of an earlier run waits for its answer")
CALLS_WITHOUT_END = _("the agent called tools without end")
CALL_NOT_STORED = _("the agent waits for a tool call that is not stored")
INPUT_NOT_TAKEN = _("the agent server did not take the input in time")
INPUT_NOT_ANSWERED = _("the agent server did not answer the input")
INPUT_REFUSED = _("the agent server refused the input")
NO_ANSWER_IN_TIME = _("no answer in time")
STREAM_ENDED = _("the server's stream ended without a result")
LOST_IN_MID_TURN = _("the connection was lost in mid-turn: {detail}")
LOST_WITH_TURN = _("the connection was lost in mid-turn, and the turn with it")
LOST_BEFORE_INPUT = _("the connection was lost before the input arrived")
LOST_FOR_GOOD = _("the agent server was lost in mid-turn and did not come back")
LOST_WITH_CONVERSATION = _("the conversation was deleted in mid-turn, and the answer with it")
RESTARTED = _("the agent server was restarted in mid-turn, and the turn with it")

# -- tools that are not Aurora's

TRIPPED = _("the agent's server ran `{tool}`, which was not offered to the agent")
UNNAMED_TOOL = _("a tool without a name")
UNALLOWED_TOOLS = _("the agent {agent} has {tools}, which nobody has allowed")

# -- why a request was refused

REFUSED = _("the agent server refused the request")
REFUSED_TOKEN = _("the agent server refused the token")
TOKEN_MAY_NOT = _("the token may not do this on the agent server")
NOT_KNOWN = _("the agent server does not know this")
TOO_SLOW = _("the agent server took too long")
HELD = _("another run holds the conversation")
NOT_UNDERSTOOD = _("the agent server does not understand the request, or an id in it")
NOT_READY = _("the agent server is not ready")
PATIENCE = _("the agent server asks for patience")
SERVER_FAILED = _("the agent server failed")
OTHER_KIND = _("this is no Letta REST API, or one of another kind")
NO_REST_HERE = _("there is no Letta REST API at this address")
NO_SUCH_AGENT = _("the agent server has no agent with the id {agent}")
REDIRECTS = _("there the agent server only points to another address, which I do not follow")
SDK_UNFIT = _("the SDK of the Letta REST API does not work here ({error})")

# -- why there is no connection

NOT_REACHED = _("the agent server can't be reached")
NO_APP_SERVER_AT_PATH = _("there is no App Server at this path; it listens on `/ws`")
NO_PARAMETERS = _("there is no App Server at this path; it listens on `/ws` without parameters")
REFUSED_CONNECTION = _("the agent server refused the connection")
NOT_SECURE = _("no secure connection: the server's certificate or TLS is wrong")
NO_ADDRESS = _("this is no address of an App Server; it looks like ws://host:port/ws")
NO_ANSWER = _("the server did not answer in time")
NOTHING_ANSWERS = _("nothing answers at {address} ({reason})")
CONNECTION_FAILED = _("the connection failed ({error})")
CONNECTION_LOST = _("the connection to the agent server was lost")
REQUEST_NOT_ANSWERED = _("the agent server did not answer {request} in {seconds} s")
