from __future__ import annotations

from datetime import UTC, datetime

from triage_ml.store import Confirmation, Shadow, Store, add_confirmation, add_shadows, latest_confirmations, shadows_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def shadow(number: int, version: str = "8") -> Shadow:
    return Shadow(f"p{number}", version, NOW, {"tier": {"value": "L1", "probability": 0.9, "action": "auto"}})


def test_shadows_are_found_by_the_predictions_that_they_stand_beside(store: Store) -> None:
    rows = [shadow(number) for number in range(1200)]
    with store.begin() as connection:
        add_shadows(connection, rows)
        add_shadows(connection, [shadow(3, "9")])
        add_shadows(connection, [])
    with store.read() as connection:
        assert shadows_of(connection, ["p3", "unknown"]) == [shadow(3), shadow(3, "9")]
        assert len(shadows_of(connection, [f"p{number}" for number in range(1200)])) == 1201


def test_the_last_signature_of_a_thing_holds(store: Store) -> None:
    first = Confirmation("alerts", "Ann", NOW)
    last = Confirmation("alerts", "Bea", NOW.replace(hour=5))
    other = Confirmation("responsible", "Cem", NOW)
    with store.begin() as connection:
        for one in (first, other, last):
            add_confirmation(connection, one)
    with store.read() as connection:
        assert latest_confirmations(connection) == {"alerts": last, "responsible": other}
