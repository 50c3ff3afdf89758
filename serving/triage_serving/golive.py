"""The go-live checklist: what must hold before answers decide by themselves, each with its figures.

What the store and the bundle show is measured, on the version that answers now: what others answered before it says nothing of
it, what it would have answered in the shadow of another does. What can't be measured (that alerts reach somebody, who is
responsible) is signed with a name, and a signature ends after `SIGNED_DAYS`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from triage_ml.answer import PICKED_FOR_AUDIT
from triage_ml.bundle import read_bundle
from triage_ml.errors import BundleError
from triage_ml.store import (
    ApiKey,
    CheckedAnswer,
    Confirmation,
    Promotion,
    Store,
    checked_answers,
    count_closed,
    latest_confirmations,
    list_keys,
    list_promotions,
)
from triage_serving.bundles import BundleFolder, Kept

__all__ = ["SIGNED", "SIGNED_DAYS", "Check", "checklist"]

#: What is signed: that alerts are in place, and who is responsible, accountable, to be consulted and to be informed.
SIGNED = ("alerts", "responsible", "accountable", "consulted", "informed")
SIGNED_DAYS = 90
OUTCOME_DAYS = 7
LOOKED_BACK = timedelta(days=365)
#: Fewer answers that would have been `auto` say nothing about a precision of 0.90.
FEWEST_AUTO = 50
FEWEST_IN_CLASS = 10


@dataclass(frozen=True)
class Check:
    """One line of the list; `found` says what was seen, `todo` what makes it hold."""

    name: str
    holds: bool
    found: str
    todo: str = ""


def checklist(
    store: Store, bundles: Path, *, precision: float, routing: Sequence[str], last: int, now: datetime
) -> list[Check]:
    """All checks, in the order in which they are usually done.

    Parameters
    ----------
    precision
        The promise, which must have held on the last `last` closed tickets for each target in `routing`.
    """
    kept = BundleFolder(bundles).last()
    with store.read() as connection:
        checked = []
        if kept is not None:
            checked = checked_answers(connection, kept.version, since=now - LOOKED_BACK, last=last)
        recent = count_closed(connection, since=now - timedelta(days=OUTCOME_DAYS))
        keys, promotions = list_keys(connection), list_promotions(connection)
        signed = latest_confirmations(connection)
    return [
        _model(bundles, kept),
        _enough(checked, last),
        *(_precision(checked, target, precision) for target in routing if _is_answered(checked, target)),
        _outcomes(recent),
        _rollback(promotions),
        _keys(keys, now),
        *(_signature(what, signed, now) for what in SIGNED),
    ]


def _model(bundles: Path, kept: Kept | None) -> Check:
    todo = "Train and promote a model, start the service once: triage train, triage serve."
    if kept is None:
        return Check("model", False, "no model has answered here yet", todo)
    try:
        contents = read_bundle(BundleFolder(bundles).path(kept.digest), "model").contents
    except BundleError as error:
        return Check("model", False, error.message, todo)
    counts = {target["name"]: len(target["classes"]) for target in contents["targets"]}
    found = f"version {kept.version}; " + ", ".join(f"{count} classes of {name}" for name, count in counts.items())
    return Check("model", all(count >= 2 for count in counts.values()), found, todo)


def _enough(checked: Sequence[CheckedAnswer], last: int) -> Check:
    labels = {target for one in checked for target in one.labels}
    rare = [
        f"{target} {value}"
        for target in sorted(labels)
        for value, count in sorted(Counter(one.labels[target] for one in checked if target in one.labels).items())
        if count < FEWEST_IN_CLASS
    ]
    found = f"{len(checked)} tickets that this version scored were closed, {last} are wanted"
    if shadowed := sum(one.in_shadow for one in checked):
        found += f"; {shadowed} of them in the shadow of another"
    if rare:
        found += f"; fewer than {FEWEST_IN_CLASS} of {', '.join(rare[:5])}{' …' if len(rare) > 5 else ''}"
    return Check("closed tickets", len(checked) >= last, found, "Let it suggest, and report outcomes, for longer.")


def _precision(checked: Sequence[CheckedAnswer], target: str, promise: float) -> Check:
    """What was or would have been `auto`: with `[decision] force_suggest`, or picked for an audit, the reason says so.

    Where enough were picked for an audit, they alone are judged by: what nobody looked at counts as right.
    """
    audits, confident = (_marks(checked, target, reason) for reason in (PICKED_FOR_AUDIT, "confident"))
    marks, kind = (audits, "audited") if len(audits) >= FEWEST_AUTO else (confident + audits, "confident")
    name = f"precision of {target}"
    todo = "Leave [decision] force_suggest on; look at the wrong ones, and train again: triage retrain."
    if len(marks) < FEWEST_AUTO:
        return Check(name, False, f"{len(marks)} {kind} answers were checked, {FEWEST_AUTO} are wanted", todo)
    share = sum(marks) / len(marks)
    return Check(name, share >= promise, f"{share:.3f} of {len(marks)} {kind} answers, {promise:.2f} promised", todo)


def _marks(checked: Sequence[CheckedAnswer], target: str, reason: str) -> list[bool]:
    """Whether each of the answers with this reason was right."""
    return [
        one.targets[target]["value"] == one.labels[target]
        for one in checked
        if target in one.labels and one.targets.get(target, {}).get("reason") == reason
    ]


def _is_answered(checked: Sequence[CheckedAnswer], target: str) -> bool:
    return not checked or any(target in one.targets for one in checked)


def _outcomes(recent: int) -> Check:
    found = f"{recent} tickets were reported closed in the last {OUTCOME_DAYS} days"
    return Check("outcomes", recent > 0, found, "Have the ticket system send POST /v1/outcomes when a ticket closes.")


def _rollback(promotions: Sequence[Promotion]) -> Check:
    tried = [one for one in promotions if one.kind == "rolled_back" and one.done_at is not None]
    found = f"last tried {tried[-1].done_at:%Y-%m-%d}" if tried else "never tried"
    return Check(
        "rollback", bool(tried), found, "Try it while nothing is at stake: triage rollback, then triage promote."
    )


def _keys(keys: Sequence[ApiKey], now: datetime) -> Check:
    active = [key for key in keys if key.is_valid(now)]
    scores = sum(key.scope == "score" for key in active)
    endless = [key.key_id for key in active if key.scope == "admin" and key.expires_at is None]
    found = f"{scores} keys of scope score, {len(endless)} of scope admin without an end"
    todo = "Give the ticket system a key of scope score, and admin keys an end: triage keys create --expires-days."
    return Check("keys", scores > 0 and not endless, found, todo)


def _signature(what: str, signed: Mapping[str, Confirmation], now: datetime) -> Check:
    todo = f"triage ready --confirm {what} --by NAME"
    if what not in signed:
        return Check(what, False, "not signed", todo)
    one = signed[what]
    ends = one.signed_at + timedelta(days=SIGNED_DAYS)
    found = (
        f"signed by {one.signed_by} on {one.signed_at:%Y-%m-%d}, {'ended' if ends <= now else 'until'} {ends:%Y-%m-%d}"
    )
    return Check(what, now < ends, found, todo)
