from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.simulate import desk as desk_module
from triage_ml.simulate import simulate_desk
from triage_ml.simulate.catalogue import load_catalogue
from triage_ml.taxonomy import load_taxonomy
from triage_ml.tickets.columns import COLUMNS

from .conftest import Tables, folder_bytes

TRUTH_COLUMNS = [
    "ticket_id",
    "kind",
    "resolution",
    "second_kind",
    "tier",
    "category",
    "lowest_tier",
    "minutes",
    "mislabelled",
]


def test_the_ticket_table_has_its_columns_and_nothing_of_the_truth(small: Tables) -> None:
    assert list(small.tickets.columns) == [column.name for column in COLUMNS]
    assert list(small.truth.columns) == TRUTH_COLUMNS
    assert list(small.handoffs.columns) == ["ticket_id", "at", "from_group", "to_group"]
    kinds = {kind.id for kind in load_catalogue().kinds}
    for name in small.tickets.columns:
        assert not kinds & set(small.tickets[name].dropna().astype(str))


def test_ids_count_up_in_order_of_opening(small: Tables) -> None:
    assert list(small.tickets.ticket_id) == [f"INC{i:07d}" for i in range(1, 6001)]
    assert list(small.truth.ticket_id) == list(small.tickets.ticket_id)
    assert small.tickets.opened_at.is_monotonic_increasing
    assert small.tickets.opened_at.min() >= pd.Timestamp("2026-08-24", tz="UTC")
    assert small.tickets.opened_at.max() < pd.Timestamp("2026-11-16", tz="UTC")


def test_what_must_be_there_is_there(small: Tables) -> None:
    tickets = small.tickets
    always = ["ticket_id", "opened_at", "title", "tier", "category", "assignment_group", "priority", "channel"]
    assert tickets[always].notna().all().all()
    assert (tickets.title.str.strip() != "").all()
    assert not tickets.description.dropna().eq("").any()
    assert set(tickets.channel) == {"email", "portal", "chat", "phone", "monitoring"}
    assert not tickets.title.str.contains(r"[\[\]{}]").any()


def test_open_tickets_have_no_resolution_yet(small: Tables) -> None:
    still_open = small.tickets.resolved_at.isna()
    assert 0 < still_open.mean() < 0.05
    assert small.tickets.resolution[still_open].isna().all()
    assert small.tickets.effort_minutes[still_open].isna().all()
    assert small.tickets.resolution[~still_open].notna().all()
    assert still_open[-1000:].mean() > still_open[:1000].mean()
    took = small.tickets.resolved_at - small.tickets.opened_at
    assert took.min() > pd.Timedelta(0)


def test_the_hand_off_log_agrees_with_the_tickets(small: Tables) -> None:
    tickets = small.tickets.set_index("ticket_id")
    moves = small.handoffs
    counts = moves.groupby("ticket_id").size().reindex(tickets.index, fill_value=0)
    assert (counts == tickets.reassignment_count).all()
    last = moves.groupby("ticket_id").to_group.last()
    assert (last == tickets.assignment_group[last.index]).all()
    assert (moves.from_group != moves.to_group).all()
    previous = moves.groupby("ticket_id").to_group.shift()
    assert (previous.isna() | (previous == moves.from_group)).all()
    joined = moves.join(tickets[["opened_at", "resolved_at"]], on="ticket_id")
    assert (joined["at"] > joined.opened_at).all()
    assert ((joined["at"] < joined.resolved_at) | joined.resolved_at.isna()).all()


def test_effort_grows_with_hand_offs(small: Tables) -> None:
    people = small.truth.tier != "L0"
    usual = small.truth.groupby("kind").minutes.transform("median").where(people)
    ratio = (small.truth.minutes / usual)[people]
    by_count = ratio.groupby(small.tickets.reassignment_count.clip(upper=2)).median()
    assert by_count[0] < by_count[1] < by_count[2]


