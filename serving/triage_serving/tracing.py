"""OpenTelemetry: one span a request, and below it how long a ticket waited to be scored and to be stored.

FastAPI starts the span of a request and, where the environment names a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`), sends it
there; the sender comes with the extra `tracing`. A span holds route, status, request id and times, never a word of a ticket.
Without a collector nothing of this costs more than a look into a dictionary.
"""

from __future__ import annotations

import os
import time
from importlib.util import find_spec

import structlog
from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from starlette.types import Scope

__all__ = ["TELEMETRY", "are_asked_for", "name_span", "prepare", "trace_steps", "traced_since"]

#: No logs: they would hold the messages of exceptions, and those may quote a ticket. No metrics: Prometheus has them.
TELEMETRY: TelemetryConfig = {
    "tracing": True,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": True,
}
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = structlog.get_logger("triage.tracing")


def are_asked_for() -> bool:
    """Whether the environment names a collector, or this process has set up tracing by itself."""
    return any(os.environ.get(name) for name in ENDPOINTS) or not isinstance(
        trace.get_tracer_provider(), trace.ProxyTracerProvider
    )


def prepare() -> None:
    """Name the service; say what is missing where traces are asked for and can't be sent."""
    os.environ.setdefault("OTEL_SERVICE_NAME", "triage-ml")
    if are_asked_for() and not _can_send():
        log.warning("traces_not_sent", hint="Install the sender: pip install 'triage-ml[tracing]'")


def name_span(scope: Scope, route: str | None, request_id: str) -> None:
    """Tell the span of this request its id, and the route where that is taken before FastAPI sees it."""
    if "fastapi.telemetry" not in scope:
        return
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attribute("triage.request_id", request_id)
        if route is not None:
            span.update_name(f"{scope['method']} {route}")
            span.set_attribute("http.route", route)


def traced_since() -> int | None:
    """Now, in nanoseconds, where the request of this task is traced; else None."""
    return time.time_ns() if trace.get_current_span().is_recording() else None


def trace_steps(begun_ns: int, scored_ns: int, tickets: int) -> None:
    """Two spans that are over: until the tickets were scored, and from then until they were stored."""
    tracer = trace.get_tracer("triage_serving")
    attributes = {"triage.tickets": tickets}
    tracer.start_span("score", start_time=begun_ns, attributes=attributes).end(scored_ns)
    tracer.start_span("store", start_time=scored_ns, attributes=attributes).end()


def _can_send() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False
