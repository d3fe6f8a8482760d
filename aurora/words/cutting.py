"""What is said where a text is too long."""

from __future__ import annotations

from . import phrase as _

MORE = _("… [{count} more characters]")
TOO_MANY = _("*[{count} more characters, too many for Discord]*")
