"""What `config silence` says."""

from __future__ import annotations

from . import phrase as _

VALUES = _("words by which the agent says nothing")
WHICH = _("Which word? Write `[p]aurora config silence add <word>`.")
TOO_LONG = _("Nothing was changed: {count} characters are too many. {most} are the most.")
TOO_MANY = _("Nothing was changed: {most} words are the most. Remove one first.")
KNOWN = _("Nothing was changed: I know {word} as silence already, as every server does.")
NOT_LISTED = _("Nothing was changed: {word} is not listed.")
LISTED = _(
    "An answer of nothing but one of these words is silence, beside those that models know, such "
    "as {known}: {words}."
)
NONE_LISTED = _(
    "No word is listed: an answer of nothing but what models know for it, such as {known}, is "
    "silence."
)
