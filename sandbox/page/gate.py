"""Who may talk to the page: this machine's own browser, showing this page, and nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_NAMES = ("127.0.0.1", "localhost", "[::1]")
# Nothing from outside loads, and no script but the page's own runs, whatever a message says.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' http://127.0.0.1:*; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@web.middleware
async def only_this_page(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign Host and Origin headers; a page elsewhere can send requests here too.

    The Host check stops names that were made to point at this machine, the Origin check stops
    other sites. Browsers name the origin of every POST and WebSocket, so it must be there.
    """
    port = _port(request)
    hosts = {f"{name}:{port}" for name in _NAMES}
    if request.headers.get("Host") not in hosts:
        raise web.HTTPForbidden(text=f"Open this page as http://127.0.0.1:{port}/")
    origin = request.headers.get("Origin")
    acts = request.method not in ("GET", "HEAD") or "Upgrade" in request.headers
    if (acts or origin is not None) and origin not in {f"http://{host}" for host in hosts}:
        raise web.HTTPForbidden(text="Only the page itself may do this.")
    return await handler(request)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Send the security headers with everything."""
    response.headers.update(_HEADERS)


def _port(request: web.Request) -> int:
    socket = request.transport.get_extra_info("sockname") if request.transport else None
    return int(socket[1]) if socket else 0
