from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from triage_ml.settings import Settings
from triage_ml.store import Scope, Store, create_key, open_store
from triage_serving.app import create_app
from triage_serving.bundles import BundleFolder, Kept

sys.path.insert(0, str(Path(__file__).parent))  # the fakes, also for the processes that tests start

from asking import wait_until
from fakes import FakeLoader, FakeRegistry


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(paths={"home": tmp_path / "home"}, serving={"poll_seconds": 0.05})


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings.store_url)
    yield store
    store.close()


@pytest.fixture
def registry(tmp_path: Path) -> FakeRegistry:
    """A registry whose version 1 is champion."""
    registry = FakeRegistry(tmp_path / "registry")
    registry.register("1")
    return registry


@pytest.fixture
def loader() -> FakeLoader:
    return FakeLoader()


@pytest.fixture
def new_key(store: Store) -> Callable[..., dict[str, str]]:
    """Makes a key and returns the header that sends it."""

    def make(scope: Scope = "score", **more: Any) -> dict[str, str]:
        with store.begin() as connection:
            key, _ = create_key(connection, scope, now=datetime.now(UTC), **more)
        return {"Authorization": f"Bearer {key}"}

    return make


@pytest.fixture
def client(
    settings: Settings,
    store: Store,
    registry: FakeRegistry,
    loader: FakeLoader,
    new_key: Callable[..., dict[str, str]],
) -> Iterator[TestClient]:
    """The app with a fake model and a real SQLite store; sends a key of scope `score`."""
    app = create_app(settings, store=store, registry=registry, load_answerer=loader)
    with TestClient(app, headers=new_key(), raise_server_exceptions=False) as client:
        wait_until(lambda: app.state.services.champion.current is not None)
        yield client


@pytest.fixture(scope="session")
def home_with_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder whose `.triage` keeps a bundle that answered before; there is no MLflow."""
    from model import train

    folder = tmp_path_factory.mktemp("kept")
    bundles = BundleFolder(folder / ".triage" / "bundles")
    digest = train(folder / "fresh")
    bundles.path(digest).parent.mkdir(parents=True)
    (folder / "fresh").rename(bundles.path(digest))
    bundles.remember(Kept("1", digest))
    return folder
