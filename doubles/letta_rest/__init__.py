"""A double of Letta's REST API, server 0.16.8, in front of a language model.

It is held to recordings of the real server: a test sends the requests of each recording to it and
compares the answers frame by frame. Everything must be equal, and ids must correspond, apart from
dates, durations, texts that the recordings shorten, the schema of the search tool, what a search
finds in what was said before, one agent's own model settings, and a second model.

=============================== ================================================================
recordings                      what they hold the double to
=============================== ================================================================
health, auth, models_list       version, password, the lists of models
agents_list, agent_retrieve,    agents as JSON, `include`, unknown and malformed ids
agent_create
conversations, bad_requests,    conversations, validation errors word for word, paging
messages_paging
message_* (7), return_types,    text with and without token streaming, reasoning, plain JSON, the
long_answer, empty_answer,      main thread, batches, images, pings
image_base64, keepalive_pings
server_tool_* (3), max_steps,   tools that run on the server
unknown_tool_call
client_tool* (14), client_and_  client-side tools: pieces, parallel calls, denials, wrong and
server_tool_parallel* (2),      repeated replies, a message while a call waits
pending_approval_* (2)
background_* (4), otid_replay   numbered events, resuming, re-attaching, the map of otids
busy, parallel_conversations,   locks, and life without them
no_redis
disconnect_foreground,          who survives whom
server_crash
cancel_* (6), runs              cancels, runs and their tokens and steps
llm_error_* (6),                the model's failures in the stream, and what stays stored
llm_drops_stream
=============================== ================================================================

Not covered: compaction in a turn, for the double has no context window. On request there is one
without a model: what was said is shown to the model no more, and a fixed text in its place.

Not recorded, but built after the server's sources: streams of the main thread by its agent's id,
404 for an unknown otid, silence for a foreground run's otid sent again in the background, 422 for
streaming on the agent endpoint without the SDK's header, HTTP errors of plain requests.

Not recorded, but seen on a real server: an unknown or deleted conversation has no messages, and
is no error; a model that has no tools is told so (`null`); what is no answer of a model ends a
turn as a broken connection does, and the record of either, in the foreground, is that of a run
that has "completed"; a role nobody knows is 422; and a start takes 15 seconds.

Inferred: the model is asked three times before 408, 409, 429 or 5xx fails a turn (the recorded
failures took that long), and a broken connection ends a turn without token streaming in the same
way, but with one stop reason.
"""

from __future__ import annotations

from .faults import Fault
from .server import STARTUP_SECONDS, LettaRest
from .tools import ServerTool

__all__ = ["STARTUP_SECONDS", "Fault", "LettaRest", "ServerTool"]
