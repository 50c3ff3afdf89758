"""One promotion follows another, and only one can."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from triage_ml.store import Promotion, Store, claim_promotion, finish_promotion, list_promotions

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FIRST = Promotion(1, "1", None, "first", "ada", "the first version", NOW, ({"name": "calibration", "passed": True},))


def test_what_was_claimed_is_listed_as_it_was(store: Store) -> None:
    with store.begin() as connection:
        assert claim_promotion(connection, FIRST)
    with store.read() as connection:
        (row,) = list_promotions(connection)
    assert (row.version, row.kind, row.who, row.done_at) == ("1", "first", "ada", None)
    assert row.checks == [{"name": "calibration", "passed": True}]


def test_finishing_says_when(store: Store) -> None:
    with store.begin() as connection:
        claim_promotion(connection, FIRST)
        finish_promotion(connection, 1, now=NOW)
        assert list_promotions(connection)[0].done_at == NOW


def test_of_two_at_once_one_wins(store: Store) -> None:
    def claim(version: str) -> bool:
        with store.begin() as connection:
            return claim_promotion(connection, Promotion(1, version, None, "promoted", version, "", NOW))

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, [str(number) for number in range(8)]))
    assert sum(won) == 1
    with store.read() as connection:
        assert [row.version for row in list_promotions(connection)] == [str(won.index(True))]


def test_the_same_version_may_come_back(store: Store) -> None:
    rows = [
        FIRST,
        Promotion(2, "2", "1", "promoted", "ada", "", NOW),
        Promotion(3, "1", "2", "rolled_back", "eve", "", NOW),
    ]
    with store.begin() as connection:
        assert all(claim_promotion(connection, row) for row in rows)
        assert [row.version for row in list_promotions(connection)] == ["1", "2", "1"]