def test_the_recorded_tier_follows_from_the_group_by_the_taxonomy(small: Tables) -> None:
    taxonomy = load_taxonomy(small.desk.taxonomy_file)
    derived = small.tickets.assignment_group.map(taxonomy.tier_of_group)
    assert (derived == small.tickets.tier).all()
    assert set(small.tickets.tier) == set(taxonomy.tier_names)
    assert set(small.tickets.category) <= set(taxonomy.categories)
    known = {child for children in taxonomy.categories.values() for child in children}
    assert set(small.tickets.subcategory.dropna()) <= known
    assert taxonomy.tier("L3").cost_per_hour == 78.0


def test_groups_are_renamed_split_and_merged_from_a_week_on(small: Tables) -> None:
    taxonomy = load_taxonomy(small.desk.taxonomy_file)
    changed = pd.Timestamp("2026-08-24", tz="UTC") + pd.Timedelta(weeks=round(0.3 * 12))
    groups, opened = small.tickets.assignment_group, small.tickets.opened_at
    assert opened[groups == "NOC Regional"].max() < changed <= opened[groups == "NOC Branch Sites"].min()
    assert taxonomy.current_name("NOC Regional") == "NOC Branch Sites"
    assert taxonomy.current_name("Desktop Support South") == "Desktop Support"
    assert taxonomy.tier_of_group("Container Operations") == "L2"
    assert {"Cloud Operations", "Container Operations"} <= set(groups[opened > pd.Timestamp("2026-11-01", tz="UTC")])


def test_labels_are_wrong_as_often_as_in_life_and_the_truth_knows(small: Tables) -> None:
    wrong = (small.tickets.tier != small.truth.tier) | (small.tickets.category != small.truth.category)
    assert (wrong == small.truth.mislabelled).all()
    assert 0.04 < wrong.mean() < 0.10
    assert 0.10 < small.tickets.effort_minutes.isna().mean() < 0.20
    assert 0.01 < small.truth.second_kind.notna().mean() < 0.08
    assert (small.truth.second_kind != small.truth.kind).all()


def test_texts_have_what_people_put_in_them(small: Tables) -> None:
    text = small.tickets.title + "\n" + small.tickets.description.fillna("")
    people = small.tickets.channel != "monitoring"
    foreign = text.str.contains(
        r"\b(?:bitte|nicht|ich|danke|Hallo|por favor|hola|gracias|no puedo|el|la)\b", case=False
    )
    assert 0.05 < foreign[people].mean() < 0.2
    for words in ("Original Message", "Regards|regards", r"Traceback|Exception", r"pass(?:word|wort) is|pw: ", "IBAN"):
        assert text.str.contains(words).any(), words
    assert (small.tickets.description.fillna("").str.len() < 15).mean() > 0.02
    assert text.nunique() > 0.85 * len(text)


def test_automated_kinds_go_on_arriving_and_cost_nobody_anything(small: Tables) -> None:
    machine = small.truth.tier == "L0"
    assert machine.any()
    assert (small.tickets.effort_minutes[machine] == 0).all()
    assert (small.truth.minutes[machine] == 0).all()
    assert (small.tickets.assignment_group[machine] == "Automation").all()
    automated = small.changes[small.changes.what.str.startswith("automated")]
    assert set(small.truth.kind[machine]) == set(automated.kind)
    week = small.tickets.opened_at.dt.strftime("%G-W%V")
    since = small.truth.kind.map(automated.set_index("kind").week)
    assert not machine[since.isna() | (week < since.fillna(""))].any()
    share = small.kinds.set_index("kind").eval("share_covered * success")
    wanted = small.truth.kind[since.notna() & (week >= since.fillna(""))].map(share)
    spread = (wanted * (1 - wanted)).sum() ** 0.5
    assert machine.sum() == pytest.approx(wanted.sum(), abs=4 * spread)


def test_a_quiet_desk_has_no_changes(quiet: Tables) -> None:
    assert len(quiet.changes) == 0
    assert list(quiet.changes.columns) == ["week", "what", "kind", "group"]
    assert "L0" not in set(quiet.tickets.tier)
    assert all(not group.aliases for group in load_taxonomy(quiet.desk.taxonomy_file).groups)


