"""`triage models`: versions with their figures, and the succession of champions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from triage_ml.console import Output
from triage_ml.store import Promotion
from triage_training.registry import Registry

__all__ = ["model_rows", "print_models"]


def model_rows(registry: Registry, *, most: int) -> list[dict[str, Any]]:
    """The newest versions, each with what its training measured."""
    rows = []
    for version in registry.versions()[:most]:
        figures = registry.figures(version)
        targets = [name.removesuffix(".macro_f1") for name in figures if name.endswith(".macro_f1")]
        rows.append(
            {
                "version": str(version.number),
                "role": version.role,
                "created": datetime.fromtimestamp(version.created, UTC).isoformat(timespec="seconds"),
                "digest": version.digest,
                "run_id": version.run_id,
                "targets": {
                    target: {what: figures.get(f"{target}.{what}") for what in ("accuracy", "macro_f1", "ece")}
                    for target in sorted(targets)
                },
            }
        )
    return rows


def print_models(out: Output, rows: Sequence[dict[str, Any]], history: Sequence[Promotion]) -> None:
    """Versions first, then who promoted which, when and why."""
    if not rows:
        out.say("No model is registered yet: triage train TICKETS.")
        return
    for row in rows:
        figures = ", ".join(f"{name} {each['macro_f1']:.1%}" for name, each in row["targets"].items())
        role = "" if row["role"] == "none" else row["role"]
        out.say(f"{row['version']:>4}  {role:<10}  {row['created'][:16]}  {row['digest'][7:19]}  macro-F1: {figures}")
    if history:
        out.say()
    for promotion in history:
        was = f" after {promotion.replaces}" if promotion.replaces else ""
        half = "" if promotion.done_at else "  (half-done)"
        out.say(
            f"{promotion.claimed_at:%Y-%m-%d %H:%M}  {promotion.version}{was} {promotion.kind.replace('_', ' ')} by "
            f"{promotion.who}: {promotion.reason or 'no reason given'}{half}"
        )
