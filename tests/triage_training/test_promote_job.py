"""A real registry, a champion, and challengers that are better, worse, slow, or can't be judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training.promote_job import promote
from triage_training.promotion import open_champions
from triage_training.registry import Registry
from triage_training.train import Trained
from triage_training.train_job import register_model

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
    assert judged.tickets == len(desk_tickets) - len(trained.seen)
    with pytest.raises(InputError, match="Only 0 tickets are left that neither model was trained on"):
        promote("2", with_champion, by="ada", tickets=desk_tickets[desk_tickets["ticket_id"].isin(trained.seen)])


def test_the_champion_cannot_be_promoted_again(with_champion: Settings) -> None:
    with pytest.raises(InputError, match="Version 1 is champion already"):
        promote("1", with_champion, by="ada")
