"""What the bot's owner reads of a ledger that can't be used."""

from __future__ import annotations

from . import phrase as _

IN_USE = _("The ledger {path} is in use by another running bot. Stop that bot.")
FULL = _("The ledger {path} can't grow: the disk is full. Free some space.")
NOT_WRITTEN = _(
    "The ledger {path} can't be written: give the bot the right to write in {folder}. ({error})"
)
# What comes in brackets.
READ_ONLY = _("its disk is mounted read-only")
NOT_ALLOWED = _("it may not at the moment")
NO_FOLDER = _("{what} is no folder")
IS_A_FOLDER = _("{what} is a folder")
OVER_QUOTA = _(
    "The ledger {path} can't grow: the bot's share of the disk is used up. Free some space, or "
    "give it more."
)
FAILING = _(
    "The ledger {path} can't be read or written: its disk fails. ({error}) Look at the disk and "
    "at the system's log."
)
DAMAGED = _(
    "The ledger {path} is damaged. Reload Aurora: it sets the file aside and begins a fresh one."
)
FAILED = _("The ledger {path} could not do what was asked ({error}).")
TOO_NEW = _(
    "The ledger {path} is of version {version}, and this Aurora knows versions up to {known}. "
    "Update Aurora, or move the file away to begin a new ledger."
)
NOT_OURS = _("The ledger {path} is the database of something else. Move it away.")
OPEN_ALREADY = _("The ledger {path} is open already.")
CLOSED = _("The ledger is closed.")

# What happens while Aurora runs; {why} is one of the above.
NOT_KEPT = _(
    "{why} Until then nothing new is accepted: what people ask me gets ⚠️. I go on by myself when "
    "it works again, and tell you."
)
KEPT_AGAIN = _(
    "The ledger {path} can be written again. What got ⚠️ meanwhile has to be asked again; what "
    "waited goes on."
)
WRITTEN_ANEW = _(
    "The ledger {path} was deleted, moved or replaced while I run. I have written it anew in its "
    "place, and nothing is lost. Only move it while the bot is stopped. {found}"
)
FOUND = _("What stood there I keep as {name}.")
MISSING = _(
    "The ledger {path} was deleted, moved or replaced while I run, and I can't write it anew. "
    "{why} I keep trying, and tell you when it is done. Do not stop the bot before: what waits "
    "would be lost."
)
