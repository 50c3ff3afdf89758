from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.simulate.catalogue import load_catalogue

from .conftest import Tables

WEEKS_COLUMNS = (
    "kind week tickets_without_automation tickets_with_automation"
    " minutes_without_automation minutes_with_automation savable_hours"
)


def test_the_kinds_say_what_could_be_automated(small: Tables) -> None:
    kinds = small.kinds
    assert list(kinds.columns) == ["kind", "automatable", "automation_kind", "share_covered", "success"]
    assert list(kinds.kind) == [kind.id for kind in load_catalogue().kinds]
    assert (kinds.automation_kind.notna() == kinds.automatable).all()
    assert kinds.share_covered[kinds.automatable].between(0.01, 1).all()
    assert (kinds.share_covered[~kinds.automatable] == 0).all()


def test_every_kind_has_every_week_and_arrivals_add_up(small: Tables) -> None:
    weeks = small.weeks
    assert list(weeks.columns) == WEEKS_COLUMNS.split()
    assert len(weeks) == len(small.kinds) * 12
    assert weeks.tickets_without_automation.sum() == 6000
    week = small.tickets.opened_at.dt.strftime("%G-W%V")
    arrived = pd.Series(1, index=[small.truth.kind, week]).groupby(level=[0, 1]).sum()
    listed = weeks.set_index(["kind", "week"]).tickets_without_automation
    assert (listed[listed > 0].sort_index() == arrived.sort_index()).all()


def test_savable_hours_are_the_difference(small: Tables) -> None:
    weeks = small.weeks
    saved = (weeks.minutes_without_automation - weeks.minutes_with_automation) / 60
    assert np.allclose(weeks.savable_hours, saved, atol=1e-3)
    automatable = weeks.kind.map(small.kinds.set_index("kind").automatable)
    assert (weeks.savable_hours[~automatable] == 0).all()
    assert (weeks.savable_hours >= 0).all()
    share = small.kinds.assign(share=small.kinds.share_covered * small.kinds.success).set_index("kind").share
    spared = weeks.groupby("kind")[["tickets_without_automation", "tickets_with_automation"]].sum()
    busy = spared[spared.tickets_without_automation > 150]
    found = 1 - busy.tickets_with_automation / busy.tickets_without_automation
    assert np.allclose(found, share[busy.index], atol=0.13)


def test_minutes_are_those_of_the_tickets(small: Tables) -> None:
    """Where nothing is automated in fact, the week's minutes without automation are the tickets' own."""
    untouched = ~small.weeks.kind.isin(small.truth.kind[small.truth.tier == "L0"])
    listed = small.weeks[untouched].groupby("kind").minutes_without_automation.sum()
    spent = small.truth.groupby("kind").minutes.sum().reindex(listed.index, fill_value=0)
    assert np.allclose(listed, spent, atol=1)


def test_where_the_automation_is_in_force_the_tickets_show_its_savings(small: Tables) -> None:
    week = small.tickets.opened_at.dt.strftime("%G-W%V")
    for change in small.changes[small.changes.what.str.startswith("automated")].itertuples():
        rows = small.weeks[(small.weeks.kind == change.kind) & (small.weeks.week >= change.week)]
        spent = small.truth.minutes[(small.truth.kind == change.kind) & (week >= change.week)].sum()
        assert rows.minutes_with_automation.sum() == pytest.approx(spent, abs=1)


def test_changes_can_be_read_by_people_and_programs(small: Tables) -> None:
    changes = small.changes
    assert changes.week.is_monotonic_increasing
    assert (changes.kind.notna() != changes.group.notna()).all()
    action = changes.what.str.extract(r"^(\w+): (.+)$")
    assert set(action[0]) == {"appears", "fades", "bursts", "automated", "rename", "split", "merge"}
    assert "rename: NOC Regional -> NOC Branch Sites" in set(changes.what)
    for change in changes[changes.kind.notna()].itertuples():
        assert change.kind in change.what


def test_truth_is_of_the_catalogue(small: Tables) -> None:
    kinds = {kind.id: kind for kind in load_catalogue().kinds}
    for row in small.truth.head(500).itertuples():
        kind = kinds[row.kind]
        assert row.category == kind.category
        assert row.lowest_tier == kind.lowest_tier
        assert row.tier in {*kind.tiers, "L0"}
        assert row.resolution in {resolution.id for resolution in kind.resolutions} | {"automated", "none"}
