"""One person stays one person, and nobody can tell who."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.tickets.requesters import hash_requesters, requester_hasher


def test_the_same_person_gets_the_same_id_in_this_home_only(tmp_path: Path) -> None:
    here, again, elsewhere = (requester_hasher(tmp_path / name) for name in ("a", "a", "b"))
    assert re.fullmatch("p-[0-9a-f]{16}", here("Jo Doe"))
    assert here("Jo Doe") == again("jo doe") != elsewhere("Jo Doe")
    assert here("Jo Doe") != here("Jim Doe")


def test_what_is_hashed_stays(tmp_path: Path) -> None:
    hashed = requester_hasher(tmp_path)
    assert hashed(hashed("Jo Doe")) == hashed("Jo Doe")


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    requester_hasher(tmp_path)("Jo Doe")
    assert [path.name for path in tmp_path.iterdir()] == ["requester.key"]
    assert stat.S_IMODE((tmp_path / "requester.key").stat().st_mode) == 0o600


def test_no_key_without_a_requester(tmp_path: Path) -> None:
    hash_requesters(pd.Series([None], dtype="str"), requester_hasher(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_damaged_key(tmp_path: Path) -> None:
    path = tmp_path / "requester.key"
    path.write_text("no key")
    message = f"{path}: expected a key of hexadecimal digits.\nRestore it, or delete it for new ids."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        requester_hasher(tmp_path)("Jo Doe")
