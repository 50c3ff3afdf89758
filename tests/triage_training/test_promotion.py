"""The succession of champions: one at a time, recorded, repaired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_registry import FakeRegistry

from triage_ml.errors import NoModelError, RegistryError
from triage_ml.store import Promotion, Store, open_store
from triage_training import promotion
from triage_training.promotion import Champions, OvertakenError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@pytest.fixture
def mlflow() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def told() -> list[str]:
    """What a person was told."""
    return []


@pytest.fixture
def champions(mlflow: FakeRegistry, store: Store, told: list[str], monkeypatch: pytest.MonkeyPatch) -> Champions:
    monkeypatch.setattr(promotion, "_PATIENCE_SECONDS", 0.0)
    return Champions(mlflow, store, tell=told.append)  # type: ignore[arg-type]


def promote(champions: Champions, mlflow: FakeRegistry, number: int) -> None:
    reign = champions.current()
    kind = "promoted" if reign.champion else "first"
    champions.replace(reign, mlflow.find(str(number)), kind, who="ada", reason="better")


def test_the_alias_follows_the_row(champions: Champions, mlflow: FakeRegistry) -> None:
    mlflow.aliases["challenger"] = 2
    promote(champions, mlflow, 1)
    promote(champions, mlflow, 2)
    assert mlflow.aliases == {"champion": 2}
    rows = [(row.version, row.replaces, row.kind, row.who) for row in champions.history()]
    assert rows == [("1", None, "first", "ada"), ("2", "1", "promoted", "ada")]
    assert all(row.done_at for row in champions.history())


def test_of_two_promotions_at_once_the_second_is_told(champions: Champions, mlflow: FakeRegistry) -> None:
    promote(champions, mlflow, 1)
    seen_by_both = champions.current()
    champions.replace(seen_by_both, mlflow.find("2"), "promoted", who="ada", reason="")
    with pytest.raises(RegistryError, match=r"Another promotion was faster: version 1 is no longer"):
        champions.replace(seen_by_both, mlflow.find("3"), "promoted", who="eve", reason="")
    assert mlflow.aliases["champion"] == 2


def test_a_promotion_that_died_before_the_alias_moved_is_finished_by_the_next(
    champions: Champions, mlflow: FakeRegistry
) -> None:
    promote(champions, mlflow, 1)

    def die(_: str) -> None:
        raise KeyboardInterrupt("killed here")

    mlflow.before_point = die
    with pytest.raises(KeyboardInterrupt, match="killed here"):
        promote(champions, mlflow, 2)
    assert [row.done_at is None for row in champions.history()] == [False, True]
    assert mlflow.aliases["champion"] == 1
    mlflow.before_point = lambda _: None
    reign = champions.current()
    assert (reign.number, reign.champion and reign.champion.number) == (2, 2)
    assert mlflow.aliases["champion"] == 2


def test_one_that_moves_the_alias_late_puts_it_where_the_newest_row_wants_it(
    champions: Champions, mlflow: FakeRegistry
) -> None:
    """The slow process claimed version 2 and sleeps; another finishes that, promotes 3; then the slow one wakes."""
    promote(champions, mlflow, 1)

    def someone_faster(_: str) -> None:
        mlflow.before_point = lambda _: None
        promote(champions, mlflow, 3)

    mlflow.before_point = someone_faster
    promote(champions, mlflow, 2)
    assert [row.version for row in champions.history()] == ["1", "2", "3"]
    assert mlflow.aliases["champion"] == 3


def test_an_alias_moved_by_hand_is_recorded_and_told(
    champions: Champions, mlflow: FakeRegistry, told: list[str]
) -> None:
    promote(champions, mlflow, 1)
    mlflow.aliases["champion"] = 3
    reign = champions.current()
    assert reign.champion is not None
    assert reign.champion.number == 3
    assert (champions.history()[-1].kind, champions.history()[-1].replaces) == ("found", "1")
    assert told == [
        "The alias champion was moved to version 3 in MLflow, it was 1: recorded, and version 3 is champion."
    ]


def test_an_alias_removed_by_hand_comes_back_and_is_told(
    champions: Champions, mlflow: FakeRegistry, told: list[str]
) -> None:
    promote(champions, mlflow, 2)
    del mlflow.aliases["champion"]
    assert champions.current().number == 1
    assert mlflow.aliases["champion"] == 2
    assert told == ["The alias champion was gone in MLflow: version 2 has it again."]


def test_an_alias_moved_by_hand_while_a_model_is_judged_stops_its_promotion(
    champions: Champions, mlflow: FakeRegistry
) -> None:
    promote(champions, mlflow, 1)
    judged_against = champions.current()
    mlflow.aliases["champion"] = 3
    with pytest.raises(OvertakenError, match="version 1 is no longer what would be replaced"):
        champions.replace(judged_against, mlflow.find("2"), "promoted", who="ada", reason="better than 1")
    assert [(row.version, row.kind) for row in champions.history()] == [("1", "first"), ("3", "found")]
    assert mlflow.aliases["champion"] == 3


def test_an_alias_moved_by_hand_in_the_last_moment_yields_to_the_promotion_and_is_told(
    champions: Champions, mlflow: FakeRegistry, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the row was claimed, before the alias follows."""
    promote(champions, mlflow, 1)
    reign, claim = champions.current(), champions._claim

    def claim_and_then(row: Promotion) -> bool:
        won = claim(row)
        mlflow.aliases["champion"] = 3
        return won

    monkeypatch.setattr(champions, "_claim", claim_and_then)
    champions.replace(reign, mlflow.find("2"), "promoted", who="ada", reason="better")
    monkeypatch.undo()
    assert told == ["The alias champion was moved to version 3 in MLflow meanwhile: 2 has it now."]
    assert (mlflow.aliases["champion"], champions.current().number) == (2, 2)


