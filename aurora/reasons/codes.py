"""The codes: why something ended or was refused, how a run ended, and what follows by name.

A code is what the ledger keeps and statistics count; it never changes.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an event ended, was refused, cancelled or put back, or why a send was denied."""

    # answered
    SENT = "sent"
    REACTED = "reacted"
    DELIVERED = "delivered"
    ASKED = "asked"
    # declined
    NO_ANSWER = "no_answer"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    TEXT_NOT_DELIVERED = "text_not_delivered"
    # how a run ended: by the agent's server, at a limit of its own, or by a fault of Aurora's
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    CONFIG = "config"
    BUSY = "busy"
    OVERLOADED = "overloaded"
    FAILED = "failed"
    CONTENT_REFUSED = "content_refused"
    IMAGE_REFUSED = "image_refused"
    CONTEXT_FULL = "context_full"
    COMPACTED = "compacted"
    UNREACHABLE = "unreachable"
    LOST = "lost"
    OWN_TOOLS = "own_tools"
    TRIPPED = "tripped"
    TIMEOUT = "timeout"
    STUCK = "stuck"
    CRASH = "crash"
    # answered, but what ended the run was not the agent's last word
    SENT_BEFORE_CANCELLED = "sent_before_cancelled"
    SENT_BEFORE_CONFIG = "sent_before_config"
    SENT_BEFORE_BUSY = "sent_before_busy"
    SENT_BEFORE_OVERLOADED = "sent_before_overloaded"
    SENT_BEFORE_FAILED = "sent_before_failed"
    SENT_BEFORE_CONTENT_REFUSED = "sent_before_content_refused"
    SENT_BEFORE_IMAGE_REFUSED = "sent_before_image_refused"
    SENT_BEFORE_CONTEXT_FULL = "sent_before_context_full"
    SENT_BEFORE_COMPACTED = "sent_before_compacted"
    SENT_BEFORE_UNREACHABLE = "sent_before_unreachable"
    SENT_BEFORE_LOST = "sent_before_lost"
    SENT_BEFORE_OWN_TOOLS = "sent_before_own_tools"
    SENT_BEFORE_TRIPPED = "sent_before_tripped"
    SENT_BEFORE_TIMEOUT = "sent_before_timeout"
    SENT_BEFORE_STUCK = "sent_before_stuck"
    SENT_BEFORE_CRASH = "sent_before_crash"
    SENT_BEFORE_UNLOADED = "sent_before_unloaded"
    # given up after a crash
    POISON = "poison"
    CRASHED = "crashed"
    # an answer may be there or not
    UNKNOWN_FATE = "unknown_fate"
    DISCORD_ERROR = "discord_error"
    DISCORD_TIMEOUT = "discord_timeout"
    NOT_CONNECTED = "not_connected"
    # Discord did not let it out
    FORBIDDEN = "forbidden"
    AUTOMOD = "automod"
    DM_CLOSED = "dm_closed"
    CHANNEL_GONE = "channel_gone"
    MESSAGE_GONE = "message_gone"
    THREAD_ARCHIVED = "thread_archived"
    THREAD_LOCKED = "thread_locked"
    NOT_FOUND = "not_found"
    REFUSED_BY_DISCORD = "refused_by_discord"
    EMPTY = "empty"
    TOO_LONG = "too_long"
    UNKNOWN_EMOJI = "unknown_emoji"
    TOO_MANY_REACTIONS = "too_many_reactions"
    MISUSED = "misused"
    TOOL_TALK = "tool_talk"
    # the person who asked may not do it
    MAY_NOT_SEND = "may_not_send"
    MAY_NOT_READ = "may_not_read"
    MAY_NOT_REACT = "may_not_react"
    AUTHOR_TIMED_OUT = "author_timed_out"
    AUTHOR_GONE = "author_gone"
    GUILD_GONE = "guild_gone"
    WIDER_AUDIENCE = "wider_audience"
    NARROWER_AUDIENCE = "narrower_audience"
    UNKNOWN_CHANNEL = "unknown_channel"
    NO_MESSAGES = "no_messages"
    NO_STANDING = "no_standing"
    AGE_RESTRICTED = "age_restricted"
    SLOWMODE = "slowmode"
    # what has changed while the agent was at it
    PAUSED = "paused"
    AGENT_CHANGED = "agent_changed"
    MEMORY_DENIED = "memory_denied"
    # not accepted, or no longer: the gates
    BOT = "bot"
    NOT_ADDRESSED = "not_addressed"
    AWAITED = "awaited"
    COMMAND = "command"
    OTHER_BOTS_COMMAND = "other_bots_command"
    OTHER_COGS_MESSAGE = "other_cogs_message"
    BOTS_ALONE = "bots_alone"
    DM_DISABLED = "dm_disabled"
    NOT_CONFIGURED = "not_configured"
    NOT_ENABLED = "not_enabled"
    COG_DISABLED = "cog_disabled"
    CANNOT_SEND = "cannot_send"
    INELIGIBLE = "ineligible"
    KEPT_OUT = "kept_out"
    OFF_LIMITS = "off_limits"
    DM_NO_AGENT = "dm_no_agent"
    FULL = "full"
    PERSON_FULL = "person_full"
    TOO_OFTEN = "too_often"
    SHUT = "shut"
    DUPLICATE = "duplicate"
    # cancelled
    STOPPED = "stopped"
    CLEARED = "cleared"
    DISABLED = "disabled"
    FORGOTTEN = "forgotten"
    MENTION_REMOVED = "mention_removed"
    MESSAGE_DELETED = "message_deleted"
    CHANNEL_DELETED = "channel_deleted"
    THREAD_DELETED = "thread_deleted"
    GUILD_LEFT = "guild_left"
    NO_ACCESS = "no_access"
    # expired
    WAITED_TOO_LONG = "waited_too_long"
    # back in the queue
    UNLOADED = "unloaded"
    REVIVED = "revived"


