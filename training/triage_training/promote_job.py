"""Judge a version and make it champion, or say why not. The verdict is written to the version's run either way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.store import PromotionKind
from triage_training.gate_job import Judgement, judge
from triage_training.promotion import Champions, Reign, open_champions
from triage_training.registry import Registry, Version

__all__ = ["Promoted", "promote"]


@dataclass(frozen=True)
class Promoted:
    """What came of it; `replaced` is the number of the champion before."""

    judgement: Judgement
    promoted: bool
    forced: bool
    replaced: str | None


def promote(
    name: str,
    settings: Settings,
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    tickets: pd.DataFrame | None = None,
    step: Callable[[str], None] = lambda _: None,
    tell: Callable[[str], None] = lambda _: None,
) -> Promoted:
    """Promote the version called `name` (a number or an alias) if it passes the gate, or with `force`.

    `step` is told what happens now, `tell` what was found moved or gone in MLflow and put right.
    """
    registry = Registry(settings)
    step("finding the models")
    with open_champions(settings, registry, tell=tell) as champions:
        reign = champions.current()
        version = registry.find(name)
        if reign.champion is not None and reign.champion.number == version.number:
            raise InputError(f"Version {version.number} is champion already.")
        step("judging")
        judgement = judge(version, reign.champion, registry, settings, tickets=tickets)
        _write_down(registry, judgement)
        if not judgement.passed and not force:
            return Promoted(judgement, False, False, None)
        step("moving the alias")
        return _replace(champions, reign, version, judgement, by, reason)


def _replace(
    champions: Champions, reign: Reign, version: Version, judgement: Judgement, by: str, reason: str
) -> Promoted:
    kind: PromotionKind = "first" if reign.champion is None else "promoted"
    done = champions.replace(
        reign,
        version,
        kind if judgement.passed else "forced",
        who=by,
        reason=reason or "passed the gate",
        checks=[check.to_dict() for check in judgement.checks],
    )
    return Promoted(judgement, True, done.kind == "forced", done.replaces)


def _write_down(registry: Registry, judgement: Judgement) -> None:
    against = str(judgement.champion.number) if judgement.champion else "none"
    document = {
        "against": against,
        "tickets": judgement.tickets,
        "passed": judgement.passed,
        "checks": [check.to_dict() for check in judgement.checks],
    }
    registry.annotate(
        judgement.version,
        tags={"gate": "passed" if judgement.passed else "refused", "gate.against": against},
        files={"gate/verdict.json": json.dumps(document, indent=1, ensure_ascii=False)},
    )
