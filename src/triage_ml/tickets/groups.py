"""Groups under today's names, tiers by their groups."""

from __future__ import annotations

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.taxonomy import Taxonomy
from triage_ml.tickets.dtypes import STRING, empty_strings
from triage_ml.tickets.raw import Raw, short_of

__all__ = ["apply_taxonomy"]


def apply_taxonomy(frame: pd.DataFrame, taxonomy: Taxonomy, raw: Raw) -> list[str]:
    """Rename groups, check tiers, and fill missing tiers from the group; changes `frame` and returns notes.

    Raises
    ------
    InputError
        A tier is not in the taxonomy.
    """
    notes: list[str] = []
    if "tier" in frame:
        frame["tier"] = _known_tiers(frame["tier"], taxonomy, raw)
    if "assignment_group" not in frame:
        return notes
    theirs = frame["assignment_group"]
    frame["assignment_group"] = _mapped(
        theirs, {name: taxonomy.current_name(name) for name in theirs.dropna().unique()}
    )
    groups = frame["assignment_group"]
    names = groups.dropna().unique()
    if unknown := sorted(name for name in names if taxonomy.group(name) is None):
        notes.append(_about_unknown(groups, unknown, taxonomy))
    by_group = _mapped(groups, {name: taxonomy.tier_of_group(name) for name in names})
    if by_group.notna().any():
        before = frame["tier"] if "tier" in frame else empty_strings(frame.index)
        filled = before.isna() & by_group.notna()
        _place_tier(frame, before.where(before.notna(), by_group))
        if filled.any():
            notes.append(f"{int(filled.sum()):,} tickets got their tier from their group.")
    return notes


def _place_tier(frame: pd.DataFrame, tier: pd.Series) -> None:
    """The column where the table's order wants it, before category and group."""
    if "tier" in frame:
        frame["tier"] = tier
        return
    names = list(frame.columns)
    after = [names.index(name) for name in ("category", "subcategory", "assignment_group") if name in names]
    frame.insert(min(after), "tier", tier)


def _known_tiers(tiers: pd.Series, taxonomy: Taxonomy, raw: Raw) -> pd.Series:
    """Tiers in the taxonomy's spelling; case does not matter."""
    spelled = {name.casefold(): name for name in taxonomy.tier_names}
    known = _mapped(tiers, {name: spelled.get(name.casefold()) for name in tiers.dropna().unique()})
    wrong = tiers.notna() & known.isna()
    if wrong.any():
        first = tiers.index[wrong.to_numpy()][0]
        raise InputError(
            f"{raw.where(first)}, column tier: expected one of {', '.join(taxonomy.tier_names)}, "
            f"found {short_of(tiers[first])} ({int(wrong.sum()):,} such rows).",
            hint="Add the tier to the taxonomy file (--taxonomy), or map another column to tier.",
        )
    return known


def _about_unknown(groups: pd.Series, unknown: list[str], taxonomy: Taxonomy) -> str:
    tickets = int(groups.isin(unknown).sum())
    if not taxonomy.groups:
        return f"{len(unknown)} groups, but the taxonomy has none, so they give no tier; name a file with --taxonomy."
    shown = ", ".join(short_of(name) for name in unknown[:5]) + (", …" if len(unknown) > 5 else "")
    return f"{len(unknown)} groups are not in the taxonomy ({shown}); {tickets:,} tickets get no tier from them."


def _mapped(values: pd.Series, names: dict[str, str | None]) -> pd.Series:
    return values.astype(object).map(names).astype(STRING)
