from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from triage_ml.store import Store, end_session, forget_sessions, session_key, start_session

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_session_lasts_until_it_expires(store: Store) -> None:
    with store.begin() as connection:
        token = start_session(connection, "k1", now=NOW, expires_at=NOW + HOUR)
        assert session_key(connection, token, now=NOW) == "k1"
        assert session_key(connection, token, now=NOW + HOUR) is None
        assert session_key(connection, token + "x", now=NOW) is None


def test_a_session_that_was_ended_is_over_and_the_other_goes_on(store: Store) -> None:
    with store.begin() as connection:
        first, second = (start_session(connection, "k1", now=NOW, expires_at=NOW + HOUR) for _ in range(2))
        end_session(connection, first)
        assert [session_key(connection, token, now=NOW) for token in (first, second)] == [None, "k1"]


def test_only_expired_sessions_are_forgotten(store: Store) -> None:
    with store.begin() as connection:
        start_session(connection, "k1", now=NOW, expires_at=NOW)
        start_session(connection, "k1", now=NOW, expires_at=NOW + HOUR)
        assert forget_sessions(connection, now=NOW) == 1
        assert forget_sessions(connection, now=NOW) == 0


def test_the_store_does_not_hold_the_token(store: Store) -> None:
    with store.begin() as connection:
        token = start_session(connection, "k1", now=NOW, expires_at=NOW + HOUR)
        rows = connection.execute(sa.text("SELECT * FROM sessions")).all()
    assert token not in str(rows)
