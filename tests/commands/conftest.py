"""What tests of the commands share."""

from __future__ import annotations

# One module makes the group and the others fill it. A Red that is booted later loads both or none
# anew, or the same commands would be added twice.
import aurora.commands.config
import aurora.commands.events
import aurora.commands.queue  # noqa: F401 - for the commands in them
