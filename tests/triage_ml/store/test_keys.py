from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from triage_ml.errors import InputError
from triage_ml.store import Store, create_key, list_keys, revoke_key, split_key, touch_keys

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def test_a_key_is_shown_once_and_only_its_hash_is_kept(store: Store) -> None:
    with store.begin() as connection:
        key, record = create_key(connection, "score", now=NOW, name="service desk")
    key_id, secret = split_key(key) or ("", "")
    assert key_id == record.key_id
    assert record.matches(secret)
    assert not record.matches(secret[:-1])
    with store.read() as connection:
        assert secret not in repr(list_keys(connection))


@pytest.mark.parametrize("text", ["", "triage", "triage_only", "other_id_secret", "triage_a_b_c", "triage_ä_b"])
def test_a_text_that_is_no_key(text: str) -> None:
    assert split_key(text) is None


def test_a_key_ends_by_expiry(store: Store) -> None:
    with store.begin() as connection:
        _, record = create_key(connection, "review", now=NOW, expires_at=NOW + timedelta(days=1))
    assert record.state(NOW) == "active"
    assert record.state(NOW + timedelta(days=1)) == "expired"


def test_a_revoked_key_stays_revoked_from_the_first_time(store: Store) -> None:
    with store.begin() as connection:
        _, record = create_key(connection, "admin", now=NOW)
        revoke_key(connection, record.key_id, now=NOW + timedelta(hours=1))
        revoke_key(connection, record.key_id, now=NOW + timedelta(hours=2))
        touch_keys(connection, {record.key_id: NOW})
        (kept,) = list_keys(connection)
    assert kept.revoked_at == NOW + timedelta(hours=1)
    assert kept.state(NOW) == "revoked"
    assert kept.last_used_at == NOW


def test_a_key_that_is_not_there_cannot_be_revoked(store: Store) -> None:
    with pytest.raises(InputError, match="There is no key with id 'nobody'"), store.begin() as connection:
        revoke_key(connection, "nobody", now=NOW)
