"""What is said where a text is too long."""

from __future__ import annotations

from . import phrase as _

MORE = _("… [{count} more characters]")
IN_FILE = _("*This is {count} characters long: all of it is in {file}.*")
REST_IN_FILE = _("*The other {count} characters are in {file}.*")
TOO_MANY = _("*[{count} more characters, too many for Discord]*")
