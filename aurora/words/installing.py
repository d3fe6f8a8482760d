"""What is said while something optional is installed."""

from __future__ import annotations

from . import phrase as _

MISSING = _("is missing")
OUTDATED = _("is for another version of Aurora or of Python")
BROKEN = _("is broken")
NOT_WRITTEN = _("The folder {folder} can't be written: {error}")
NOT_STARTED = _("{python} can't be started: {error}")
PIP_FAILED = _("pip failed")
NOT_WORKING = _("What pip installed does not work")
NO_END = _("{trouble}: no end in {seconds} s")
ADVICE = _("{trouble}.\n{output}To install it by hand, run: {command}")

# -- what opens files

FILES_READY = _("Pillow and pypdf are installed: PDFs and large pictures are opened.")
FILES_OFFER = _(
    "Pillow makes large pictures fit, and pypdf reads PDFs; without them files of these kinds are "
    "only named. I can install them now with one call of pip: {packages} packages, in a folder of "
    "Aurora's own. Shall I?"
)
FILES_DONE = _("Done: PDFs and large pictures are opened from now on.")
FILES_LATER = _("Nothing was installed. To do it by hand, run: {command}")
FILES_FAILED = _("Nothing was installed. {trouble}")
