"""The case index: redacted, exact, replaced whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.cases import KIND, CaseIndex, build_cases, cases_folder, open_cases
from triage_ml.errors import BundleCorruptError, NotEnoughDataError
from triage_ml.features import LexicalFeatures

TICKETS = pd.DataFrame(
    [
        ("1", "VPN drops every hour", "since the update, call +49 30 901820", "Rolled the client back to 5.1"),
        ("2", "Cannot log in", "password expired", "Reset it, password: Sommer2026!x"),
        ("3", "Printer jams", "floor 3", None),
        ("4", "VPN drops on wifi", None, "Changed the MTU"),
        ("5", "Cannot log in", "password expired", "Unlocked the account"),
        ("6", "VPN drops on wifi", None, "Changed the MTU"),
    ],
    columns=["ticket_id", "title", "description", "resolution"],
).assign(resolved_at=pd.date_range("2026-01-01", periods=6, tz="UTC"))


@pytest.fixture
def index(tmp_path: Path) -> CaseIndex:
    build_cases(cases_folder(tmp_path), TICKETS)
    opened = open_cases(tmp_path)
    assert opened is not None
    return opened


def test_a_ticket_finds_what_resolved_one_like_it(index: CaseIndex) -> None:
    first, second = index.nearest(["the VPN drops, I am on wifi", "password expired, cannot log in"], k=2)
    assert [case.ticket_id for case in first] == ["6", "1"]
    assert first[0].title == "VPN drops on wifi"
    assert first[0].resolution == "Changed the MTU"
    assert 1 > first[0].similarity > first[1].similarity > 0
    assert [case.ticket_id for case in second] == ["5", "2"]  # as near as each other: the newest first


def test_only_resolved_tickets_are_cases_and_repeats_count_once(tmp_path: Path) -> None:
    built = build_cases(tmp_path / "cases", TICKETS)
    assert (built.cases, built.unresolved, built.repeats) == (4, 1, 1)


def test_no_secret_and_no_number_of_a_person_is_kept(tmp_path: Path, index: CaseIndex) -> None:
    kept = b"".join(file.read_bytes() for file in cases_folder(tmp_path).iterdir())
    assert b"Sommer2026" not in kept
    assert b"901820" not in kept
    assert index.nearest(["cannot log in"], k=2)[0][1].resolution == "Reset it, password: <secret>"


def test_a_ticket_is_not_its_own_answer(index: CaseIndex) -> None:
    (found,) = index.nearest(["Cannot log in\npassword expired"], k=1, but=["5"])
    assert [(case.ticket_id, case.similarity) for case in found] == [("2", 1.0)]


@pytest.mark.parametrize("text", ["", "zebra serengeti", "😀"])
def test_a_text_that_shares_no_word_finds_nothing(index: CaseIndex, text: str) -> None:
    assert index.nearest([text]) == [[]]


def test_there_may_be_fewer_cases_than_asked_for(index: CaseIndex) -> None:
    assert len(index.nearest(["vpn drops wifi password"], k=100)[0]) == len(index) == 4


def test_the_order_of_the_tickets_changes_nothing(tmp_path: Path) -> None:
    first = build_cases(tmp_path / "a", TICKETS)
    assert build_cases(tmp_path / "b", TICKETS.sample(frac=1, random_state=3)).digest == first.digest


def test_without_an_index_there_is_none(tmp_path: Path) -> None:
    assert open_cases(tmp_path) is None


def test_a_new_index_replaces_the_old_one_and_open_ones_answer_on(tmp_path: Path, index: CaseIndex) -> None:
    build_cases(cases_folder(tmp_path), TICKETS[TICKETS["ticket_id"] == "2"])
    renewed = open_cases(tmp_path)
    assert renewed is not None
    assert (len(renewed), len(index)) == (1, 4)
    assert renewed.digest != index.digest
    assert index.nearest(["vpn drops on wifi"], k=1)[0][0].ticket_id == "6"


def test_a_damaged_index_is_refused(tmp_path: Path, index: CaseIndex) -> None:
    victim = cases_folder(tmp_path) / "posting_weight.npy"
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleCorruptError, match=r"posting_weight\.npy: the checksum differs"):
        open_cases(tmp_path)


def test_tickets_without_resolutions_are_refused(tmp_path: Path) -> None:
    message = r"^None of 6 tickets says what resolved it: expected text in the column resolution\."
    with pytest.raises(NotEnoughDataError, match=message):
        build_cases(tmp_path / "cases", TICKETS.drop(columns="resolution"))
    assert not (tmp_path / "cases").exists()


@given(st.integers(0, 2**16))
def test_the_nearest_are_the_nearest_of_all(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    chance = np.random.default_rng(seed)
    words = [f"{first}{last}" for first in ("alpha", "bravo", "delta") for last in ("", "tor", "net", "ly")]
    texts = [" ".join(chance.choice(words, chance.integers(1, 8))) for _ in range(40)]
    tickets = pd.DataFrame({"ticket_id": [str(i) for i in range(40)], "title": texts, "resolution": texts})
    home = tmp_path_factory.mktemp("home")
    build_cases(cases_folder(home), tickets)
    index = open_cases(home)
    assert index is not None
    cases = index.nearest([texts[0]], k=len(index))[0]
    distinct = tickets.drop_duplicates("title").sort_values("ticket_id")["title"].tolist()
    features = LexicalFeatures(words=2, pieces=None, min_texts=1).fit(distinct)
    cosines = (features.transform(distinct) @ features.transform([texts[0]]).T).toarray().ravel()
    assert [case.similarity for case in cases] == pytest.approx(sorted(cosines[cosines > 0], reverse=True), abs=1e-3)


def test_the_kind_is_its_own() -> None:
    assert KIND not in ("model", "patterns")
