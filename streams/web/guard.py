"""What every answer and every request of the page must satisfy, whatever it is about."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
LONGEST_FORM_BYTES = 16_384


async def set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """The headers of every answer; what an answer has set itself stays."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "radvigil"  # and not which versions of what it is made of


def check_form(request: web.Request) -> None:
    """Refuse a form that another site sent, or one that is too long, before it is read.

    Browsers say where a request comes from (`Sec-Fetch-Site`); older ones say the `Origin`.
    """
    from_where = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if from_where is not None:
        is_ours = from_where in ("same-origin", "none")
    else:
        is_ours = origin is None or urlsplit(origin).netloc == request.host
    if not is_ours:
        raise web.HTTPForbidden(text="This form was sent by another site.")
    if (request.content_length or 0) > LONGEST_FORM_BYTES:
        raise web.HTTPRequestEntityTooLarge(LONGEST_FORM_BYTES, request.content_length or 0)


def own_path(written: str) -> str:
    """A path of this page to go on to, or its beginning: never another host.

    >>> own_path("/history?site=north"), own_path("//evil.example"), own_path("https://evil")
    ('/history?site=north', '/', '/')
    """
    is_path = written.startswith("/") and not written.startswith(("//", "/\\"))
    return written if is_path and written.isprintable() else "/"
