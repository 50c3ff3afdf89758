"""Every route under /v1 held to its own OpenAPI document: made-up requests, good and bad, get only what it names."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

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
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

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
        if operation.path.endswith("/decisions"):
            continue  # what each action needs stands in its schema in words alone; its own tests hold it

        @examples(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def check(case: schemathesis.Case) -> None:
            # Who may ask is a table of its own (test_auth); here every request has the key.
            case.call_and_validate(excluded_checks=[ignored_auth])

        try:
            check()
        except Unsatisfiable:
            continue  # a route without input can't be asked wrongly
        except Exception as error:  # noqa: BLE001 - all routes are asked before the test fails
            failed[operation.label] = str(error)[:1500]
    assert failed == {}


def test_answers_lead_on_to_answers(api: schemathesis.BaseSchema, store: Store) -> None:
    """Stateful: what one route answered is asked of the next, along the links of the document and what can be guessed."""
    put_list(store)

    class Walk(api.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, object]:
            return {"headers": api.config.headers}

        def validate_response(self, response: object, case: schemathesis.Case, **more: object) -> None:
            # What each action of a decision needs stands in its schema in words alone, so valid ones may be refused.
            more_than_said = [positive_data_acceptance] if case.path.endswith("/decisions") else []
            case.validate_response(response, excluded_checks=[ignored_auth, *more_than_said])  # type: ignore[arg-type]

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
