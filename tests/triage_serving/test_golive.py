"""`triage ready` says no until everything holds, and what to do about each thing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from triage_ml.settings import load_settings
from triage_ml.store import (
    Confirmation,
    Outcome,
    Prediction,
    Promotion,
    Shadow,
    Store,
    add_confirmation,
    add_outcome,
    add_predictions,
    add_shadows,
    claim_promotion,
    closed_tickets,
    create_key,
    finish_promotion,
    new_id,
    open_store,
)
from triage_serving.bundles import BundleFolder, Kept
from triage_serving.commands import Signed, app
from triage_serving.golive import SIGNED, SIGNED_DAYS, Check, checklist

NOW = datetime.now(UTC)
NAMES = ["model", "closed tickets", "precision of tier", "outcomes", "rollback", "keys", *SIGNED]


@pytest.fixture
def home(tmp_path: Path, home_with_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where a model answered; nothing else is done yet."""
    monkeypatch.chdir(tmp_path)
    kept = BundleFolder(home_with_model / ".triage" / "bundles").last()
    assert kept is not None
    bundles = BundleFolder(tmp_path / ".triage" / "bundles")
    bundles.remember(Kept(kept.version, kept.digest))
    bundles.path(kept.digest).symlink_to(BundleFolder(home_with_model / ".triage" / "bundles").path(kept.digest))
    return tmp_path / ".triage"


def close_tickets(store: Store, right: int, wrong: int, *, reason: str = "confident", version: str = "1") -> None:
    with store.begin() as connection:
        for number in range(right + wrong):
            prediction_id = new_id(NOW)
            tier = {"value": "L1", "action": "suggest", "reason": reason}
            answer: dict[str, Any] = {"targets": {"tier": tier}}
            ticket_id = f"{version}-{reason}-{right}-{number}"
            row = Prediction(prediction_id, ticket_id, NOW, version, "sha256:0a", "suggest", reason, {}, answer)
            add_predictions(connection, [row])
            labels = {"tier": "L1" if number < right else "L2"}
            add_outcome(connection, Outcome(new_id(NOW), ticket_id, labels, "person_corrected", NOW, prediction_id))


def make_ready(store: Store, *, right: int = 95, wrong: int = 5) -> None:
    close_tickets(store, right, wrong)
    with store.begin() as connection:
        create_key(connection, "score", now=NOW)
        claim_promotion(connection, Promotion(1, "1", "2", "rolled_back", "ops", "a try", NOW))
        finish_promotion(connection, 1, now=NOW)
        for what in SIGNED:
            add_confirmation(connection, Confirmation(what, "Ann", NOW))


@pytest.fixture
def store(home: Path) -> Store:
    return open_store(load_settings().store_url)


def checks(store: Store, home: Path, **more: Any) -> dict[str, Check]:
    given = {"precision": 0.9, "routing": ("tier", "category"), "last": 100, "now": NOW} | more
    return {check.name: check for check in checklist(store, home / "bundles", **given)}


def test_a_fresh_home_is_not_ready(home: Path, store: Store) -> None:
    found = checks(store, home)
    assert [name for name, check in found.items() if check.holds] == ["model"]
    assert found["model"].found == "version 1; 3 classes of tier, 3 classes of category"
    assert all(check.todo for check in found.values())


def test_everything_done_is_ready(home: Path, store: Store) -> None:
    make_ready(store)
    found = checks(store, home)
    assert list(found) == NAMES
    assert [name for name, check in found.items() if not check.holds] == []
    assert found["precision of tier"].found == "0.950 of 100 confident answers, 0.90 promised"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (89, 11, "0.890 of 100 confident answers, 0.90 promised"),
        (40, 0, "40 confident answers were checked, 50 are wanted"),
    ],
)
def test_a_promise_that_did_not_hold(home: Path, store: Store, right: int, wrong: int, said: str) -> None:
    make_ready(store, right=right, wrong=wrong)
    check = checks(store, home)["precision of tier"]
    assert (check.holds, check.found) == (False, said)


def test_enough_audits_are_the_promise_and_what_nobody_looked_at_is_not(home: Path, store: Store) -> None:
    close_tickets(store, 200, 0)
    close_tickets(store, 39, 10, reason="picked_for_audit")
    found = checks(store, home, last=300)["precision of tier"]
    assert (found.holds, found.found) == (True, "0.960 of 249 confident answers, 0.90 promised")
    close_tickets(store, 1, 0, reason="picked_for_audit")
    found = checks(store, home, last=300)["precision of tier"]
    assert (found.holds, found.found) == (False, "0.800 of 50 audited answers, 0.90 promised")


def test_only_confident_answers_are_held_to_the_promise(home: Path, store: Store) -> None:
    close_tickets(store, 0, 100, reason="below_threshold")
    assert "0 confident answers were checked" in checks(store, home)["precision of tier"].found


def test_what_another_version_answered_says_nothing_of_this_one(home: Path, store: Store) -> None:
    make_ready(store)
    close_tickets(store, 0, 200, version="0")
    found = checks(store, home)
    assert [name for name, check in found.items() if not check.holds] == []
    assert found["precision of tier"].found == "0.950 of 100 confident answers, 0.90 promised"
    assert found["outcomes"].found == "300 tickets were reported closed in the last 7 days"


def test_what_it_would_have_answered_in_the_shadow_of_another_counts(home: Path, store: Store) -> None:
    close_tickets(store, 0, 80, version="0")
    with store.begin() as connection:
        said = {"tier": {"value": "L2", "probability": 0.9, "action": "auto", "reason": "confident"}}
        ids = [one.prediction.prediction_id for one in closed_tickets(connection) if one.prediction]
        add_shadows(connection, [Shadow(prediction_id, "1", NOW, said) for prediction_id in ids])
    found = checks(store, home)
    assert found["precision of tier"].found == "1.000 of 80 confident answers, 0.90 promised"
    assert "80 tickets that this version scored were closed" in found["closed tickets"].found
    assert "80 of them in the shadow of another" in found["closed tickets"].found


def test_a_signature_ends(home: Path, store: Store) -> None:
    make_ready(store)
    later = checks(store, home, now=NOW + timedelta(days=SIGNED_DAYS))
    assert {name for name in SIGNED if later[name].holds} == set()
    assert "signed by Ann" in later["alerts"].found
    assert "ended" in later["alerts"].found


def test_an_admin_key_without_an_end_is_not_scoped(home: Path, store: Store) -> None:
    make_ready(store)
    with store.begin() as connection:
        create_key(connection, "admin", now=NOW)
    check = checks(store, home)["keys"]
    assert (check.holds, check.found) == (False, "1 keys of scope score, 1 of scope admin without an end")


def triage(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_command_fails_until_all_holds(home: Path, store: Store) -> None:
    done = triage("ready", "--last", "100")
    assert done.exit_code == 1
    assert "NO   rollback: never tried" in done.stdout
    assert "triage ready --confirm alerts --by NAME" in done.stdout
    make_ready(store)
    done = triage("ready", "--last", "100", "--json")
    assert (done.exit_code, json.loads(done.stdout)["ready"]) == (0, True)


def test_all_that_is_on_the_list_can_be_signed() -> None:
    assert tuple(Signed) == SIGNED


def test_signing_needs_a_name(home: Path) -> None:
    assert triage("ready", "--confirm", "alerts").exit_code == 2
    signed = json.loads(triage("ready", "--confirm", "alerts", "--by", "Bea", "--json").stdout)
    (alerts,) = [check for check in signed["checks"] if check["name"] == "alerts"]
    assert alerts["holds"] is True
    assert "signed by Bea" in alerts["found"]
