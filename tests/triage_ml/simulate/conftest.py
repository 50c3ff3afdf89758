"""One desk that most tests look at; it is small, and has everything that a large one has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.simulate import Desk, simulate_desk


@dataclass(frozen=True)
class Tables:
    """A desk's tables, read back."""

    desk: Desk
    tickets: pd.DataFrame
    handoffs: pd.DataFrame
    truth: pd.DataFrame
    kinds: pd.DataFrame
    weeks: pd.DataFrame
    changes: pd.DataFrame


def read_desk(desk: Desk) -> Tables:
    names = ("tickets", "kinds", "weeks", "changes")
    truth, kinds, weeks, changes = (pd.read_parquet(desk.truth / f"{name}.parquet") for name in names)
    tickets, handoffs = pd.read_parquet(desk.tickets_file), pd.read_parquet(desk.handoffs_file)
    return Tables(desk, tickets, handoffs, truth, kinds, weeks, changes)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """6,000 tickets over 12 weeks, everything happening."""
    return read_desk(simulate_desk(tmp_path_factory.mktemp("desk") / "small", tickets=6000, weeks=12, seed=1))


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """2,000 tickets over 8 quiet weeks."""
    out = tmp_path_factory.mktemp("desk") / "quiet"
    return read_desk(simulate_desk(out, tickets=2000, weeks=8, seed=1, quiet=True))


def folder_bytes(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
