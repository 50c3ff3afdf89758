"""Runs the app in this process or in several, all on one socket that is bound before anything else is started."""

from __future__ import annotations

import os
import signal
import socket
import tempfile

import uvicorn
from fastapi import FastAPI
from prometheus_client import values

from triage_ml.errors import ServiceError
from triage_ml.settings import Settings
from triage_ml.store import open_store
from triage_serving.app import create_app
from triage_serving.logs import configure_logs
from triage_serving.protocol import LimitedProtocol
from triage_serving.registry import MlflowRegistry
from triage_serving.tracing import prepare
from triage_serving.workers import Supervisor, freeze, warm_up

__all__ = ["app_from_environment", "bind", "serve"]

SETTINGS_VARIABLE = "TRIAGE_SERVICE_SETTINGS"
#: A worker that says nothing for so long is replaced; uvicorn's 5 s kill one that is still importing on a busy machine.
WORKER_STARTS_SECONDS = 120


def bind(host: str, port: int) -> socket.socket:
    """A listening address, or a ServiceError that says why not. Port 0 takes a free one."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ServiceError(f"{host}: this address can't be used ({error.strerror}).") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(128)  # from here on the port is ours, and who comes early waits instead of failing
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"{host}:{port} can't be listened on ({error.strerror}).",
            hint="Stop what runs there, or take another port: triage serve --port 8001 (0 takes a free one).",
        ) from None
    listener.set_inheritable(True)
    return listener


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve on `listener` until SIGINT or SIGTERM, then finish what is in flight."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)  # uvicorn raises the signal again when it is done
    os.environ[SETTINGS_VARIABLE] = settings.model_dump_json()
    config = uvicorn.Config(
        "triage_serving.server:app_from_environment",
        factory=True,
        http=LimitedProtocol,
        workers=settings.serving.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=settings.serving.max_connections,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=round(settings.serving.drain_seconds),
        timeout_worker_healthcheck=WORKER_STARTS_SECONDS,
    )
    if settings.serving.workers == 1:
        uvicorn.Server(config).run(sockets=[listener])
        return
    warm_up()
    freeze()
    with tempfile.TemporaryDirectory(prefix="triage-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]  # it looked when it was imported
        Supervisor(config, sockets=[listener]).run()


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def app_from_environment() -> FastAPI:
    """The app of one process: settings from the environment, the real store, registry and loader."""
    from triage_ml.answer import load_answerer

    configure_logs()
    prepare()
    settings = Settings.model_validate_json(os.environ[SETTINGS_VARIABLE])
    registry = MlflowRegistry(settings.tracking_uri, timeout_seconds=settings.mlflow.timeout_seconds)
    app = create_app(settings, store=open_store(settings.store_url), registry=registry, load_answerer=load_answerer)
    freeze()
    return app
