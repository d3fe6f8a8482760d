"""What tests of the commands share."""

from __future__ import annotations

# One module makes the group and the other fills it. A Red that is booted later loads both or none
# anew, or the same commands would be added twice.
import aurora.commands.config  # noqa: F401 - for the commands in it
