"""What `triage check` finds in a desk whose truth is known, and what the command writes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.simulate import Desk
from triage_ml.taxonomy import Taxonomy
from triage_training.check_job import check_tickets
from triage_training.check_page import render_readiness
from triage_training.commands import app
from triage_training.handoffs import handoff_figures, read_handoffs
from triage_training.readiness import Readiness


@pytest.fixture(scope="module")
def some(desk_tickets: pd.DataFrame) -> pd.DataFrame:
    """Every second ticket: the checks fit several models."""
    return desk_tickets.iloc[::2].reset_index(drop=True)


@pytest.fixture(scope="module")
def found(desk: Desk, some: pd.DataFrame, taxonomy: Taxonomy) -> Readiness:
    return check_tickets(some, Settings(), taxonomy, handoffs=read_handoffs(desk.handoffs_file))


def test_it_says_what_can_be_learnt(found: Readiness, some: pd.DataFrame) -> None:
    assert found.usable == found.tickets == len(some)
    tier, category = found.targets
    assert (tier.name, category.name) == ("tier", "category")
    assert sum(tier.classes.values()) == tier.labelled == len(some)
    assert all(category.classes[name] < 30 for name in category.rare)
    assert tier.curve is not None
    assert [size for size, _ in tier.curve.points] == sorted(size for size, _ in tier.curve.points)
    assert found.languages["en"] > 0.5


def test_it_says_what_would_flatter_a_figure(found: Readiness) -> None:
    assert "resolution" in found.leaks.after_triage
    assert "assignment_group" in found.leaks.determines["tier"]
    assert "assignment_group" not in found.targets[0].read
    assert 0 <= found.leaks.repeats < found.leaks.later


def test_the_surest_doubts_are_wrong_labels(desk: Desk, some: pd.DataFrame, found: Readiness) -> None:
    truth = pd.read_parquet(desk.truth / "tickets.parquet").set_index("ticket_id")
    for target in found.targets:
        ids = some["ticket_id"].iloc[[doubt.row for doubt in target.doubts[:15]]]
        wrong = [
            doubt.label != truth.at[ticket, target.name] for doubt, ticket in zip(target.doubts, ids, strict=False)
        ]
        assert sum(wrong) >= len(wrong) / 2


def test_first_and_final_group_are_compared_from_the_log(found: Readiness, some: pd.DataFrame) -> None:
    assert found.handoffs is not None
    assert found.handoffs.tickets == len(some)
    assert 0.1 < found.handoffs.moved < 0.6
    assert list(found.handoffs.ways) == sorted(found.handoffs.ways, key=lambda row: (-row[2], row[0], row[1]))
    assert all(first != final for first, final, _ in found.handoffs.ways)


def test_a_ticket_that_came_back_to_its_first_group_did_not_move() -> None:
    tickets = pd.DataFrame({"ticket_id": ["1", "2", "3"], "assignment_group": ["A", "B", "C"]})
    log = pd.DataFrame(
        [
            ("1", "2026-01-01T11:00Z", "B", "A"),
            ("1", "2026-01-01T10:00Z", "A", "B"),
            ("2", "2026-01-01T10:00Z", "A", "B"),
        ],
        columns=["ticket_id", "at", "from_group", "to_group"],
    )
    figures = handoff_figures(tickets, log)
    assert figures is not None
    assert (figures.tickets, round(figures.moved, 3), figures.ways) == (3, 0.333, (("A", "B", 1),))


def test_a_file_that_is_no_log_names_its_columns(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("number,group\n1,A\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"expected the columns ticket_id, at, from_group, to_group; found number, group"
    ):
        read_handoffs(tmp_path / "log.csv")


def test_the_page_stands_alone_and_shows_text_of_the_first_doubts_only(found: Readiness, some: pd.DataFrame) -> None:
    page = render_readiness(found, some["ticket_id"].tolist())
    assert page.startswith("<!doctype html>")
    assert "src=" not in page
    assert "<link" not in page
    assert "What to do first" in page
    assert "<svg" in page
    shown = sum(len(target.examples) for target in found.targets)
    assert 0 < shown <= 20


def test_300_tickets_are_told_to_be_few(desk_tickets: pd.DataFrame, taxonomy: Taxonomy) -> None:
    few = check_tickets(desk_tickets.iloc[:300], Settings(), taxonomy)
    assert any(line.startswith("300 usable tickets: enough to try") for line in few.advice)


def test_tickets_without_labels_are_told_so(desk_tickets: pd.DataFrame, taxonomy: Taxonomy) -> None:
    bare = desk_tickets.iloc[:100][["ticket_id", "opened_at", "title", "description"]]
    assert check_tickets(bare, Settings(), taxonomy).advice[:2] == [
        f"{name}: no label to learn from, the tickets have no such column or nothing in it."
        for name in ("tier", "category")
    ]


def test_a_target_that_is_not_there_is_told_beside_those_that_are(
    desk_tickets: pd.DataFrame, taxonomy: Taxonomy
) -> None:
    found = check_tickets(desk_tickets.iloc[:400], Settings(), taxonomy, targets=["tier", "colour"], curve=False)
    assert ([target.name for target in found.targets], found.missing) == (["tier"], ["colour"])
    assert found.advice[0] == "colour: no label to learn from, the tickets have no such column or nothing in it."


def test_the_command_writes_json_without_text_a_page_and_the_doubts(
    desk: Desk, desk_tickets: pd.DataFrame, tmp_path: Path
) -> None:
    page, doubts = tmp_path / "check.html", tmp_path / "doubts.csv"
    few = tmp_path / "few.parquet"
    desk_tickets.iloc[:800].to_parquet(few, index=False)
    words = ["check", str(few), "--taxonomy", str(desk.taxonomy_file), "--targets", "category", "--json"]
    done = CliRunner().invoke(app, [*words, "--html", str(page), "--doubts", str(doubts)])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["command"] == "check"
    assert document["tickets"] == 800
    assert list(document["targets"]) == ["category"]
    assert not any(text in done.stdout for text in desk_tickets["description"].dropna().iloc[:800] if len(text) > 30)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    listed = pd.read_csv(doubts)
    assert list(listed.columns) == ["target", "ticket_id", "label", "suggested", "doubt"]
    assert len(listed) == document["targets"]["category"]["doubted"]


def test_cleanlab_may_choose_the_doubted_labels_instead(some: pd.DataFrame, taxonomy: Taxonomy) -> None:
    pytest.importorskip("cleanlab")
    (target,) = check_tickets(some, Settings(), taxonomy, targets=["category"], cleanlab=True, curve=False).targets
    assert target.doubts
    assert target.curve is None
    assert all(doubt.label != doubt.suggested for doubt in target.doubts)
    assert len({doubt.row for doubt in target.doubts}) == len(target.doubts)
