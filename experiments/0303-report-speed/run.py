"""Seconds for the whole report of a large desk, and milliseconds for the page *This week*."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from fastapi.testclient import TestClient

from triage_serving.app import create_app
from triage_serving.registry import Registry
from triage_training.report import load_levels, write_levels, write_report
from triage_training.weeks import weeks_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import load_answerer
from triage_ml.errors import NoModelError
from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.store import (
    FACT_COLUMNS,
    PatternDecision,
    PatternRecord,
    Store,
    WeekList,
    add_decision,
    count_work,
    create_key,
    facts_between,
    mined_weeks,
    open_store,
    put_facts,
    put_patterns,
    put_week,
    read_week,
)
from triage_ml.taxonomy import load_taxonomy
from triage_ml.tickets import read_tickets
from triage_ml.value import HISTORY_WEEKS, list_candidates

ROUNDS = 20


class NoRegistry(Registry):
    """Nothing is registered: the pages need no model."""

    def __init__(self) -> None:
        """Reach nobody."""

    def find(self, role: Any) -> Any:
        """There is none."""
        raise NoModelError("Nothing is registered.")


class Took(NamedTuple):
    """Seconds on the clock, and of the processor: on a shared machine the latter are what the work takes."""

    clock: float
    processor: float


def timed(what: Callable[[], Any]) -> tuple[Took, Any]:
    """How long it took, and what came of it."""
    begun, worked = time.perf_counter(), time.process_time()
    result = what()
    return Took(time.perf_counter() - begun, time.process_time() - worked), result


def fill(store: Store, desk: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Facts in the store, the true kind as pattern; the weeks, and recent close notes by pattern."""
    frame = read_tickets(desk / "tickets.parquet")
    kinds = pd.read_parquet(desk / "truth" / "tickets.parquet").set_index("ticket_id")["kind"]
    names = {kind: f"{number:04d}" for number, kind in enumerate(sorted(kinds.unique()))}
    facts = frame.assign(
        week=weeks_of(frame["opened_at"], "UTC"),
        digest="d",
        pattern_id=frame["ticket_id"].map(kinds).map(names),
        similarity=1.0,
        handoffs=frame["reassignment_count"],
        reopens=frame["reopen_count"],
    )
    weeks = sorted(facts["week"].unique())
    facts = facts[facts["week"].isin(weeks)]
    columns = [name for name in FACT_COLUMNS if name in facts]
    plain = facts[columns].astype(object).where(facts[columns].notna(), None)
    with store.begin() as connection:
        put_patterns(connection, [PatternRecord(key, kind, [kind], [kind], weeks[0]) for kind, key in names.items()])
        put_facts(connection, ({**dict.fromkeys(FACT_COLUMNS), **row} for row in plain.to_dict("records")))
    recent = facts[facts["week"].isin(weeks[-4:]) & facts["resolution"].notna()]
    return weeks, recent.groupby("pattern_id")["resolution"].apply(list).to_dict()


def report_seconds(settings: Settings, store: Store, desk: Path) -> dict[str, Any]:
    """Seconds for each step of the report and for all."""
    weeks, notes = fill(store, desk)
    window = weeks[-HISTORY_WEEKS:]

    def count() -> None:
        with store.begin() as connection:
            count_work(connection)

    def listing() -> int:
        with store.begin() as connection:
            facts = facts_between(connection, window[0], window[-1])
            listed = list_candidates(facts, window, load_taxonomy(settings.taxonomy.file), min_tickets=10, notes=notes)
            own = sum(fact["week"] == window[-1] for fact in facts)
            put_week(connection, WeekList(window[-1], own, 1.0, [one.figures() for one in listed]))
        return len(listed)

    counted, _ = timed(count)
    listed, candidates = timed(listing)
    leveled, levels = timed(lambda: load_levels(settings))
    written, _ = timed(lambda: (write_report(settings), write_levels(levels, settings.paths.reports)))
    steps = {"count": counted, "list": listed, "service_levels": leveled, "write": written}
    return {
        "candidates": candidates,
        **{name: round(took.clock, 2) for name, took in steps.items()},
        "all": round(sum(took.clock for took in steps.values()), 2),
        "processor": {name: round(took.processor, 2) for name, took in steps.items()}
        | {"all": round(sum(took.processor for took in steps.values()), 2)},
    }


