"""Mining leaves behind what recognises the tickets of automations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pandas as pd

from triage_ml.answer import Recogniser, latest_recogniser
from triage_ml.patterns import masked_texts
from triage_ml.settings import Settings
from triage_ml.store import PatternDecision, Store, add_decision, facts_between, open_store
from triage_training.mine import mine

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


def automate(settings: Settings, pattern: str) -> None:
    with opened(settings) as store, store.begin() as connection:
        assert add_decision(connection, PatternDecision(pattern, 1, "automated", datetime.now(UTC), "ana", {}))


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
    assert mine(alone, settings)
    assert latest_recogniser(settings.paths.bundles) == before
