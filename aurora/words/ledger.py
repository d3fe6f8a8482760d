"""What the bot's owner reads of a ledger that can't be used."""

from __future__ import annotations

from . import phrase as _

IN_USE = _("The ledger {path} is in use by another running bot. Stop that bot.")
FULL = _(
    "The ledger {path} can't grow: the disk is full. Free some space; Aurora then goes on by "
    "itself."
)
NOT_WRITTEN = _(
    "The ledger {path} can't be written: give the bot the right to write in {folder}. ({error})"
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
