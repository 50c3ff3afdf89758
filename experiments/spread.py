"""A table of what several desks gave: the mean of each figure, with the lowest and the highest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["spread_table"]


def spread_table(desks: Sequence[Mapping[str, Any]], shown: Iterable[tuple[str, str, str]]) -> str:
    """One row for each (title, name of the figure, what is asked for); a dash where no desk has it."""
    rows = ["| what | mean (lowest to highest) | asked for |", "|---|---|---|"]
    for title, name, wanted in shown:
        values = [float(desk[name]) for desk in desks if desk[name] is not None]
        figure = f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})" if values else "–"
        rows.append(f"| {title} | {figure} | {wanted} |")
    return "\n".join(rows)
