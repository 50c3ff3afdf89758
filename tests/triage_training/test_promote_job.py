"""A real registry, a champion, and challengers that are better, worse, slow, or can't be judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from triage_ml.answer import write_model
from triage_ml.errors import InputError
from triage_ml.evaluate import template_fingerprints
from triage_ml.settings import Settings
from triage_ml.store import (
    Outcome,
    Prediction,
    Shadow,
    add_outcome,
    add_predictions,
    add_shadows,
    new_id,
    open_store,
)
from triage_ml.taxonomy import Taxonomy
from triage_training import gate_cost
from triage_training.gate_cost import measure_cost
from triage_training.gate_evidence import SEEN, Evidence, are_unseen, seen_table
from triage_training.promote_job import promote
from triage_training.promotion import open_champions
from triage_training.registry import Registry
from triage_training.train import Trained, train
from triage_training.train_job import register_model

NOW = datetime.now(UTC)

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture
def with_champion(trained: Trained, taxonomy: Taxonomy, settings: Settings, registry: Registry) -> Settings:
    """Version 1 is champion."""
    assert register_model(trained, taxonomy, settings, registry).version.role == "champion"
    return settings


def challenge(trained: Trained, taxonomy: Taxonomy, settings: Settings, change: Change) -> None:
    """Register a version 2 whose answers to the test tickets are changed."""
    register_model(
        dataclasses.replace(trained, answers=change(trained.answers)), taxonomy, settings, Registry(settings)
    )


def all_right(answers: pd.DataFrame) -> pd.DataFrame:
    better = answers.copy()
    for target in ("tier", "category"):
        better[target] = better[f"{target}_truth"]
        better[f"{target}_probability"] = np.float32(0.98)
    return better


def shuffled(answers: pd.DataFrame) -> pd.DataFrame:
    worse = answers.copy()
    worse["tier"] = worse["tier"].sample(frac=1, random_state=0).to_numpy()
    return worse


def champion_of(settings: Settings) -> int:
    found = Registry(settings).aliased("champion")
    assert found is not None
    return found.number


def test_a_better_challenger_is_promoted_and_a_rollback_brings_the_old_one_back(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings
) -> None:
    challenge(trained, taxonomy, with_champion, all_right)
    done = promote("challenger", with_champion, by="ada", reason="more right")
    assert (done.promoted, done.forced, done.replaced) == (True, False, "1")
    assert champion_of(with_champion) == 2
    with open_champions(with_champion, Registry(with_champion)) as champions:
        champions.roll_back(who="eve", reason="complaints")
        kinds = [(row.version, row.kind, row.who, row.reason) for row in champions.history()]
    assert champion_of(with_champion) == 1
    assert kinds[1:] == [("2", "promoted", "ada", "more right"), ("1", "rolled_back", "eve", "complaints")]


def test_a_worse_challenger_is_refused_and_can_be_forced(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings, tmp_path: Path
) -> None:
    challenge(trained, taxonomy, with_champion, shuffled)
    refused = promote("challenger", with_champion, by="ada")
    assert (refused.promoted, champion_of(with_champion)) == (False, 1)
    assert ("macro-F1", "tier") in {(c.name, c.target) for c in refused.judgement.checks if not c.passed}
    registry = Registry(with_champion)
    verdict = registry.file(registry.find("2"), "gate/verdict.json", tmp_path)
    assert verdict is not None
    assert '"passed": false' in verdict.read_text(encoding="utf-8")
    forced = promote("2", with_champion, by="ada", force=True, reason="the old one is gone")
    assert (forced.promoted, forced.forced, champion_of(with_champion)) == (True, True, 2)


def test_a_champion_that_changed_since_needs_tickets_and_those_trained_on_do_not_count(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings, desk_tickets: pd.DataFrame
) -> None:
    challenge(trained, taxonomy, with_champion, all_right)
    challenge(trained, taxonomy, with_champion, all_right)
    promote("2", with_champion, by="ada")
    with pytest.raises(InputError, match=r"Version 3 was trained before version 2 became champion.*\nName labelled"):
        promote("3", with_champion, by="ada")
    judged = promote("3", with_champion, by="ada", tickets=desk_tickets).judgement
    assert judged.tickets == len(trained.split.test)
    seen = desk_tickets["ticket_id"].isin(trained.seen["ticket"])
    with pytest.raises(
        InputError, match="Only 0 tickets are left that neither model was trained on, nor on one written"
    ):
        promote("2", with_champion, by="ada", tickets=desk_tickets[seen])


def test_a_ticket_written_like_one_that_either_model_was_trained_on_does_not_count(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings, desk_tickets: pd.DataFrame
) -> None:
    """Under a new id, and with another number in it, it is still known by heart."""
    challenge(trained, taxonomy, with_champion, all_right)
    seen = desk_tickets["ticket_id"].isin(trained.seen["ticket"])
    copies = desk_tickets[seen].assign(ticket_id=lambda rows: "copy-" + rows["ticket_id"])
    tickets = pd.concat([desk_tickets[~seen], copies], ignore_index=True)
    assert promote("2", with_champion, by="ada", tickets=tickets).judgement.tickets == len(trained.split.test)


def test_what_the_champion_knows_by_heart_is_not_among_what_the_training_logs(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings, tmp_path: Path
) -> None:
    registry = Registry(with_champion)
    prints = trained.split.fingerprints
    known = pd.DataFrame({"ticket": ["somebody else's"], "template": prints[trained.split.test[:1]]})
    known.to_parquet(tmp_path / "seen.parquet")
    registry.annotate(registry.find("1"), tags={}, files={SEEN: tmp_path / "seen.parquet"})
    challenge(trained, taxonomy, with_champion, all_right)
    theirs = registry.file(registry.find("2"), "gate/champion-1.parquet", tmp_path)
    assert theirs is not None
    hidden = int((prints[trained.split.test] == prints[trained.split.test[0]]).sum())
    assert len(pd.read_parquet(theirs)) == len(trained.split.test) - hidden


@pytest.mark.parametrize(
    ("text", "unseen"),
    [
        ("Reset password of user 4711 please", False),
        ("Reset password of user 9042 please", False),
        ("Printer 3 is on fire", True),
    ],
    ids=["word for word", "but for what varies", "another"],
)
def test_what_is_written_alike_was_seen(text: str, unseen: bool) -> None:
    seen = seen_table(["A"], template_fingerprints(["Reset password of user 4711 please"]))
    asked = seen_table(["B"], template_fingerprints([text]))
    assert are_unseen(asked, seen).tolist() == [unseen]
    assert are_unseen(asked, seen[["ticket"]]).tolist() == [True]  # a run of before fingerprints were logged
    assert are_unseen(seen_table(["A"], template_fingerprints([text])), seen).tolist() == [False]


@pytest.mark.parametrize("tickets", [False, True], ids=["logged by the training", "tickets that are named"])
def test_a_challenger_that_drops_a_target_is_refused(
    tickets: bool, trained: Trained, taxonomy: Taxonomy, with_champion: Settings, desk_tickets: pd.DataFrame
) -> None:
    narrow = train(desk_tickets, Settings(), targets=["tier"])
    register_model(narrow, taxonomy, with_champion, Registry(with_champion))
    done = promote("2", with_champion, by="ada", tickets=desk_tickets if tickets else None)
    lost = [(check.name, check.target) for check in done.judgement.checks if not check.passed]
    assert (done.promoted, ("targets", "category") in lost) == (False, True)


def test_answers_that_nobody_looked_at_judge_nobody(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings, desk_tickets: pd.DataFrame
) -> None:
    challenge(
        trained, taxonomy, with_champion, lambda answers: all_right(answers).assign(label_source="auto_untouched")
    )
    with pytest.raises(
        InputError, match=r"Only 0 tickets are left that have a label of their own.*\nName tickets that people"
    ):
        promote("2", with_champion, by="ada")
    later = desk_tickets.assign(label_source="confirmed", label_stands_for=0.0)
    later.loc[later.index[-400:], "label_stands_for"] = 1.0
    assert promote("2", with_champion, by="ada", tickets=later).judgement.tickets <= 400


def test_what_stands_for_no_ticket_judges_nobody_whatever_the_evidence(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings, desk_tickets: pd.DataFrame, tmp_path: Path
) -> None:
    """What was up for an audit and not picked, and then corrected, was seen only because it was wrong."""

    def half(tickets: pd.DataFrame) -> pd.DataFrame:
        return tickets.assign(label_source="corrected", label_stands_for=np.arange(len(tickets)) % 2.0)

    challenge(trained, taxonomy, with_champion, lambda answers: half(all_right(answers)))
    registry = Registry(with_champion)
    evidence = Evidence(registry, with_champion, tmp_path)
    challenger, champion = registry.find("2"), registry.find("1")
    logged, _, _ = evidence.from_training(challenger, champion)
    alone, _, _ = evidence.from_training(challenger, None)
    asked, _, _ = evidence.from_tickets(challenger, champion, half(desk_tickets))
    assert [len(logged), len(alone)] == [len(trained.answers) // 2] * 2
    assert all((table["label_stands_for"] == 1).all() for table in (logged, alone, asked))


def test_the_champion_cannot_be_promoted_again(with_champion: Settings) -> None:
    with pytest.raises(InputError, match="Version 1 is champion already"):
        promote("1", with_champion, by="ada")


def shadow_traffic(
    settings: Settings, *, tickets: int, challenger_right: float, looked_at: bool = True, action: str = "suggest"
) -> None:
    """The champion, version 1, answered live tickets, version 2 in its shadow, and outcomes came back."""
    store = open_store(settings.store_url)
    with store.begin() as connection:
        for number in range(tickets):
            truth, other = ("L1", "L3") if number % 2 else ("L3", "L1")
            at = NOW + timedelta(minutes=number)
            mine = {"tier": {"value": truth, "probability": 0.9, "action": "auto"}}
            theirs = truth if number < challenger_right * tickets else other
            made = Prediction(new_id(at), f"LIVE{number}", at, "1", "d", action, "because", {}, {"targets": mine})
            add_predictions(connection, [made])
            shadow = {"tier": {"value": theirs, "probability": 0.9, "action": "auto", "reason": "confident"}}
            add_shadows(connection, [Shadow(made.prediction_id, "2", at, shadow)])
            source = "person_confirmed" if looked_at else "closed_untouched"
            closed = at + timedelta(hours=1)
            add_outcome(connection, Outcome(new_id(closed), made.ticket_id, {"tier": truth}, source, closed))
    store.close()


def test_a_challenger_that_is_worse_on_live_tickets_is_refused_by_its_shadow(
    trained: Trained, taxonomy: Taxonomy, with_champion: Settings
) -> None:
    challenge(trained, taxonomy, with_champion, all_right)
    shadow_traffic(with_champion, tickets=240, challenger_right=0.5)
    done = promote("2", with_champion, by="ada")
    failed = {f"{check.name} {check.target}" for check in done.judgement.checks if not check.passed}
    assert (done.promoted, failed) == (False, {"shadow macro-F1 tier", "shadow recall tier"})


@pytest.mark.parametrize(
    ("tickets", "looked_at", "action"),
    [(40, True, "suggest"), (240, False, "suggest"), (240, True, "auto")],
    ids=["too few", "nobody looked", "decided by the champion itself"],
)
def test_shadow_traffic_that_says_little_does_not_count(
    tickets: int, looked_at: bool, action: str, trained: Trained, taxonomy: Taxonomy, with_champion: Settings
) -> None:
    challenge(trained, taxonomy, with_champion, all_right)
    shadow_traffic(with_champion, tickets=tickets, challenger_right=0.5, looked_at=looked_at, action=action)
    done = promote("2", with_champion, by="ada")
    assert done.promoted
    assert not any(check.name.startswith("shadow") for check in done.judgement.checks)


def test_a_busy_moment_does_not_cost_a_model_its_place_and_a_slow_one_is_found_out(
    trained: Trained, taxonomy: Taxonomy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "model", trained.classifier, taxonomy)
    rounds: list[float] = []
    monkeypatch.setattr(gate_cost, "_TIMED", 1)
    monkeypatch.setattr(gate_cost.time, "perf_counter", lambda: rounds.append(0.0) or busy[len(rounds) - 1])
    budget = Settings(gate={"milliseconds": 10})
    busy = [0.0, 0.030, 1.0, 1.030, 2.0, 2.030, 3.0, 3.004]  # three rounds of 30 ms, then one of 4
    assert measure_cost(tmp_path / "model", ["printer jammed again"], budget).milliseconds == pytest.approx(4)
    rounds.clear()
    busy = [number + late for number in range(12) for late in (0.0, 0.030)]
    assert measure_cost(tmp_path / "model", ["printer jammed again"], budget).milliseconds == pytest.approx(30)
    assert len(rounds) == 24
