"""A store with a week's list, and servers that really listen: SMTP and HTTP, each in a thread of its own."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from triage_ml.settings import Settings
from triage_ml.store import PatternRecord, WeekList, open_store, put_patterns, put_week

WEEK = "2026-W46"


def figures(pattern_id: str, **changes: Any) -> dict[str, Any]:
    """Figures of a candidate as mining writes them."""
    return {
        "pattern_id": pattern_id,
        "volume": 40,
        "weekly": [30, 34, 38, 40],
        "trend": {"direction": "growing", "ratio": 1.4, "low": 1.1, "high": 1.7},
        "hours": {"p10": 4.0, "p50": 6.5, "p90": 9.0},
        "work": {"p10": 8.0, "p50": 10.5, "p90": 13.0},
        "savings": {"certainty": 0.9, "expected": 5.9, "build_hours": 40.0, "weeks_to_pay_back": 6.8},
        "touch_time": {"minutes": 9.8, "source": "logged", "tickets": 120},
        "automatability": 0.71,
        "parts": {},
        "kind": "self_service_form",
        "runner_up": None,
        "why": "82% are requests.",
        "tiers": {"L1": 1.0},
        "groups": {},
        "resolutions": [],
    } | changes


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home whose store lists two patterns."""
    settings = Settings(paths={"home": tmp_path / "home"})  # type: ignore[arg-type]
    store = open_store(settings.store_url)
    titles = {"p1": "Reset <AD> password", "p2": "=cmd|' /C calc'!A0 [x](https://evil.example) @here"}
    with store.begin() as connection:
        put_patterns(connection, [PatternRecord(key, title, ["a"], ["b"], WEEK) for key, title in titles.items()])
        put_week(connection, WeekList(WEEK, 1000, 0.9, [figures(key) for key in titles]))
    store.close()
    return settings


class Mailbox:
    """An SMTP server of a few commands. `refuse` maps a command to the answer that it gets; `hang_up` drops the line after
    the message."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], str]] = []
        self.refuse: dict[str, str] = {}
        self.hang_up = False
        box = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                box._talk(self)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    def _talk(self, line: Any) -> None:
        def say(text: str) -> None:
            line.wfile.write(f"{text}\r\n".encode())

        say("220 test")
        recipients: list[str] = []
        while words := line.rfile.readline().decode():
            command = words.split()[0].upper()
            if command in self.refuse:
                say(self.refuse[command])
            elif command == "EHLO":
                say("250 test")
            elif command == "RCPT":
                recipients.append(words.split("<")[1].split(">")[0])
                say("250 ok")
            elif command == "DATA":
                say("354 go on")
                text = []
                while (part := line.rfile.readline().decode()) != ".\r\n":
                    text.append(part)
                self.messages.append((recipients, "".join(text)))
                if self.hang_up:
                    return
                say("250 taken")
            elif command == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")


class Channel:
    """A webhook's end: keeps what was posted and answers `status`."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.status = 200
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                channel.posts.append(json.loads(body))
                self.send_response(channel.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]


def _running(end: Any) -> Iterator[Any]:
    thread = threading.Thread(target=end.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield end
    end.server.shutdown()
    end.server.server_close()
    thread.join(5)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    yield from _running(Mailbox())


@pytest.fixture
def channel() -> Iterator[Channel]:
    yield from _running(Channel())
