"""The whole round: what came back joins the history, and a second run changes nothing."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from triage_ml.errors import InputError, StoreError
from triage_ml.evaluate import stands_for
from triage_ml.settings import Settings
from triage_ml.store import Outcome, Prediction, Store, add_outcome, add_predictions, new_id, open_store
from triage_ml.taxonomy import Taxonomy
from triage_training import retrain_job, train_job
from triage_training.outcomes_job import Exported
from triage_training.registry import Registry
from triage_training.retrain_job import input_fingerprint, join_history, retrain

NOW = datetime.now(UTC)


def corrections(settings: Settings, tickets: pd.DataFrame, at: datetime = NOW) -> None:
    """The service answered these tickets L1, and people put right what they really are."""
    store = open_store(settings.store_url)
    with store.begin() as connection:
        for row in tickets.to_dict("records"):
            ticket = {name: row[name] for name in ("ticket_id", "title", "description")}
            ticket["opened_at"] = row["opened_at"].isoformat()
            answer = {"targets": {"tier": {"value": "L1"}, "category": {"value": row["category"]}}}
            stored = Prediction(
                new_id(at), row["ticket_id"], at, "1", "d", "suggest", "below_threshold", ticket, answer
            )
            add_predictions(connection, [stored])
            labels = {"tier": row["tier"], "category": row["category"]}
            add_outcome(connection, Outcome(new_id(at), row["ticket_id"], labels, "person_corrected", at))
    store.close()


def test_a_second_run_fits_and_registers_nothing(
    settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, later = desk_tickets.iloc[:2000], desk_tickets.iloc[2000:2300]
    corrections(settings, later)
    first = retrain(settings, taxonomy, history=history)
    assert first.is_new
    assert first.version.role == "champion"
    assert first.trained is not None
    assert first.trained.profile["tickets"] == 2300
    assert first.exported is not None
    assert first.exported.sources == {"corrected": 300}
    monkeypatch.setattr(retrain_job, "train", lambda *_, **__: pytest.fail("it was fitted again"))
    again = retrain(settings, taxonomy, history=history.sample(frac=1, random_state=0))
    assert not again.is_new
    assert again.version.number == first.version.number
    assert any("trained on the same tickets" in note for note in again.notes)
    assert len(Registry(settings).versions()) == 1


def test_a_retrain_that_died_before_the_alias_is_brought_to_its_end_by_the_next(
    settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt("killed here")

    history = desk_tickets.iloc[:1500]
    for role in ("champion", "challenger"):
        with monkeypatch.context() as killed:
            killed.setattr(train_job, "_give_alias", die)
            with pytest.raises(KeyboardInterrupt, match="killed here"):
                retrain(settings, taxonomy, history=history)
        done = retrain(settings, taxonomy, history=history)
        assert (done.is_new, done.version.role) == (False, role)
        history = desk_tickets.iloc[:1600]
    assert [version.role for version in Registry(settings).versions()] == ["challenger", "champion"]


def test_a_retrain_that_lost_its_lock_registers_nothing(
    settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost() -> None:
        raise StoreError("the lock is gone")

    monkeypatch.setattr(Store, "only_one", lambda *_: nullcontext(lost))
    with pytest.raises(StoreError, match="the lock is gone"):
        retrain(settings, taxonomy, history=desk_tickets.iloc[:600])
    assert Registry(settings).versions() == []


def test_a_version_whose_run_was_deleted_does_not_stand_for_its_tickets(
    settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame
) -> None:
    from mlflow import MlflowClient

    history = desk_tickets.iloc[:1500]
    first = retrain(settings, taxonomy, history=history).version
    MlflowClient(settings.tracking_uri).delete_run(first.run_id)
    assert retrain(settings, taxonomy, history=history).is_new


def test_without_anything_that_came_back_history_alone_is_trained_on(
    settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame
) -> None:
    done = retrain(settings, taxonomy, history=desk_tickets.iloc[:1500])
    assert done.exported is None
    assert any("No outcome has come back since" in note for note in done.notes)


def test_what_came_back_long_ago_is_not_learnt_from(
    settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame
) -> None:
    corrections(settings, desk_tickets.iloc[:5], at=NOW - timedelta(days=366))
    with pytest.raises(InputError, match=r"No outcome has come back since \d{4}-\d\d-\d\d\."):
        retrain(settings, taxonomy)


def test_with_neither_it_says_where_outcomes_come_from(settings: Settings, taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError, match=r"No outcome has come back since .*\.\nOutcomes are reported"):
        retrain(settings, taxonomy)


@pytest.mark.parametrize("changed", ["a label", "a text", "a setting", "a weight", "the taxonomy"])
def test_whatever_would_be_learnt_changes_the_fingerprint(
    changed: str, desk_tickets: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    tickets, settings = desk_tickets.iloc[:50].copy(), Settings()
    before = input_fingerprint(tickets, settings, taxonomy)
    if changed == "a label":
        tickets.loc[3, "tier"] = "L3" if tickets.loc[3, "tier"] != "L3" else "L1"
    elif changed == "a text":
        tickets.loc[3, "description"] = "something else"
    elif changed == "a weight":
        tickets["label_weight"] = 1.0
    elif changed == "the taxonomy":
        taxonomy = Taxonomy()
    else:
        settings = Settings(train={"test_share": 0.1})
    assert input_fingerprint(tickets, settings, taxonomy) != before


def exported(**columns: list[object]) -> Exported:
    return Exported(pd.DataFrame(columns), {}, 0)


def test_a_history_keeps_its_weights() -> None:
    history = pd.DataFrame({"ticket_id": ["A", "B"], "label_weight": [0.0, None], "tier": ["L1", "L2"]})
    came = exported(ticket_id=["C"], tier=["L3"], label_source=["corrected"], label_weight=[3.0])
    assert join_history(came, history).set_index("ticket_id")["label_weight"].to_dict() == {
        "A": 0.0,
        "B": 1.0,
        "C": 3.0,
    }


def test_an_outcome_adds_to_what_the_history_knows_of_its_ticket() -> None:
    history = pd.DataFrame({"ticket_id": ["A", "B"], "tier": ["L1", "L2"], "category": ["Access", "Email"]})
    came = exported(
        ticket_id=["A", "C"],
        tier=["L3", "L1"],
        category=[None, None],
        label_source=["corrected", "confirmed"],
        label_weight=[3.0, 1.0],
    )
    joined = join_history(came, history).set_index("ticket_id")
    assert joined.loc[["A", "B"], ["tier", "category", "label_weight"]].to_numpy().tolist() == [
        ["L3", "Access", 3.0],
        ["L2", "Email", 1.0],
    ]
    assert len(joined) == 3
    assert pd.isna(joined.loc["C", "category"])


def test_a_history_that_gives_only_the_text_leaves_the_label_to_the_outcome() -> None:
    history = pd.DataFrame({"ticket_id": ["A"], "title": ["Locked out"]})
    came = exported(ticket_id=["A"], tier=["L1"], label_source=["auto_untouched"], label_weight=[0.0])
    (row,) = join_history(came, history).to_dict("records")
    assert (row["title"], row["tier"], row["label_weight"]) == ("Locked out", "L1", 0.0)


@pytest.mark.parametrize("source", ["auto_untouched", "suggested_untouched"])
def test_what_a_person_wrote_wins_over_an_answer_that_nobody_looked_at(source: str) -> None:
    history = pd.DataFrame({"ticket_id": ["A"], "tier": ["L2"], "category": ["Access"]})
    came = exported(ticket_id=["A", "B"], tier=["L1", "L1"], label_source=[source] * 2, label_weight=[0.0, 1.0])
    joined = join_history(came, history).set_index("ticket_id")
    assert joined["tier"].to_dict() == {"A": "L2", "B": "L1"}
    assert joined["label_weight"].to_dict() == {"A": 0.0, "B": 1.0}


def test_a_history_that_covers_live_weeks_does_not_undo_who_looked() -> None:
    """The ticket system's export names the group that closed the ticket: of an untouched one it is the model's own answer."""
    history = pd.DataFrame({"ticket_id": ["P", "A", "OLD"], "tier": ["L1", "L1", "L2"]})
    came = exported(
        ticket_id=["P", "A"],
        tier=["L1", "L1"],
        label_source=["audit_untouched", "auto_untouched"],
        label_weight=[0.5, 1.0],
        label_stands_for=[1.0, 4.0],
        label_audit_share=[0.1, 0.1],
    )
    joined = join_history(came, history).set_index("ticket_id").loc[["P", "A", "OLD"]]
    assert joined["label_source"].fillna("none").tolist() == ["audit_untouched", "auto_untouched", "none"]
    assert joined["label_weight"].tolist() == [0.5, 1.0, 1.0]
    assert stands_for(joined, enough=2).tolist() == [1.0, 4.0, 1.0]
    assert stands_for(joined, enough=1).tolist() == [10.0, 0.0, 1.0]
