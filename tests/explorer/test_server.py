"""Only the page itself is answered: not another token, another origin, another name for this machine, or a path outside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from quorate.explorer.server import BODY_MAX, LOOPBACK, Server
from quorate.explorer.session import Session
from quorate.loading import load


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(Session(load("two_phase_commit"), {}, 1)) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def asked(server: Server, method: str, path: str, body: Any = None, **headers: str) -> HTTPResponse:
    connection = HTTPConnection(LOOPBACK, server.server_port)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        given = {"Content-Type": "application/json"} | given
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, body, given)
    return connection.getresponse()


LOOK = {"variant": None, "run": {"initial": {}, "steps": []}}


def test_it_listens_on_the_loopback_address_only_and_no_two_have_one_token(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"
    with Server(server.session) as other:
        assert other.token != server.token and len(other.token) >= 32 and other.server_port != server.server_port


def test_the_page_and_its_parts_are_served_with_the_token(server: Server) -> None:
    for part, media in (("", "text/html"), ("app.js", "text/javascript"), ("app.css", "text/css")):
        answer = asked(server, "GET", f"/{server.token}/{part}")
        assert answer.status == 200 and (answer.headers["Content-Type"] or "").startswith(media)
        assert "default-src 'none'" in (answer.headers["Content-Security-Policy"] or "")
        assert answer.headers["Access-Control-Allow-Origin"] is None
    assert asked(server, "POST", f"/{server.token}/ask/look", LOOK).status == 200
    assert asked(server, "POST", f"/{server.token}/ask/look", LOOK, Origin=f"http://{server.host}").status == 200


@pytest.mark.parametrize("path", ["/", "", "/app.js", "/wrong/", "/wrong/app.js", "//app.js", "/..", "*"])
def test_without_the_token_nothing_is_served(server: Server, path: str) -> None:
    assert asked(server, "GET", path).status == 403
    assert asked(server, "POST", path + "ask/look", LOOK).status == 403


@pytest.mark.parametrize(
    "path",
    ["../../etc/passwd", "..%2f..%2fetc/passwd", "web/app.js", "session.py", "app.js/", "app.js?x", "ask/look", "."],
)
def test_a_path_outside_is_not_found(server: Server, path: str) -> None:
    assert asked(server, "GET", f"/{server.token}/{path}").status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Origin": f"http://{LOOPBACK}:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "example.org"},
        {"Host": "localhost"},
    ],
)
def test_another_origin_or_name_is_refused_even_with_the_token(server: Server, headers: dict[str, str]) -> None:
    assert asked(server, "POST", f"/{server.token}/ask/look", LOOK, **headers).status == 403
    assert asked(server, "GET", f"/{server.token}/", **headers).status == 403


def test_what_is_no_question_is_refused_and_the_server_goes_on(server: Server) -> None:
    ask = f"/{server.token}/ask/look"
    assert asked(server, "POST", ask, b"{").status == 400
    assert asked(server, "POST", ask, b"[" * 100_000).status == 400
    assert asked(server, "POST", ask, b"{}", Content_Type="text/plain").status == 415
    assert asked(server, "POST", ask, b"", Content_Length=str(BODY_MAX + 1)).status == 413
    assert asked(server, "POST", f"/{server.token}/nothing", {}).status == 404
    for wrong in ([], {}, {"variant": 3}, {"variant": None, "run": {"initial": {}, "steps": [["x", {}]]}}):
        answer = asked(server, "POST", ask, wrong)
        assert answer.status == 422 and json.loads(answer.read())["error"]
    assert asked(server, "PUT", ask, {}).status == 501
    assert asked(server, "POST", f"/{server.token}/stop", {}).status == 200
    assert asked(server, "POST", ask, LOOK).status == 200


def test_a_file_is_called_by_what_a_header_can_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = Path("żółw & co.py")
    spec.write_text(
        "from quorate import *\nclass N(Nat, max=2): ...\nclass Up(Spec):\n    n: N\n    @action\n    def up(self) -> None:\n"
        "        'It \\ud800 goes up.'\n        self.n += 1\n    @invariant\n    def low(self) -> bool:\n"
        "        'It \\ud800 is low.'\n        return self.n == 0\n"
    )
    with Server(Session(load(str(spec)), {}, 1)) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        try:
            run = {"initial": {}, "steps": [["up", {}]]}
            for kind, suffix in (("json", ".json"), ("html", ".html"), ("pytest", "_test.py"), ("svg", ".svg")):
                answer = asked(made, "POST", f"/{made.token}/file/{kind}", {"variant": None, "run": run})
                assert answer.status == 200 and answer.headers["X-Name"] == f"___w___co.py{suffix}"
                assert answer.read()
            assert asked(made, "GET", f"/{made.token}/").status == 200
            assert asked(made, "POST", f"/{made.token}/ask/look", {"variant": None, "run": run}).status == 200
        finally:
            made.shutdown()
            thread.join()
