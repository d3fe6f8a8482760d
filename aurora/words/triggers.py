"""What is said of who and what may wake the agent."""

from __future__ import annotations

from . import phrase as _

# What stands beside a value in the list.
REPLIES_VALUES = _("{one} or {other}")
PREFIXES_VALUES = _("how commands of other bots begin")
ROLE_VALUES = _("a role that I have, or {off}")
WORD_VALUES = _("a nickname or {off}")
TRUSTED_VALUES = _("bots and webhooks, owner only")

TOO_MANY = _("Nothing was changed: {most} are the most. Remove one first.")
NOT_LISTED = _("Nothing was changed: {given} is not listed.")

REPLIES_AGENT = _(
    "Replies count where they answer something that I posted for the agent; those to other "
    "commands' messages don't, unless they mention me."
)
REPLIES_ANY = _("Replies count whatever message of mine they answer, also one of another command.")

NO_PREFIX = _("Which prefix? Write `[p]aurora config ignoreprefixes {action} <prefix>`.")
BAD_PREFIX = _(
    "Nothing was changed: {prefix} is no prefix that I can tell from a word. One has 1 to {most} "
    "characters without blanks, and one of them at least is neither letter nor digit; a `*` "
    "before it stands for one or two letters."
)
PREFIXES = _(
    "Messages that begin with one of these and a letter are commands of other bots, and I leave "
    "them alone, but in replies and direct messages: {prefixes}."
)
NO_PREFIXES = _("No prefix is listed: whoever mentions me is answered, however they begin.")

NO_ROLE = _("Nothing was changed: I found no role {role} in this server. Name one, or say `off`.")
EVERYONES_ROLE = _("Nothing was changed: everybody has that role.")
NOT_MY_ROLE = _("Nothing was changed: I don't have the role {role}. Give it to me first.")
ROLE_OFF = _("Of roles only my own counts as a mention of me.")
ROLE_IS = _("A mention of {role} counts as a mention of me, as long as I have that role.")

BAD_WORD = _(
    "Nothing was changed: {word} is no nickname that I can listen to. One has 2 to {most} "
    "characters in one line, and begins and ends with a letter or a digit."
)
WORD_OFF = _("I listen to no nickname.")
WORD_IS = _("A message that begins with {word} counts as a mention of me.")

NO_BOT = _(
    "Nothing was changed: name another bot of this server, or the id of one of its webhooks, "
    "which stands in the webhook's address; {given} is neither."
)
A_PERSON = _("Nothing was changed: {who} is a person, and people need no such leave.")
TRUSTED = _(
    "These may ask here as people do, at most {count} times in a channel between two messages of "
    "people: {who}. A webhook may have done what everybody may do in its channel, and nothing "
    "elsewhere."
)
NOBODY_TRUSTED = _("No bot and no webhook may ask here.")
A_WEBHOOK = _("the webhook `{id}`")
