"""What to do about trouble at an agent's server: a remedy for each cause, and no other.

A remedy never names what has nothing to do with the cause: who is sent after the wrong key gives
up the right one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from . import Phrase, servers
from . import phrase as _

SET_TOKEN = _(
    "Set the right token with `[p]set api letta token,<token>`, best in a direct message to me."
)
TOKEN_RIGHTS = _("Use a token or API key that has the rights for it.")
PROVIDER_KEY = _(
    "Mend the model provider's key on the agent's server; Aurora's token and the agent's id are "
    "not the cause."
)
PROVIDER_ACCOUNT = _("Check the credits of the account at the model provider.")
PROVIDER_LIMITS = _("Check the limits of the account at the model provider.")
MODEL = _("Check the agent's model on its server.")
ACCOUNT = _("Check the credits of the account at the agent's server.")
AGENT_ID = _("Check the agent's id.")
SMALLER = _("Shorten the agent's instructions and memory, or give it a model with more room.")
RUNNING = _(
    "Check that the server runs, that this machine can reach it, and that the address is right: "
    "`[p]aurora lettaurl` shows it."
)
ADDRESS = _("Check the address: `[p]aurora lettaurl` shows it.")
OWN_ADDRESS = _(
    "Set the address at which the server itself answers, often `https://` or `wss://` instead: "
    "`[p]aurora lettaurl <url>`."
)
CERTIFICATE = _("Check the server's certificate, or the `wss://` or `https://` of the address.")
LATER = _("Try again in a moment.")

_CAUSES: Sequence[tuple[Phrase, tuple[Phrase, ...]]] = (
    (SET_TOKEN, (servers.REFUSED_TOKEN,)),
    (TOKEN_RIGHTS, (servers.TOKEN_MAY_NOT,)),
    (PROVIDER_KEY, (servers.PROVIDER_REFUSED_KEY,)),
    (PROVIDER_LIMITS, (servers.PROVIDER_LIMITS,)),
    (ACCOUNT, (servers.CREDITS,)),
    (AGENT_ID, (servers.NO_SUCH_AGENT,)),
    (SMALLER, (servers.WINDOW,)),
    (
        RUNNING,
        (
            servers.NOT_REACHED,
            servers.NOTHING_ANSWERS,
            servers.CONNECTION_FAILED,
            servers.NO_ANSWER,
            servers.REFUSED_CONNECTION,
        ),
    ),
    (
        ADDRESS,
        (
            servers.NO_APP_SERVER_AT_PATH,
            servers.NO_PARAMETERS,
            servers.NO_ADDRESS,
            servers.OTHER_KIND,
            servers.NO_REST_HERE,
        ),
    ),
    (OWN_ADDRESS, (servers.REDIRECTS,)),
    (CERTIFICATE, (servers.NOT_SECURE,)),
    (
        LATER,
        (
            servers.TOO_SLOW,
            servers.HELD,
            servers.NOT_READY,
            servers.PATIENCE,
            servers.SERVER_FAILED,
            servers.CONNECTION_LOST,
            servers.REQUEST_NOT_ANSWERED,
        ),
    ),
)
_BY_TEXT = {cause.text: remedy for remedy, causes in _CAUSES for cause in causes}
_OF_PROVIDER: Mapping[object, Phrase] = {
    401: PROVIDER_KEY,
    402: PROVIDER_ACCOUNT,
    403: PROVIDER_KEY,
    429: PROVIDER_LIMITS,
}
_PROVIDERS = (servers.PROVIDER_STATUS.text, servers.PROVIDER_STATUS_KIND.text)
_NO_AGENT = re.compile(r"\bagent\b.*\bnot found\b", re.IGNORECASE | re.DOTALL)


def remedy_for(detail: Phrase | str) -> Phrase | None:
    """Return what to do about trouble that is told by `detail`; None if nobody can know."""
    if isinstance(detail, str):
        # An App Server's own words; of its other refusals none is known that people can mend.
        return AGENT_ID if _NO_AGENT.search(detail) else None
    within = detail.values.get("what")
    if isinstance(within, Phrase):
        return remedy_for(within)
    if detail.text in _PROVIDERS:
        return _OF_PROVIDER.get(detail.values.get("status"), MODEL)
    return _BY_TEXT.get(detail.text)