def page_figures(settings: Settings, store: Store, candidates: int) -> dict[str, Any]:
    """The page with so many candidates: the latest list again and again under other ids."""
    now = datetime.now(UTC)
    with store.begin() as connection:
        week = mined_weeks(connection)[-1]
        listed = _listed(connection, week)
        rows = [{**listed[n % len(listed)], "pattern_id": f"c{n:05d}"} for n in range(candidates)]
        ids = [row["pattern_id"] for row in rows]
        put_patterns(
            connection, [PatternRecord(one, f"Pattern {one}", ["words", "more"], ["an example"], week) for one in ids]
        )
        put_week(connection, WeekList(week, 20_000, 0.9, rows))
        details = {"reference": "RB-1", "mode": "auto", "since": "2026-09-01", "frozen": {"week": "2026-W30"}}
        for pattern in ("0001", "0002"):
            add_decision(connection, PatternDecision(pattern, 1, "automated", now, "ana", details))
        key, _ = create_key(connection, "review", now=now, name="ana")
    with TestClient(create_app(settings, store=store, registry=NoRegistry(), load_answerer=load_answerer)) as client:
        client.post("/review/sign-in", data={"key": key, "next": "/review"})
        ask = {"accept-encoding": "gzip"}
        first, answer = timed(lambda: client.get("/review", headers=ask))
        assert answer.status_code == 200
        rounds = [timed(lambda: client.get("/review", headers=ask))[0] for _ in range(ROUNDS)]
        return {
            "candidates": candidates,
            "first_milliseconds": round(1000 * first.clock, 1),
            "milliseconds": round(1000 * statistics.median(one.clock for one in rounds), 1),
            "processor_milliseconds": round(1000 * statistics.median(one.processor for one in rounds), 1),
            "compressed_bytes": int(answer.headers["content-length"]),
        }


def _listed(connection: Any, week: str) -> list[dict[str, Any]]:
    found = read_week(connection, week)
    assert found is not None
    return [dict(one) for one in found.candidates]


def table(report: dict[str, Any], page: dict[str, Any]) -> str:
    """One row a figure."""
    own = report["processor"]
    rows = [
        ("whole report, seconds", report["all"], own["all"], "30"),
        ("– work counted by week", report["count"], own["count"], ""),
        ("– the latest week listed", report["list"], own["list"], ""),
        ("– service levels", report["service_levels"], own["service_levels"], ""),
        ("– files written", report["write"], own["write"], ""),
        (
            f"page with {page['candidates']} candidates, milliseconds",
            page["milliseconds"],
            page["processor_milliseconds"],
            "100",
        ),
        ("– the first time", page["first_milliseconds"], "", ""),
        ("– compressed, bytes", f"{page['compressed_bytes']:,}", "", "300,000"),
    ]
    head = ["| what | on the clock | of the processor | asked for, below |", "|---|---|---|---|"]
    return "\n".join(head + [f"| {name} | {clock} | {worked} | {wanted} |" for name, clock, worked, wanted in rows])


def main() -> None:
    """Run once."""
    run = Run(__file__, __doc__)
    with tempfile.TemporaryDirectory() as scratch:
        desk = Path(scratch, "desk")
        simulate_desk(desk, tickets=run.config["tickets"], weeks=run.config["weeks"], seed=run.config["seed"])
        settings = Settings(paths={"home": Path(scratch, "home")}, taxonomy={"file": desk / "taxonomy.toml"})  # type: ignore[arg-type]
        store = open_store(settings.store_url)
        try:
            report = report_seconds(settings, store, desk)
            page = page_figures(settings, store, run.config["page_candidates"])
        finally:
            store.close()
    run.write({"report": report, "page": page}, table(report, page))


if __name__ == "__main__":
    main()