def test_the_same_seed_gives_the_same_bytes_in_another_process(small: Tables, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from triage_ml.simulate import simulate_desk;"
        "simulate_desk(Path(sys.argv[1]), tickets=6000, weeks=12, seed=1)"
    )
    out = tmp_path / "again"
    env = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, str(out)], check=True, env=env, timeout=120)
    assert folder_bytes(out) == folder_bytes(small.desk.folder)


def test_workers_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = simulate_desk(tmp_path / "alone", tickets=1200, weeks=4, seed=3)
    monkeypatch.setattr(desk_module, "WORTH_TWO_WORKERS", 0)
    together = simulate_desk(tmp_path / "together", tickets=1200, weeks=4, seed=3)
    assert folder_bytes(alone.folder) == folder_bytes(together.folder)


def test_another_seed_gives_another_desk(small: Tables, tmp_path: Path) -> None:
    other = simulate_desk(tmp_path / "other", tickets=300, weeks=12, seed=2)
    titles = set(pd.read_parquet(other.tickets_file).title)
    assert len(titles & set(small.tickets.title)) < 0.5 * len(titles)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tickets": 0}, r"Expected 1 to 9,999,999 tickets, found 0\."),
        ({"tickets": 10_000_000}, r"Expected 1 to 9,999,999 tickets, found 10,000,000\."),
        ({"weeks": -3}, r"Expected 1 to 520 weeks, found -3\."),
        ({"weeks": 1000}, r"Expected 1 to 520 weeks, found 1000\."),
        ({"seed": -1}, r"Expected a seed of 0 or more, found -1\."),
        (
            {"end": date(2026, 11, 18)},
            r"Expected an end on a Monday, found 2026-11-18 \(Wednesday\)\.\nWeeks are full ISO",
        ),
    ],
    ids=["no-tickets", "too-many-tickets", "negative-weeks", "too-many-weeks", "negative-seed", "not-a-monday"],
)
def test_a_number_out_of_range_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    wanted: dict[str, object] = {"tickets": 10, "weeks": 2} | change
    with pytest.raises(InputError, match=f"^{message}"):
        simulate_desk(tmp_path / "desk", **wanted)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_one_ticket_is_enough(tmp_path: Path) -> None:
    desk = simulate_desk(tmp_path / "desk", tickets=1, weeks=1)
    assert desk.tickets == len(pd.read_parquet(desk.tickets_file)) == 1
    assert (desk.first_week, desk.last_week, desk.changes) == ("2026-W46", "2026-W46", 0)


def test_a_former_simulation_is_replaced_and_an_empty_folder_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "desk"
    out.mkdir()
    first = simulate_desk(out, tickets=30, weeks=2, seed=1)
    before = folder_bytes(first.folder)
    simulate_desk(out, tickets=40, weeks=2, seed=1)
    assert folder_bytes(out).keys() == before.keys()
    assert len(pd.read_parquet(out / "tickets.parquet")) == 40


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    out = simulate_desk(tmp_path / "desk", tickets=30, weeks=2).folder
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(
        InputError, match=r"something that is not a simulated desk, and nothing of it was touched\.\nName a"
    ):
        simulate_desk(out, tickets=30, weeks=2)
    assert (out / "thesis.txt").read_text() == "years of work"


def test_a_file_is_no_place_for_a_desk(tmp_path: Path) -> None:
    (tmp_path / "desk").write_text("a file")
    with pytest.raises(InputError, match=r"desk: expected a folder to write to, found a file\."):
        simulate_desk(tmp_path / "desk", tickets=30, weeks=2)


def test_an_interruption_leaves_nothing_and_what_was_there_before_stays(tmp_path: Path) -> None:
    before = folder_bytes(simulate_desk(tmp_path / "desk", tickets=30, weeks=2).folder)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        simulate_desk(tmp_path / "desk", tickets=50, weeks=2, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["desk"]
    assert folder_bytes(tmp_path / "desk") == before


def test_progress_counts_every_ticket(tmp_path: Path) -> None:
    counts: list[int] = []
    simulate_desk(tmp_path / "desk", tickets=500, weeks=3, progress=counts.append)
    assert sum(counts) == 500
    assert len(counts) == 3
