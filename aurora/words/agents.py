"""What is said of an address that can't be used, and of the SDK of Letta's REST API."""

from __future__ import annotations

from . import phrase as _

CREDENTIALS = _(
    "An address must not hold a user name or password; please delete your message. "
    "The token has a place of its own: `[p]set api letta token,<token>`."
)
EXAMPLE = _(
    "A Letta App Server on this machine is `ws://127.0.0.1:4500`; "
    "Letta Cloud is `https://api.letta.com`."
)
NO_SCHEME = _(
    "An address begins with `ws://` or `wss://` (Letta App Server), or with `http://` or "
    "`https://` (Letta REST API), without brackets or quotes around it. {example}"
)
ODD_SIGNS = _(
    "That is no address: it is too long or has odd signs, such as spaces, brackets or quotes. "
    "{example}"
)
NOT_READ = _("Host or port of that address can't be read. {example}")
NO_HOST = _("That address names no host, or port 0. {example}")
NO_QUERY = _("An address has no `?` or `#` in it. {example}")

NOT_READY = _("The SDK of the Letta REST API {state}. To install it by hand, run: {command}")
NOT_IMPORTED = _(
    "The SDK of the Letta REST API can't be imported ({error}). Restart the bot; if that does not "
    "help, install it again."
)

# -- which agents a server's admins may enable

ALLOWED = _("Done: those who manage the server may enable {agent} {where}.")
WAS_NOT_ALLOWED = _(
    "Nothing was changed: {agent} was not allowed {where}. Allowed there: {agents}."
)
REVOKED = _("Done: those who manage the server may no longer enable {agent} {where}.")
REVOKED_AND_OFF = _(
    "Done: those who manage the server may no longer enable {agent} {where}. One of them had, so "
    "I no longer answer there. Messages that waited and were cancelled: {count}."
)
REVOKED_STILL_ON = _(
    "Done: those who manage the server may no longer enable {agent} {where}. It still answers "
    "there, for it was enabled by the bot's owner: `[p]aurora disable <server>` ends that."
)
ALLOWED_HERE = _("Agents that those who manage this server may enable: {agents}.")
NOTHING_ALLOWED = _("There is no server whose admins may enable an agent.")
ALLOWED_IN = _("**{server}**: {agents}")
