"""Chromium against a service of its own, with a mined week in its store."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from triage_ml.settings import Settings
from triage_ml.store import Store, create_key, open_store
from triage_serving.app import create_app

sys.path.insert(0, str(Path(__file__).parents[1] / "triage_serving"))

from fakes import FakeLoader, FakeRegistry
from listed import put_list

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium for the tests of one file: while Playwright lives, no other test of this process can run an event loop."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which is not ours to keep: `npm pack axe-core`, and TRIAGE_AXE names its axe.min.js."""
    place = os.environ.get("TRIAGE_AXE")
    if not place or not Path(place).is_file():
        missing = "no axe-core (npm pack axe-core, unpack it, set TRIAGE_AXE to its axe.min.js)"
        if os.environ.get("TRIAGE_TEST_REQUIRE") == "all":
            pytest.fail(f"TRIAGE_TEST_REQUIRE=all, but {missing}", pytrace=False)
        pytest.skip(missing)
    return Path(place).read_text(encoding="utf-8")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    put_list(store, "p1", "p2", "p3")
    yield store
    store.close()


@pytest.fixture
def service(tmp_path: Path, store: Store) -> Iterator[str]:
    """The address of a running service."""
    settings = Settings(paths={"home": tmp_path / "home"})  # type: ignore[arg-type]
    app = create_app(settings, store=store, registry=FakeRegistry(tmp_path / "registry"), load_answerer=FakeLoader())
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def key(store: Store) -> str:
    with store.begin() as connection:
        return create_key(connection, "review", now=datetime.now(UTC), name="ana")[0]
