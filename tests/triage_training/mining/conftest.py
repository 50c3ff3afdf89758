"""Four weeks of a small desk with four kinds of tickets, and a home to mine it into."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.settings import Settings

KINDS = {
    "Access": (("Password forgotten", "Password expired", "Password reset needed"), "cannot sign in to windows {}"),
    "Print": (("Printer paper jam", "Printer prints blank", "Printer out of toner"), "the printer is {}"),
    "Network": (("VPN drops", "VPN does not connect", "VPN very slow"), "vpn client from home {}"),
    "Storage": (
        ("Disk almost full", "Disk space low", "Disk volume critical"),
        "filesystem on srv-db-{:02d} monitoring",
    ),
}
ENDINGS = ("since my holiday", "this morning", "again", "after the update", "on the second floor")


def tickets(week: int, kinds: tuple[str, ...] = tuple(KINDS)) -> pd.DataFrame:
    """15 tickets of each kind in week 1, 2, … after Monday 5 January 2026."""
    rows = []
    monday = pd.Timestamp("2026-01-05", tz="UTC") + pd.Timedelta(weeks=week - 1)
    for kind in kinds:
        titles, body = KINDS[kind]
        for number, (title, ending) in enumerate(product(titles, ENDINGS)):
            rows.append(
                {
                    "ticket_id": f"{kind}-{week}-{number:02d}",
                    "opened_at": monday + pd.Timedelta(hours=9 + 11 * number),
                    "title": title,
                    "description": body.format(number if kind == "Storage" else ending),
                    "resolution": f"Fixed the {kind.lower()} as usual",
                    "tier": "L1",
                    "category": kind,
                    "assignment_group": "Desk",
                    "ticket_type": "incident",
                    "channel": "email",
                    "effort_minutes": 20.0,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def module_desk() -> pd.DataFrame:
    """Weeks 2026-W02 to 2026-W05; a ticket of W06 says that W05 is complete."""
    closing = tickets(5).head(1)
    return pd.concat([*(tickets(week) for week in (1, 2, 3, 4)), closing], ignore_index=True)


@pytest.fixture
def desk(module_desk: pd.DataFrame) -> pd.DataFrame:
    return module_desk.copy()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(paths={"home": tmp_path / "home"})  # type: ignore[arg-type]


@pytest.fixture
def week_of_tickets() -> object:
    return tickets