def test_a_process_that_is_late_and_puts_it_right_is_no_hand_in_mlflow(
    champions: Champions, mlflow: FakeRegistry, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(champions, mlflow, 1)
    promote(champions, mlflow, 2)
    mlflow.aliases["champion"] = 1  # the late one's move, which it takes back while we are patient
    monkeypatch.setattr(promotion.time, "sleep", lambda _: mlflow.aliases.update(champion=2))
    assert champions.current().number == 2
    assert [row.kind for row in champions.history()] == ["first", "promoted"]
    assert told == []


def test_a_version_that_is_deleted_while_it_is_promoted_leaves_the_champion_before(
    champions: Champions, mlflow: FakeRegistry, told: list[str]
) -> None:
    promote(champions, mlflow, 1)

    def delete_it(_: str) -> None:
        mlflow.before_point = lambda _: None
        mlflow.delete(2)

    mlflow.before_point = delete_it
    with pytest.raises(RegistryError, match="Version 2 was deleted in MLflow while it was promoted"):
        promote(champions, mlflow, 2)
    assert mlflow.aliases == {"champion": 1}
    assert [(row.version, row.kind) for row in champions.history()] == [
        ("1", "first"),
        ("2", "promoted"),
        ("1", "rolled_back"),
    ]
    assert told == ["Version 2 is no longer in MLflow: version 1 is champion again."]


def test_rollback_goes_one_further_each_time(champions: Champions, mlflow: FakeRegistry) -> None:
    for number in (1, 2, 3):
        promote(champions, mlflow, number)
    for expected in (2, 1):
        champions.roll_back(who="ada", reason="worse on Mondays")
        assert mlflow.aliases["champion"] == expected
    with pytest.raises(NoModelError, match="There is no earlier champion to roll back to"):
        champions.roll_back(who="ada", reason="")


def test_without_any_champion_there_is_nothing_to_roll_back(champions: Champions) -> None:
    assert champions.current().champion is None
    with pytest.raises(NoModelError, match="There is no earlier champion"):
        champions.roll_back(who="ada", reason="")


def refuse(_: str) -> None:
    raise RegistryError("MLflow did not move the alias: no route to host", hint="Nothing was registered.")


def test_a_rollback_that_failed_half_way_is_finished_when_it_is_tried_again_and_goes_back_once(
    champions: Champions, mlflow: FakeRegistry
) -> None:
    for number in (1, 2, 3):
        promote(champions, mlflow, number)
    mlflow.before_point = refuse
    with pytest.raises(RegistryError, match=r"Version 2 is recorded as champion, but .*no route to host") as said:
        champions.roll_back(who="ada", reason="worse")
    assert "Nothing was registered" not in str(said.value)
    assert "`triage models` is enough" in str(said.value)
    mlflow.before_point = lambda _: None
    done = champions.roll_back(who="ada", reason="worse")
    assert (done.version, done.replaces, mlflow.aliases["champion"]) == ("2", "3", 2)
    assert champions.roll_back(who="ada", reason="still worse").version == "1"


def test_rollbacks_go_down_the_succession_and_never_up_and_down(champions: Champions, mlflow: FakeRegistry) -> None:
    for number in (1, 2, 1):
        promote(champions, mlflow, number)
    assert [champions.roll_back(who="ada", reason="").version for _ in range(2)] == ["2", "1"]
    with pytest.raises(NoModelError, match="There is no earlier champion"):
        champions.roll_back(who="ada", reason="")


def test_a_half_done_promotion_of_a_version_that_was_deleted_leaves_the_champion_before(
    champions: Champions, mlflow: FakeRegistry
) -> None:
    promote(champions, mlflow, 1)
    mlflow.before_point = refuse
    with pytest.raises(RegistryError, match="Version 2 is recorded as champion, but its alias was not moved yet"):
        promote(champions, mlflow, 2)
    mlflow.before_point = lambda _: None
    mlflow.delete(2)
    reign = champions.current()
    assert reign.champion is not None
    assert (reign.champion.number, mlflow.aliases) == (1, {"champion": 1})
    assert champions.history()[-1].reason == "version 2 is no longer in MLflow"
    promote(champions, mlflow, 3)
    assert mlflow.aliases["champion"] == 3


def test_a_champion_that_was_deleted_is_followed_by_the_newest_that_is_left(
    champions: Champions, mlflow: FakeRegistry
) -> None:
    for number in (1, 2, 3):
        promote(champions, mlflow, number)
    mlflow.delete(2)
    mlflow.delete(3)
    assert champions.roll_back(who="ada", reason="3 is gone").version == "1"
    assert mlflow.aliases == {"champion": 1}
    mlflow.delete(1)
    assert champions.current().champion is None
    mlflow.versions_there = 4
    promote(champions, mlflow, 4)
    assert (mlflow.aliases, champions.history()[-1].kind) == ({"champion": 4}, "first")


def test_a_promotion_that_died_before_the_challenger_was_cleared_is_cleared_by_the_next(
    champions: Champions, mlflow: FakeRegistry
) -> None:
    mlflow.aliases["challenger"] = 1

    def die(alias: str) -> None:
        if alias == "challenger":
            raise KeyboardInterrupt("killed here")

    mlflow.before_point = die
    with pytest.raises(KeyboardInterrupt, match="killed here"):
        promote(champions, mlflow, 1)
    assert mlflow.aliases == {"champion": 1, "challenger": 1}
    mlflow.before_point = lambda _: None
    champions.current()
    assert mlflow.aliases == {"champion": 1}
