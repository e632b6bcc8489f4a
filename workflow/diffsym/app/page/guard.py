"""Who may ask the page's server: a browser on this machine that shows this page, nobody else.

A page of another server could otherwise ask it through the user's browser, by a name that it lets
point to this machine or by a form that it sends here.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
READING = frozenset({"GET", "HEAD"})
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(" ".join(rule) for rule in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses strange requests, and tells browsers to ask nobody else."""

    def __init__(self, app: "ASGIApp") -> None:
        self.app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass a request on, or answer it with 403."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        refusal = refusal_of(scope["method"], headers.get("host", ""), headers.get("origin"))
        if refusal:
            await PlainTextResponse(refusal, 403)(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)


def refusal_of(method: str, host: str, origin: str | None) -> str:
    """Why a request is refused; empty if it is not.

    Parameters
    ----------
    method
        Such as GET.
    host, origin
        Headers; the origin is None if the browser sends none.
    """
    if host_name(f"http://{host}") not in LOCAL:
        return f"the server answers on this machine only; open it as http://127.0.0.1, not {host!r}"
    if method in READING and origin is None:
        return ""
    if origin != f"http://{host}":
        return "the request comes from another page; open this one itself"
    return ""


def host_name(address: str) -> str:
    """Name of the host of an address; empty if there is none, or more than a host and a port."""
    try:
        parts = urlsplit(address)
        usable = parts.port != 0 and not (parts.path or parts.query or parts.fragment)
    except ValueError:
        return ""
    return (parts.hostname or "") if usable and parts.username is None else ""
