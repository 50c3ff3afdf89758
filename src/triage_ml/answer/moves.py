"""Never back to a group that a person just moved the ticket from.

`previous_groups` of a ticket, oldest first, names the groups that have had it. None of them is answered again: where the
model would, the next best group is suggested, reason `just_moved_from`. For the tier this means: a tier is out once every
group that the taxonomy knows in it has had the ticket, or where the desk moves tickets between tiers by name. Where no group
is answered at all (the model has no such target), a tier that the last group works in is not `auto`: whoever acts on it
might send the ticket straight back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from triage_ml.answer.verdicts import Verdicts
from triage_ml.taxonomy import Taxonomy

__all__ = ["leave_behind"]

_REASON = "just_moved_from"


def leave_behind(
    previous_groups: Sequence[Sequence[str]], verdicts: Mapping[str, Verdicts], taxonomy: Taxonomy
) -> None:
    """Bar the groups, and the tiers that are used up, in place; one sequence of groups a ticket, empty for most."""
    for row, groups in enumerate(previous_groups):
        if groups:
            _leave(row, groups, verdicts, taxonomy)


def _leave(row: int, groups: Sequence[str], verdicts: Mapping[str, Verdicts], taxonomy: Taxonomy) -> None:
    rows = np.array([row])
    had = {taxonomy.current_name(name).casefold() for name in groups}
    group, tier = verdicts.get("assignment_group"), verdicts.get("tier")
    if group is not None:
        mask = np.array([taxonomy.current_name(name).casefold() in had for name in group.classes])
        group.bar(rows, mask, _REASON)
    if tier is None:
        return
    used_up = _used_up(had, taxonomy) | {name for name in had if taxonomy.group(name) is None}
    tier.bar(rows, np.array([name.casefold() in used_up for name in tier.classes]), _REASON)
    last = taxonomy.tier_of_group(groups[-1])
    if group is None and last is not None and tier.classes[tier.chosen[row]].casefold() == last.casefold():
        tier.cap(rows, _REASON)


def _used_up(had: set[str], taxonomy: Taxonomy) -> set[str]:
    """Tiers of the taxonomy all of whose groups had the ticket."""
    seen = {group.tier.casefold() for group in taxonomy.groups if group.name.casefold() in had}
    left = {group.tier.casefold() for group in taxonomy.groups if group.name.casefold() not in had}
    return seen - left
