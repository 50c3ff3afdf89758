"""Spans say where the time went, and nothing of a ticket."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from asking import TICKET
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from triage_serving.tracing import prepare

SECRET = "zebrafish"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter
    provider.shutdown()


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    (found,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return found


@pytest.mark.parametrize(
    ("path", "body", "tickets"),
    [("/v1/score", TICKET, 1), ("/v1/score/batch", {"tickets": [TICKET] * 3}, 3)],
)
def test_a_request_has_a_span_with_its_route_and_steps(
    exported: InMemorySpanExporter, client: TestClient, path: str, body: object, tickets: int
) -> None:
    response = client.post(path, json=body)
    request = named(exported, f"POST {path}")
    assert request.attributes is not None
    assert request.attributes["http.route"] == path
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["triage.request_id"] == response.headers["x-request-id"]
    score, store = named(exported, "score"), named(exported, "store")
    for step in (score, store):
        assert step.parent is not None
        assert step.parent.span_id == request.context.span_id
        assert step.attributes == {"triage.tickets": tickets}
    assert request.start_time <= score.start_time <= score.end_time == store.start_time <= store.end_time  # type: ignore[operator]


def test_a_trace_goes_on_from_the_callers(exported: InMemorySpanExporter, client: TestClient) -> None:
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    client.post("/v1/score", json=TICKET, headers={"traceparent": caller})
    assert f"{named(exported, 'POST /v1/score').context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"


def test_no_word_of_a_ticket_is_in_a_span(exported: InMemorySpanExporter, client: TestClient) -> None:
    for more in ({}, {"title": 7}, {"description": "poison", "title": f"poison {SECRET}"}):
        client.post("/v1/score", json=TICKET | {"title": SECRET, "description": SECRET} | more)
    client.post("/v1/score", content=SECRET.encode(), headers={"Content-Type": "application/json"})
    spans = exported.get_finished_spans()
    assert len(spans) >= 4
    assert SECRET not in " ".join(span.to_json() for span in spans)


def test_without_a_collector_there_is_no_span(client: TestClient) -> None:
    client.post("/v1/score", json=TICKET)
    assert not trace.get_current_span().is_recording()


def test_traces_that_cannot_be_sent_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter", None)
    prepare()
    assert "pip install 'triage-ml[tracing]'" in capsys.readouterr().out


def test_the_service_starts_with_a_collector_that_is_not_there() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from triage_serving.tracing import prepare; prepare()"],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert done.returncode == 0
