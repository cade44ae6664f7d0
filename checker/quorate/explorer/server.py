"""The explorer's web server: this machine's loopback address, a port by chance, and a token in every path.

Nobody else may ask: a request needs the token, a `Host` that is this server (so that no other name leads here), and, where a browser
names one, the page's own `Origin`. There is no file system behind it: what can be fetched is a table.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from quorate.errors import QuorateError
from quorate.explorer.session import Session, worded
from quorate.report.run_page import embedded
from quorate.report.theme import theme

LOOPBACK = "127.0.0.1"
BODY_MAX = 4_000_000
"""Bytes of a question; a run of thousands of steps has less."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Server(ThreadingHTTPServer):
    """Serves one session until it is shut down."""

    daemon_threads = True

    def __init__(self, session: Session) -> None:
        self.session = session
        self.token = secrets.token_urlsafe(24)
        super().__init__((LOOPBACK, 0), Handler)

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"{LOOPBACK}:{self.server_port}"

    @property
    def address(self) -> str:
        """The address of the page, token included."""
        return f"http://{self.host}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that is gone before it has its answer is no error."""
        import sys

        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


Answer = tuple[str, bytes]
"""A media type and contents."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "quorate", ""

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not told."""

    def do_GET(self) -> None:
        """The page and its parts."""
        path = self._path()
        if path is None:
            return
        pages = _pages(self.server.session)
        if path in pages:
            self._send(HTTPStatus.OK, *pages[path]())
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """A question of the page."""
        path = self._path()
        if path is None:
            return
        if self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_MAX:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        try:
            data = json.loads(self.rfile.read(int(length)))
            self._answer(path, data)
        except (ValueError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST)
        except QuorateError as error:
            self._send(HTTPStatus.UNPROCESSABLE_ENTITY, *_json(worded(error)))

    def _answer(self, path: str, data: Any) -> None:
        session = self.server.session
        kind, _, name = path.partition("/")
        if path == "stop":
            session.stop()
            self._send(HTTPStatus.OK, *_json({}))
        elif kind == "ask":
            self._send(HTTPStatus.OK, *_json(session.answer(name, data)))
        elif kind == "file":
            title, media, contents = session.file(name, data)
            self._send(HTTPStatus.OK, media, contents, {"X-Name": title})
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def _path(self) -> str | None:
        """The part of the path after the token; None, and refused, if the request is none of the page's own."""
        server = self.server
        origin = self.headers.get("Origin")
        own = self.headers.get("Host") == server.host and origin in (None, f"http://{server.host}")
        slash, token, rest = self.path.partition("/")[1], *self.path[1:].partition("/")[::2]
        known = secrets.compare_digest(token.encode(), server.token.encode())
        if not (own and slash and known) or self.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        return rest

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode())

    def _send(self, status: HTTPStatus, media: str, contents: bytes, further: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": media,
            "Content-Length": str(len(contents)),
            **HEADERS,
            **(further or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(contents)


def _json(data: Any) -> Answer:
    return "application/json", json.dumps(data, separators=(",", ":")).encode()


def _pages(session: Session) -> dict[str, Callable[[], Answer]]:
    """What can be fetched."""
    return {
        "": partial(_page, session),
        "app.js": partial(_built, "app.js", "text/javascript; charset=utf-8"),
        "app.css": partial(_built, "app.css", "text/css; charset=utf-8"),
    }


def _built(name: str, media: str) -> Answer:
    contents = files("quorate.explorer").joinpath("web", name).read_bytes()
    return media, theme().encode() + contents if name.endswith(".css") else contents


def _page(session: Session) -> Answer:
    about = session.about()
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_escaped(about["spec"])} · quorate explore</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="app.css">
</head>
<body>
<div id="page"><noscript>The explorer needs JavaScript.</noscript></div>
<script type="application/json" id="about">{embedded(about)}</script>
<script src="app.js"></script>
</body>
</html>
"""
    return "text/html; charset=utf-8", text.encode()


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
