"""Every route under /v1 held to its own OpenAPI document: made-up requests, good and bad, get only what it names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
import uvicorn
from asking import wait_until
from fakes import FakeLoader, FakeRegistry
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from listed import put_list

from triage_ml.settings import Settings
from triage_ml.store import Store
from triage_serving.app import create_app
from triage_serving.protocol import LimitedProtocol
from triage_serving.server import bind

#: Schemathesis warns about what it could not make up.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def api(
    settings: Settings,
    store: Store,
    registry: FakeRegistry,
    loader: FakeLoader,
    new_key: Callable[..., dict[str, str]],
) -> Iterator[schemathesis.BaseSchema]:
    """The document of a service on a real socket, with a key that may do everything."""
    app = create_app(settings, store=store, registry=registry, load_answerer=loader)
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, http=LimitedProtocol, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    wait_until(lambda: server.started and app.state.services.champion.current is not None, 60)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    document = httpx2.get(f"{address}/openapi.json").json()
    # Hypothesis can't make up a text that is too long for this one; test_requests holds that limit.
    description = document["components"]["schemas"]["Ticket"]["properties"]["description"]
    assert description["anyOf"][0].pop("maxLength") == 100_000
    found = schemathesis.openapi.from_dict(document)
    found.config.update(base_url=address, headers=new_key("admin"))
    # No document can say which ETag is the latest: a request that is well formed may also fail its precondition.
    for check in (found.config.checks.positive_data_acceptance, found.config.checks.negative_data_rejection):
        check.expected_statuses = [*check.expected_statuses, "412"]
    yield found
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_answers_are_those_that_the_document_names(
    api: schemathesis.BaseSchema, mode: schemathesis.GenerationMode
) -> None:
    failed = {}
    for found in api.get_all_operations():
        operation = found.ok()

        @examples(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=api.config.headers)

        try:
            check()
        except Unsatisfiable:
            continue  # a route without input can't be asked wrongly
        except Exception as error:  # noqa: BLE001 - all routes are asked before the test fails
            failed[operation.label] = str(error)[:1500]
    assert failed == {}


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [
        ("^/v1/(score|outcomes|tickets)", {"GET /v1/tickets/{ticket_id}": 200}),
        ("^/v1/candidates", {"POST /v1/candidates/{pattern_id}/decisions": 201}),
    ],
    ids=["tickets", "weekly list"],
)
def test_answers_lead_on_to_answers(
    api: schemathesis.BaseSchema, store: Store, paths: str, wanted: dict[str, int]
) -> None:
    """Stateful: what one route answered is asked of the next, along the links of the document.

    Schemathesis begins where it is surest of an answer, so each of the two families has a walk of its own. The other routes
    lead nowhere.
    """
    put_list(store)
    walked = api.include(path_regex=paths)
    answered: dict[str, set[int]] = {operation.ok().label: set() for operation in walked.get_all_operations()}

    class Walk(walked.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, object]:
            return {"headers": api.config.headers}

        def validate_response(self, response: Any, case: schemathesis.Case, **more: object) -> None:
            answered[case.operation.label].add(response.status_code)
            case.validate_response(response)

    run_state_machine_as_test(
        Walk,
        settings=examples(
            max_examples=60,
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    assert [label for label, statuses in answered.items() if not statuses] == [], "every route was asked"
    assert {label: status for label, status in wanted.items() if status not in answered[label]} == {}
