"""What came back as a labelled set: who looked, what it weighs, which label stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.evaluate import AUDITS_TO_MEASURE, stands_for
from triage_ml.store import Outcome, Prediction, Source, Store, add_outcome, add_predictions, new_id, open_store
from triage_training.outcomes_job import export_outcomes

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def scored(
    store: Store,
    ticket_id: str,
    action: str = "auto",
    title: str | None = "Locked out",
    reason: str = "confident",
    audit_share: float | None = None,
) -> None:
    answer = {
        "decision": {"action": action, "reason": reason, "audit_share": audit_share},
        "targets": {"tier": {"value": "L1"}, "category": {"value": "Access"}},
    }
    ticket = {"ticket_id": ticket_id, "title": title, "opened_at": "2026-11-20T08:00:00Z"}
    row = Prediction(new_id(NOW), ticket_id, NOW, "1", "d", action, reason, ticket, answer)
    with store.begin() as connection:
        add_predictions(connection, [row])


def closed(store: Store, ticket_id: str, source: Source, **labels: str) -> None:
    at = NOW + timedelta(hours=1)
    with store.begin() as connection:
        add_outcome(connection, Outcome(new_id(at), ticket_id, labels, source, at, resolved_at=at))


def test_a_correction_weighs_most_and_its_label_stands(store: Store) -> None:
    scored(store, "A")
    closed(store, "A", "person_corrected", tier="L2", category="Access")
    (row,) = export_outcomes(store).tickets.to_dict("records")
    assert (row["tier"], row["predicted_tier"], row["label_source"], row["label_weight"]) == (
        "L2",
        "L1",
        "corrected",
        3.0,
    )
    assert (row["title"], row["opened_at"]) == ("Locked out", pd.Timestamp("2026-11-20T08:00:00Z"))


def test_a_target_that_a_confirmation_does_not_name_was_as_predicted(store: Store) -> None:
    scored(store, "A")
    closed(store, "A", "person_confirmed", tier="L1")
    assert export_outcomes(store).tickets["category"].tolist() == ["Access"]


def test_a_target_that_a_correction_does_not_name_is_not_known(store: Store) -> None:
    scored(store, "A")
    closed(store, "A", "person_corrected", tier="L2")
    tickets = export_outcomes(store).tickets
    assert "category" not in tickets or tickets["category"].isna().all()


def test_of_untouched_auto_tickets_a_share_votes_and_always_the_same(store: Store) -> None:
    for number in range(200):
        scored(store, f"A{number}")
        closed(store, f"A{number}", "closed_untouched", tier="L1")
    first, again = (export_outcomes(store, untouched=0.25).tickets for _ in range(2))
    assert first.equals(again)
    assert first["label_source"].eq("auto_untouched").all()
    assert 0.15 < (first["label_weight"] > 0).mean() < 0.35
    assert first["label_stands_for"].isin([0.0, 4.0]).all()
    assert not (export_outcomes(store, untouched=0.0).tickets["label_weight"] > 0).any()


def test_what_was_only_suggested_weighs_half(store: Store) -> None:
    scored(store, "A", action="suggest")
    closed(store, "A", "closed_untouched", tier="L1")
    assert export_outcomes(store).tickets[["label_source", "label_weight"]].to_numpy().tolist() == [
        ["suggested_untouched", 0.5]
    ]


def test_an_untouched_ticket_whose_prediction_was_forgotten_is_nobodys_confirmation(store: Store) -> None:
    """The store forgets predictions by age; what nobody looked at does not become a label of a person by that."""
    for number in range(200):
        closed(store, f"A{number}", "closed_untouched", tier="L1")
    export = pd.DataFrame({"ticket_id": [f"A{number}" for number in range(200)], "title": "Locked out"})
    done = export_outcomes(store, tickets=export)
    assert done.sources == {"auto_untouched": 200}
    assert 0.15 < (done.tickets["label_weight"] > 0).mean() < 0.35


def test_automation_does_not_teach_its_own_tier(store: Store) -> None:
    scored(store, "A")
    scored(store, "B")
    closed(store, "A", "automation", tier="L0")
    closed(store, "B", "automation", tier="L2")
    tiers = export_outcomes(store).tickets.set_index("ticket_id")["tier"]
    assert pd.isna(tiers["A"])
    assert tiers["B"] == "L2"


def test_text_can_come_from_an_export(store: Store) -> None:
    scored(store, "A", title=None)
    scored(store, "B", title=None)
    closed(store, "A", "person_confirmed", tier="L1")
    closed(store, "B", "person_confirmed", tier="L1")
    with pytest.raises(
        InputError, match=r"None of 2 outcomes has text.*\nName an export to take it from: --tickets FILE"
    ):
        export_outcomes(store)
    export = pd.DataFrame({"ticket_id": ["A"], "title": ["Printer jammed"], "description": [""]})
    done = export_outcomes(store, tickets=export)
    assert done.tickets["title"].tolist() == ["Printer jammed"]
    assert done.without_text == 1


def test_an_empty_store_says_where_outcomes_come_from(store: Store) -> None:
    with pytest.raises(InputError, match=r"No outcome has come back yet\.\nOutcomes are reported to POST /v1/outcomes"):
        export_outcomes(store)


def desk_with_audits(store: Store, picked: int) -> pd.DataFrame:
    """A share of 0.1 is picked; of those, one in five was wrong. Of the other `auto` tickets people found one error."""
    for number in range(picked):
        scored(store, f"P{number}", "suggest", reason="picked_for_audit", audit_share=0.1)
        wrong = number % 5 == 0
        closed(store, f"P{number}", "person_corrected" if wrong else "person_confirmed", tier="L2" if wrong else "L1")
    for number in range(40):
        scored(store, f"A{number}", audit_share=0.1)
        closed(store, f"A{number}", "closed_untouched")
    scored(store, "E", audit_share=0.1)
    closed(store, "E", "person_corrected", tier="L2")
    scored(store, "S", "suggest", reason="below_threshold")
    closed(store, "S", "person_confirmed")
    return export_outcomes(store).tickets.set_index("ticket_id")


def test_a_ticket_says_with_which_share_it_was_up_for_an_audit(store: Store) -> None:
    tickets = desk_with_audits(store, picked=1)
    assert tickets.loc[["P0", "A0", "E"], "label_audit_share"].tolist() == [0.1] * 3
    assert pd.isna(tickets.loc["S", "label_audit_share"])


def test_enough_audits_stand_for_all_that_was_auto(store: Store) -> None:
    tickets = desk_with_audits(store, picked=AUDITS_TO_MEASURE)
    stands = pd.Series(stands_for(tickets), tickets.index)
    assert set(stands[tickets.index.str.startswith("P")]) == {10.0}
    assert set(stands[tickets.index.str.startswith("A")]) == {0.0}
    assert stands[["E", "S"]].tolist() == [0.0, 1.0]
    assert tickets.loc[["P0", "P1", "E", "S"], "label_source"].tolist() == [
        *("audit_corrected", "audit_confirmed", "corrected", "confirmed")
    ]
    assert tickets.loc[["P0", "P1", "E", "S"], "label_weight"].tolist() == [3.0, 1.0, 3.0, 1.0]


def test_a_few_audits_stand_for_themselves(store: Store) -> None:
    tickets = desk_with_audits(store, picked=AUDITS_TO_MEASURE - 1)
    stands = pd.Series(stands_for(tickets), tickets.index)
    assert set(stands[tickets.index.str.startswith("P")]) == {1.0}
    assert set(stands[tickets.index.str.startswith("A")]) == {0.0, 4.0}
    assert stands["E"] == 1.0


def test_a_picked_ticket_that_closed_without_a_word_was_seen_by_somebody(store: Store) -> None:
    scored(store, "A", "suggest", reason="picked_for_audit", audit_share=0.1)
    closed(store, "A", "closed_untouched")
    (row,) = export_outcomes(store).tickets.to_dict("records")
    assert (row["label_source"], row["label_weight"], row["tier"]) == ("audit_untouched", 0.5, "L1")
