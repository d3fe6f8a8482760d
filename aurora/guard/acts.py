"""Acts: what somebody wants to do, with the agent or by it, and what each takes."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Act(StrEnum):
    """What somebody wants to do."""

    ASK = "ask"  # the agent something, with a message
    # an agent, for the person who asked
    READ = "read"
    SEARCH = "search"  # in what was said, in one channel or in all
    THREADS = "threads"  # to be listed, of one channel
    SEND = "send"
    ATTACH = "attach"  # a file to what is sent
    POLL = "poll"
    EDIT = "edit"  # what the agent sent
    START_THREAD = "start_thread"
    REACT = "react"
    LOOK = "look"  # at a server's channels and roles
    MEMORY_LIST = "memory_list"
    MEMORY_READ = "memory_read"
    MEMORY_WRITE = "memory_write"
    MEMORY_DELETE = "memory_delete"
    # somebody, with a command or a button
    RUNS = "runs"  # to find runs of one's own, or those that guard/runs.py lets one see
    USAGE = "usage"  # what one's own runs cost, and what one may still ask
    LIST = "list"  # what waits, what ended how, what is set
    PREVIEW = "preview"  # what the agent would get for a message
    RETRY = "retry"
    CLEAR = "clear"
    PAUSE = "pause"
    DISABLE = "disable"
    CONFIGURE = "configure"
    ALERT = "alert"  # a channel, when something fails
    ENABLE = "enable"  # an agent; which ones is the owner's to say
    RENEW = "renew"  # the conversation of a place
    GOVERN = "govern"  # what holds for all servers


class Standing(IntEnum):
    """What somebody is where they give a command, in Red's eyes."""

    MEMBER = 0
    ADMIN = 1
    OWNER = 2  # of the bot


NEEDED = {
    Act.RUNS: Standing.MEMBER,
    Act.USAGE: Standing.MEMBER,
    Act.LIST: Standing.ADMIN,
    Act.PREVIEW: Standing.ADMIN,
    Act.RETRY: Standing.ADMIN,
    Act.CLEAR: Standing.ADMIN,
    Act.PAUSE: Standing.ADMIN,
    Act.DISABLE: Standing.ADMIN,
    Act.CONFIGURE: Standing.ADMIN,
    Act.ALERT: Standing.ADMIN,
    Act.ENABLE: Standing.ADMIN,
    Act.RENEW: Standing.ADMIN,
    Act.GOVERN: Standing.OWNER,
}
"""Who may do what with commands. All other acts are an agent's, for anybody who may ask it."""

OWN_IN_DMS = frozenset({Act.RENEW})
"""What is an admin's in a server, and anybody's own matter in direct messages."""

TAKES_AS = {
    Act.PREVIEW: Act.READ,
    Act.SEARCH: Act.READ,
    Act.THREADS: Act.READ,
    Act.EDIT: Act.SEND,
}
"""Acts that take the rights of another."""

READING = (Act.READ, Act.SEARCH, Act.THREADS)
WRITING = (Act.SEND, Act.ATTACH, Act.POLL, Act.EDIT, Act.START_THREAD, Act.REACT)
IN_CHANNELS = (*READING, *WRITING)
"""What an agent does in channels: it gets to know something, or people see something of it."""
POSTING = (Act.SEND, Act.ATTACH, Act.POLL)
"""What is a message of its own, and may be an answer."""
PACED = (*POSTING, Act.START_THREAD)
"""What slowmode holds back."""
