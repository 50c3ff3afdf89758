"""MLflow away, slow, or answering nonsense: one clear error, soon."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from triage_ml.bundle import MODEL_NAME
from triage_ml.errors import NoModelError, RegistryError
from triage_ml.settings import Settings
from triage_training.registry import Registry
from triage_training.versions import Version

PROMPT_SECONDS = 30


class Nonsense(BaseHTTPRequestHandler):
    """Answers 200 with a page of HTML, as a proxy with a login does."""

    body = b"<html><body>Please log in</body></html>"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


class NoSuchPage(Nonsense):
    """Answers 404 with a page of HTML, as any other web server does."""

    def do_GET(self) -> None:
        self.send_error(404)

    do_POST = do_GET


class EmptyJson(Nonsense):
    """Answers JSON that holds nothing that was asked for."""

    body = b'{"experiment": {"unheard_of": 1}}'


class Slow(Nonsense):
    """Never answers within the time limit."""

    def do_GET(self) -> None:
        time.sleep(5)

    do_POST = do_GET


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), request.param)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    httpd.server_close()


def registry_at(uri: str, tmp_path: Path) -> Registry:
    return Registry(Settings(paths={"home": tmp_path}, mlflow={"tracking_uri": uri, "timeout_seconds": 1}))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_address_that_does_not_answer_is_told_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    begun = time.monotonic()
    with pytest.raises(RegistryError, match=r"MLflow at http://127\.0\.0\.1:\d+ did not answer: .*\nIs the address"):
        registry_at(f"http://127.0.0.1:{free_port()}", tmp_path).check()
    assert time.monotonic() - begun < PROMPT_SECONDS


@pytest.mark.parametrize("server", [Nonsense, EmptyJson, Slow], indirect=True, ids=lambda kind: kind.__name__)
def test_a_server_that_is_no_mlflow_is_told_soon(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    begun = time.monotonic()
    with pytest.raises(RegistryError, match="did not find the model: ") as refused:
        registry_at(server, tmp_path).find("champion")
    assert "log in" not in str(refused.value)
    assert time.monotonic() - begun < PROMPT_SECONDS


VERSION = Version(3, "run", "sha256:3", (), 0.0)
STEPS = {
    "check": lambda registry, folder: registry.check(),
    "aliased": lambda registry, folder: registry.aliased("champion"),
    "find": lambda registry, folder: registry.find("3"),
    "figures": lambda registry, folder: registry.figures(VERSION),
    "file": lambda registry, folder: registry.file(VERSION, "gate/answers.parquet", folder),
    "fetch": lambda registry, folder: registry.fetch(VERSION),
    "point": lambda registry, folder: registry.point("champion", VERSION),
    "register": lambda registry, folder: registry.register(
        folder, "sha256:3", params={}, metrics={}, tags={}, files={}
    ),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("server", [Nonsense, NoSuchPage], indirect=True, ids=lambda kind: kind.__name__)
def test_nonsense_at_any_step_is_one_clear_error_and_leaves_nothing_on_disk(
    server: str, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    registry = registry_at(server, tmp_path / "home")
    with pytest.raises(RegistryError, match=r"MLflow at http://127\.0\.0\.1:\d+ did not ") as refused:
        STEPS[step](registry, tmp_path)
    assert "log in" not in str(refused.value)
    assert not list((tmp_path / "home").rglob("*.npy"))
    assert not (tmp_path / "home" / "bundles").exists() or not list((tmp_path / "home" / "bundles").iterdir())


def test_the_password_of_an_address_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with pytest.raises(RegistryError, match="MLflow at http://127") as refused:
        registry_at(f"http://ada:secret@127.0.0.1:{free_port()}", tmp_path).check()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("name", ["champion", "challenger", "7"])
def test_a_model_that_is_not_there_says_how_to_get_one(name: str, registry: Registry) -> None:
    with pytest.raises(NoModelError, match=rf"No model is registered as '{name}'\.\n`triage models` lists"):
        registry.find(name)


def test_an_empty_registry_has_no_versions(registry: Registry) -> None:
    assert registry.versions() == []
    assert registry.aliased("champion") is None


def test_a_version_that_is_deleted_between_two_calls_is_named_as_gone(registry: Registry, settings: Settings) -> None:
    """MLflow refuses the alias with an error of its own; whoever promotes must be able to tell it from an outage."""
    from mlflow import MlflowClient

    assert registry.versions() == []
    client = MlflowClient(settings.tracking_uri)
    client.create_registered_model(MODEL_NAME)
    client.create_model_version(MODEL_NAME, "file:///nowhere")
    version = registry.find("1")
    registry.point("champion", version)
    client.delete_model_version(MODEL_NAME, "1")
    with pytest.raises(NoModelError, match=r"Version 1 is no longer in MLflow\.\nSee: triage models"):
        registry.point("champion", version)
    registry.point("champion", None)  # an alias that is gone already
    assert registry.aliased("champion") is None
