"""Mining leaves behind what recognises the tickets of automations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from triage_ml.answer import Recogniser, latest_recogniser
from triage_ml.errors import BundleCorruptError
from triage_ml.patterns import masked_texts
from triage_ml.settings import Settings
from triage_ml.store import PatternDecision, Store, add_decision, facts_between, open_store
from triage_training import recognise_job
from triage_training.mine import mine
from triage_training.recognise_job import teaching
from triage_training.weeks import weeks_back

Week = Callable[..., pd.DataFrame]


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    store = open_store(settings.store_url)
    try:
        yield store
    finally:
        store.close()


def pattern_of(settings: Settings, ticket_id: str) -> str:
    with opened(settings) as store, store.read() as connection:
        return str(next(f["pattern_id"] for f in facts_between(connection, "0", "9") if f["ticket_id"] == ticket_id))


def automate(settings: Settings, pattern: str, **details: str) -> None:
    with opened(settings) as store, store.begin() as connection:
        assert add_decision(connection, PatternDecision(pattern, 1, "automated", datetime.now(UTC), "ana", details))


def learnt(settings: Settings) -> Recogniser:
    folder = latest_recogniser(settings.paths.bundles)
    assert folder is not None
    return Recogniser.read(folder)


def test_what_is_automated_is_learnt_from_the_tickets_that_people_closed(
    desk: pd.DataFrame, settings: Settings, week_of_tickets: Week
) -> None:
    mine(desk, settings)
    reset = pattern_of(settings, "Access-1-00")
    automate(settings, reset)
    mine(pd.concat([desk, week_of_tickets(5), week_of_tickets(6).head(1)]).drop_duplicates("ticket_id"), settings)

    found = learnt(settings)
    assert reset in found.patterns
    password, printer = found.recognise(masked_texts(["Password expired again", "Printer out of toner this morning"]))
    assert password[0] == reset
    assert printer[0] != reset


def test_without_close_notes_nothing_says_that_a_text_was_right(desk: pd.DataFrame, settings: Settings) -> None:
    mine(desk.drop(columns="resolution"), settings)
    assert latest_recogniser(settings.paths.bundles) is None


def test_what_an_automation_closed_is_no_evidence_for_itself(desk: pd.DataFrame, settings: Settings) -> None:
    is_access = desk["category"] == "Access"
    desk = desk.assign(tier=desk["tier"].where(~is_access, "L0"))
    mine(desk, settings)
    reset = pattern_of(settings, "Access-1-00")
    automate(settings, reset)
    mine(desk.assign(effort_minutes=21.0), settings)
    folder = latest_recogniser(settings.paths.bundles)
    assert folder is None or reset not in Recogniser.read(folder).patterns


def test_one_week_alone_does_not_replace_what_was_learnt_from_many(
    desk: pd.DataFrame, settings: Settings, week_of_tickets: Week
) -> None:
    mine(desk, settings)
    automate(settings, pattern_of(settings, "Access-1-00"))
    mine(desk.assign(effort_minutes=21.0), settings)
    before = latest_recogniser(settings.paths.bundles)
    assert before is not None
    alone = pd.concat([week_of_tickets(5), week_of_tickets(6).head(1)])
    told: list[str] = []
    assert mine(alone, settings, warn=told.append)
    assert latest_recogniser(settings.paths.bundles) == before
    (said,) = told
    assert said == (
        "What recognises the tickets of automations was not learnt anew: "
        "this table holds 60 of the 300 closed tickets that it is to be learnt from."
    )


def test_an_automation_decided_after_the_last_full_table_is_said_to_have_nothing_to_act_by(
    desk: pd.DataFrame, settings: Settings, week_of_tickets: Week
) -> None:
    mine(desk, settings)
    automate(settings, pattern_of(settings, "Access-1-00"))
    mine(desk.assign(effort_minutes=21.0), settings)
    storage = pattern_of(settings, "Storage-1-00")
    known = learnt(settings).patterns
    automate(settings, storage)
    told: list[str] = []
    mine(pd.concat([week_of_tickets(5), week_of_tickets(6).head(1)]), settings, warn=told.append)
    assert storage not in known
    assert told[1:] == [
        f"Automations that are only suggested, as too few closed tickets show what is theirs: {storage}."
    ]
    mine(pd.concat([desk, week_of_tickets(5)]).drop_duplicates("ticket_id"), settings)
    assert storage in learnt(settings).patterns


def test_an_automation_goes_on_though_people_close_hardly_any_of_its_tickets(
    desk: pd.DataFrame, settings: Settings, week_of_tickets: Week
) -> None:
    """Sixteen weeks, in the last twelve of which the automation closed what is clear."""
    mine(desk, settings)
    reset = pattern_of(settings, "Access-1-00")
    automate(settings, reset, since="2026-02-02")
    later = pd.concat([*(week_of_tickets(week) for week in range(5, 17)), week_of_tickets(17).head(1)])
    later.loc[later["category"] == "Access", "tier"] = "L0"
    whole = pd.concat([desk, later]).drop_duplicates("ticket_id", ignore_index=True)
    told: list[str] = []
    mine(whole, settings, warn=told.append)

    assert reset in learnt(settings).patterns
    assert told == []

    before = latest_recogniser(settings.paths.bundles)
    mine(later.assign(effort_minutes=21.0), settings, warn=told.append)
    assert told == [
        "What recognises the tickets of automations was not learnt anew: "
        f"this table holds too few tickets from before the automation of {reset}."
    ]
    assert latest_recogniser(settings.paths.bundles) == before


def test_over_thirty_weeks_an_automation_goes_on_and_keeps_its_promise() -> None:
    """A third of the tickets are resets, and one in ten says nothing. What the automation takes rightly is closed `L0`, what it
    takes wrongly comes back to people."""
    dice = np.random.default_rng(0)
    own_words = {
        "reset": ("password", "forgot", "expired"),
        None: ("printer", "paper", "screen", "mouse", "badge", "door"),
    }
    others = ("please", "help", "since", "today", "monday", "user", "again", "server", "asap", "thanks")
    texts: dict[str, str] = {}
    facts: list[dict[str, str | None]] = []
    found, acts_from, taken = None, 2.0, []
    for number, week in enumerate(weeks_back("2026-W42", 42)):
        patterns = ["reset", None, None] * 40
        new = [
            " ".join([*dice.choice(own_words[one], 3 * (dice.random() > 0.1)), *dice.choice(others, 4)])
            for one in patterns
        ]
        if number >= 12 and number % 6 == 0:
            taught = teaching(facts, week, {"reset": "2026-W12"})
            found = Recogniser.learn([texts[key] for key in taught], list(taught.values()))
            acts_from = 2.0 if found is None else found.thresholds(["reset"], 0.9).get("reset", 2.0)
        said = [] if found is None else found.recognise(new)
        takes = [one == "reset" and share >= acts_from for one, share in said] or [False] * len(new)
        for place, (text, pattern, is_taken) in enumerate(zip(new, patterns, takes, strict=True)):
            key, tier = f"{week}-{place}", "L0" if is_taken and pattern else "L1"
            texts[key] = text
            facts.append({"ticket_id": key, "week": week, "tier": tier, "pattern_id": pattern})
        taken.append((sum(takes), sum(one for one, pattern in zip(takes, patterns, strict=True) if pattern)))

    acted, right = np.array(taken[12:]).reshape(5, 6, 2).sum(axis=1).T
    assert right.sum() / acted.sum() >= 0.9
    assert (right / (6 * 40)).min() >= 0.7, "between one learning and the next"


def test_what_a_killed_run_did_not_learn_the_next_one_does_though_no_week_is_new(
    desk: pd.DataFrame, settings: Settings, week_of_tickets: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    told: list[str] = []
    mine(desk, settings)
    automate(settings, pattern_of(settings, "Access-1-00"))
    desk = desk.assign(effort_minutes=21.0)
    with monkeypatch.context() as broken:
        broken.setattr(recognise_job, "publish_recogniser", full)
        assert mine(desk, settings, warn=told.append)
    assert latest_recogniser(settings.paths.bundles) is None
    assert told == [
        "Nothing was learnt that recognises the tickets of automations; the next run tries again. No space left on device"
    ]

    assert mine(desk, settings) == []
    before = latest_recogniser(settings.paths.bundles)
    assert before is not None

    with monkeypatch.context() as watched:
        watched.setattr(recognise_job, "publish_recogniser", full)
        assert mine(desk, settings, warn=told.append) == [], "it is not learnt twice"
    assert len(told) == 1

    (before / "weights.npy").write_bytes(b"damaged")
    with pytest.raises(BundleCorruptError):
        Recogniser.read(before)
    mine(pd.concat([desk, week_of_tickets(5), week_of_tickets(6).head(1)]).drop_duplicates("ticket_id"), settings)
    assert learnt(settings).patterns
