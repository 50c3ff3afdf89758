"""A whole desk: tickets, hand-offs, taxonomy, and the truth apart, as one folder that is there whole or not at all."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
from joblib import Parallel, cpu_count, delayed

from triage_ml.errors import InputError
from triage_ml.files import atomic_folder
from triage_ml.simulate.block import Order, Workshop, workshop
from triage_ml.simulate.routing import final_taxonomy
from triage_ml.simulate.truth import Savings, changes_table, kinds_table
from triage_ml.simulate.write import HANDOFFS, TICKETS, TRUTH, TableFile, taxonomy_toml, to_table, write_table

__all__ = ["DEFAULT_END", "Desk", "simulate_desk"]

#: A fixed Monday, so that a desk never depends on today.
DEFAULT_END = date(2026, 11, 16)
MOST_TICKETS = 9_999_999  # ticket ids have seven digits
MOST_WEEKS = 520
WORTH_TWO_WORKERS = 20_000  # tickets; below, starting workers costs more than it saves
FILES = frozenset({"tickets.parquet", "handoffs.parquet", "taxonomy.toml", "truth"})
TRUTH_FILES = frozenset({"tickets.parquet", "kinds.parquet", "weeks.parquet", "changes.parquet"})

Tables = tuple[pa.Table, pa.Table, pa.Table, list[tuple[int, int, bool, float]]]


@dataclass(frozen=True)
class Desk:
    """What was simulated, and where it is."""

    folder: Path
    tickets: int
    handoffs: int
    kinds: int
    categories: int
    groups: int
    changes: int
    first_week: str
    last_week: str

    @property
    def tickets_file(self) -> Path:
        """The ticket table."""
        return self.folder / "tickets.parquet"

    @property
    def handoffs_file(self) -> Path:
        """The hand-off log."""
        return self.folder / "handoffs.parquet"

    @property
    def taxonomy_file(self) -> Path:
        """Tiers, groups with their aliases, categories."""
        return self.folder / "taxonomy.toml"

    @property
    def truth(self) -> Path:
        """The folder that no training may look into."""
        return self.folder / "truth"


def simulate_desk(
    out: Path,
    *,
    tickets: int,
    weeks: int,
    seed: int = 0,
    quiet: bool = False,
    end: date = DEFAULT_END,
    progress: Callable[[int], None] | None = None,
) -> Desk:
    """Simulate a service desk and write it to the folder `out`.

    Parameters
    ----------
    out
        Folder to write; an earlier simulation there is replaced, anything else is refused.
    tickets
        Number of rows, exactly.
    weeks
        Full ISO weeks (Monday 00:00 UTC) before `end`.
    seed
        The same seed gives the same bytes, on any number of cores.
    quiet
        Growth and seasons only: no kinds that come and go, no automation, no group changes.
    end
        A Monday; tickets open before it.
    progress
        Called with the number of tickets that were written since the last call.

    Raises
    ------
    InputError
        A number is out of range, `end` is no Monday, or `out` holds something that is not a simulation.
    """
    order = Order(tickets, weeks, seed, quiet, end)
    _check(order)
    _check_target(out)
    shop = workshop(order)
    with atomic_folder(out) as draft:
        handoffs = _write(shop, draft, progress or (lambda _: None))
    catalogue, calendar = shop.catalogue, shop.calendar
    return Desk(
        folder=out,
        tickets=tickets,
        handoffs=handoffs,
        kinds=len(catalogue.kinds),
        categories=len(catalogue.categories),
        groups=len(shop.names.final()),
        changes=len(calendar.changes),
        first_week=calendar.label(0),
        last_week=calendar.label(weeks - 1),
    )


def _check(order: Order) -> None:
    if not 1 <= order.tickets <= MOST_TICKETS:
        raise InputError(f"Expected 1 to {MOST_TICKETS:,} tickets, found {order.tickets:,}.")
    if not 1 <= order.weeks <= MOST_WEEKS:
        raise InputError(f"Expected 1 to {MOST_WEEKS} weeks, found {order.weeks}.")
    if order.seed < 0:
        raise InputError(f"Expected a seed of 0 or more, found {order.seed}.")
    if order.end.weekday() != 0:
        raise InputError(
            f"Expected an end on a Monday, found {order.end} ({order.end:%A}).",
            hint="Weeks are full ISO weeks; the end itself is not part of them.",
        )


def _check_target(out: Path) -> None:
    """Only a former simulation may be replaced: everything in the folder goes with it."""
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out}: expected a folder to write to, found a file.")
    found = {path.name for path in out.iterdir()}
    inside = {path.name for path in (out / "truth").iterdir()} if (out / "truth").is_dir() else set()
    if found and not (found == FILES and inside == TRUTH_FILES):
        raise InputError(
            f"{out}: this folder holds something that is not a simulated desk, and nothing of it was touched.",
            hint="Name a new folder, or an empty one.",
        )


def _write(shop: Workshop, folder: Path, progress: Callable[[int], None]) -> int:
    truth = folder / "truth"
    truth.mkdir()
    savings = Savings(len(shop.catalogue.kinds), shop.order.weeks)
    handoffs = 0
    with ExitStack() as stack:
        tickets_file = stack.enter_context(TableFile(folder / "tickets.parquet", TICKETS))
        handoffs_file = stack.enter_context(TableFile(folder / "handoffs.parquet", HANDOFFS))
        truth_file = stack.enter_context(TableFile(truth / "tickets.parquet", TRUTH))
        for tickets, facts, moves, spared in _blocks(shop):
            tickets_file.append(tickets)
            truth_file.append(facts)
            handoffs_file.append(moves)
            savings.add(spared)
            handoffs += moves.num_rows
            progress(tickets.num_rows)
    write_table(truth / "kinds.parquet", kinds_table(shop.catalogue))
    write_table(truth / "weeks.parquet", savings.table(shop.catalogue, shop.calendar))
    write_table(truth / "changes.parquet", changes_table(shop.calendar))
    taxonomy = final_taxonomy(shop.catalogue, shop.names)
    (folder / "taxonomy.toml").write_text(taxonomy_toml(taxonomy), encoding="utf-8")
    return handoffs


def _blocks(shop: Workshop) -> Iterator[Tables]:
    """The blocks in order; made by all cores where that is worth it."""
    numbers = range(len(shop.blocks))
    if shop.order.tickets < WORTH_TWO_WORKERS or cpu_count() == 1:
        yield from (_tables(shop.order, number) for number in numbers)
        return
    # Ctrl-C is for this process: the workers end with it, without a word of their own.
    ignore = partial(signal.signal, signal.SIGINT, signal.SIG_IGN)
    run = Parallel(n_jobs=-1, return_as="generator", pre_dispatch="2*n_jobs", initializer=ignore)
    yield from run(delayed(_tables)(shop.order, number) for number in numbers)


def _tables(order: Order, number: int) -> Tables:
    block = workshop(order).make(number)
    return (
        to_table(block.tickets, TICKETS),
        to_table(block.truth, TRUTH),
        to_table(block.handoffs, HANDOFFS),
        block.savings,
    )