class Outcome(StrEnum):
    """How a run ended, in the same words for every agent server."""

    COMPLETED = Reason.COMPLETED  # the agent finished its turn
    CANCELLED = Reason.CANCELLED  # somebody aborted it
    CONFIG = Reason.CONFIG  # 400, 401, 402, 403, 404, 422: only an admin can mend it
    BUSY = Reason.BUSY  # 409: another run holds the conversation
    OVERLOADED = Reason.OVERLOADED  # 429: the provider asks for patience
    FAILED = Reason.FAILED  # the agent or its model failed after the input was accepted
    CONTENT_REFUSED = Reason.CONTENT_REFUSED  # the model's provider refuses what it says
    IMAGE_REFUSED = Reason.IMAGE_REFUSED  # nor a picture in it
    CONTEXT_FULL = Reason.CONTEXT_FULL  # the conversation is too long for the model
    COMPACTED = Reason.COMPACTED  # it was, and has been shortened: the turn may run again
    UNREACHABLE = Reason.UNREACHABLE  # the input was never accepted
    LOST = Reason.LOST  # accepted, and its end will never be known
    OWN_TOOLS = Reason.OWN_TOOLS  # not begun: the agent has tools that nobody has allowed
    TRIPPED = Reason.TRIPPED  # aborted: a tool ran that was not offered

    @property
    def reason(self) -> Reason:
        """Return the reason that an event ends by if its run ended so."""
        return Reason(self)


class Retry(StrEnum):
    """How a turn is tried again; never once anything visible was sent (promise 6)."""

    NEVER = "never"
    ATTEMPTS = "attempts"  # with backoff, as often as RetryConfig.max_attempts says
    UNTIL_EXPIRY = "until expiry"  # with backoff, until the event expires
    RETRY_AFTER = "retry after"  # when the server says, until the event expires


class Counts(StrEnum):
    """Which breaker a run's end counts for."""

    SUCCESS = "success"
    SERVER = "server"
    AGENT = "agent"
    PROVIDER = "provider"
    BREACH = "breach"  # the agent's breaker opens at once
    NOTHING = "nothing"
