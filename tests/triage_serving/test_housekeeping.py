"""Nothing grows for ever: bundles, drafts, requests and, where it is set, tickets."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes import FakeLoader, FakeRegistry

from triage_ml.errors import StoreError
from triage_ml.settings import Settings
from triage_ml.store import Once, Prediction, Store, add_predictions, claim, new_id, predictions_of_ticket
from triage_serving.bundles import BundleFolder, Kept
from triage_serving.champion import Champion
from triage_serving.housekeeping import Housekeeping

HOUR = 3600


@pytest.fixture
def champion(registry: FakeRegistry, loader: FakeLoader, settings: Settings) -> Champion:
    bundles = BundleFolder(settings.paths.bundles)
    return Champion(registry, bundles, lambda folder: loader(folder, settings), report=lambda *_: None)


def keep_house(settings: Settings, store: Store, champion: Champion) -> None:
    Housekeeping(settings, store, BundleFolder(settings.paths.bundles), (champion,))()


def put(bundles: Path, name: str, hours: float) -> Path:
    """A folder that was last used so many hours ago."""
    folder = bundles / name
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    moment = time.time() - hours * HOUR
    os.utime(folder, (moment, moment))
    return folder


def test_old_model_bundles_go_and_what_is_in_use_stays(settings: Settings, store: Store, champion: Champion) -> None:
    champion.poll()
    assert champion.current is not None
    bundles = settings.paths.bundles
    current = BundleFolder(bundles).path(champion.current.digest)
    os.utime(current, (0, 0))
    old = [put(bundles, f"{place:064x}", hours=10 + place) for place in range(8)]
    patterns = put(bundles, "patterns-" + "0" * 64, hours=9999)
    keep_house(settings, store, champion)
    assert [folder.exists() for folder in old] == [True] * 5 + [False] * 3
    assert current.exists()
    assert patterns.exists()
    assert champion.current.answerer.answer([{"ticket_id": "A", "title": "still answers"}])


def test_a_bundle_that_was_just_fetched_stays(settings: Settings, store: Store, champion: Champion) -> None:
    folders = [put(settings.paths.bundles, f"{place:064x}", hours=0.5) for place in range(9)]
    keep_house(settings, store, champion)
    assert all(folder.exists() for folder in folders)


def test_the_bundle_for_the_next_start_stays(settings: Settings, store: Store, champion: Champion) -> None:
    serving = settings.serving.model_copy(update={"keep_bundles": 1})
    kept, _newer = (put(settings.paths.bundles, f"{place:064x}", hours=90 - place) for place in range(2))
    BundleFolder(settings.paths.bundles).remember(Kept("1", f"sha256:{kept.name}"))
    keep_house(settings.model_copy(update={"serving": serving}), store, champion)
    assert kept.exists()


def test_using_a_bundle_makes_it_young_again(settings: Settings, store: Store, champion: Champion) -> None:
    folders = [put(settings.paths.bundles, f"{place:064x}", hours=10 + place) for place in range(8)]
    BundleFolder(settings.paths.bundles).use(f"sha256:{folders[-1].name}")
    keep_house(settings, store, champion)
    assert folders[-1].exists()
    assert [folder.exists() for folder in folders[:-1]] == [True] * 4 + [False] * 3


def test_what_a_killed_download_left_goes_after_a_day(settings: Settings, store: Store, champion: Champion) -> None:
    left, under_way = (put(settings.paths.bundles, name, hours) for name, hours in ((".fetch-a", 25), (".fetch-b", 1)))
    keep_house(settings, store, champion)
    assert (left.exists(), under_way.exists()) == (False, True)


def put_predictions(store: Store, days: int) -> None:
    moment = datetime.now(UTC) - timedelta(days=days)
    row = Prediction(new_id(moment), f"T{days}", moment, "1", "d", "auto", "confident", {}, {})
    with store.begin() as connection:
        add_predictions(connection, [row])
        claim(connection, Once("key", f"{days}", "f"), [], now=moment)


def is_there(store: Store, days: int) -> bool:
    with store.read() as connection:
        return bool(predictions_of_ticket(connection, f"T{days}"))


@pytest.mark.parametrize(("keep_days", "kept"), [(None, True), (30, False), (90, True)])
def test_tickets_are_forgotten_where_that_is_set(
    settings: Settings, store: Store, champion: Champion, keep_days: int | None, kept: bool
) -> None:
    put_predictions(store, 60)
    put_predictions(store, 1)
    section = settings.store.model_copy(update={"keep_days": keep_days})
    keep_house(settings.model_copy(update={"store": section}), store, champion)
    assert (is_there(store, 60), is_there(store, 1)) == (kept, True)


def test_a_database_that_is_away_keeps_no_bundle_from_going(
    settings: Settings, store: Store, champion: Champion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StoreError("the store can't be used")

    folders = [put(settings.paths.bundles, f"{place:064x}", hours=10 + place) for place in range(7)]
    monkeypatch.setattr(store, "begin", away)
    keep_house(settings, store, champion)
    assert [folder.exists() for folder in folders] == [True] * 5 + [False] * 2
