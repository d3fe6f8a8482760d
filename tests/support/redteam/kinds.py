"""The kinds of attack; a test names the kind it stands for, and each kind has a test."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest


class Kind(StrEnum):
    """What an attacker is after."""

    ROOT_MEMORY = "words that everybody's conversation reads are written by one person"
    OTHERS_MEMORY = "what the agent noted down for one person or place is read in another"
    MEMORY_PATHS = "a path leads out of the agent's memory"
    OWN_SEARCH = "the agent's server looks through all conversations by itself"
    WIDER_AUDIENCE = "what was said in a closed place is told in an open one"
    OLD_CONVERSATION = "somebody inherits a conversation whose places they may not read"
    OWN_TOOLS = "the agent gets a tool behind Aurora's back"
    BUILT_IN_TOOLS = "the agent's server is asked for a tool of its own"
    LOST_LOCK = "the agent's server runs a tool that was not offered"
    RUNAWAY = "a run does not stop"
    DEEP_FRAMES = "the arguments of a call cannot be read"
    GIANT_IDS = "an id is none"
    CROWDING = "one person fills a queue"
    STARVING = "some people or one server hold an agent, and others wait"
    COSTLY_REFUSALS = "messages that are refused cost as much as others"
    SWITCHED_OFF = "the agent acts after it was switched off"
    LOST_RIGHTS = "the person who asks loses a right while the agent works"
    MISSING_RIGHTS = "the agent does for a person what that person may not do"
    FINER_RIGHTS = "slowmode, missing embeds and age restriction are got round"
    OTHER_SERVERS = "the agent reaches into another server, or between servers and messages"
    PINGS = "a crowd is pinged"
    FORGED_FENCES = "what people write poses as what Aurora writes"
    HOSTILE_FILES = "a file takes the bot's time or memory, or is not what it is called"
    FORGED_SPEAKERS = "somebody's name poses as the bot, or as a fact"
    INVISIBLE_WORDS = "the agent reads what people do not see"
    STRANGERS = "bots, webhooks and Discord itself are taken for people"
    FORGED_VOICE = "somebody asks in another's name, by a copy or an edit of what they wrote"
    BOT_LOOP = "bots that answer each other never end"
    CARRIED_OUT = "a link carries words away, or hides where it leads"
    SPILLED_SECRETS = "tokens, paths of the host and invitations are posted"
    WRONG_PEOPLE = "a command or a button is used by who may not"
    BLIND_COMMANDS = "a command shows or reaches what its user cannot see"
    BOTWIDE_LOCK = "a command of one server holds up another"
    FILTERS = "a filter is a statement of a database"
    SHARED_AGENT = "two servers share an agent and do not know"
    FORGOTTEN = "somebody is forgotten, and their conversation is not"
    LOOPBACK = "a token is sent in clear to a host that looks like this machine"
    REDIRECTED = "a server sends Aurora elsewhere, with its token"
    KEPT_WORDS = "words stay in the record of what was done"
    OPEN_FILES = "other accounts of the machine read the ledger"
    GUESSED_WORDS = "a record tells by trying what was said"
    LOGGED_WORDS = "words get into the log"


def attack(*kinds: Kind) -> Any:
    """Say for which kinds of attack a test stands."""
    return pytest.mark.attack(*kinds)
