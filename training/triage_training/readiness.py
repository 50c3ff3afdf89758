"""What `triage check` found: plain data that the command, the page and the notebook show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from triage_ml.evaluate import Doubt, LearningCurve, SimilarLabels
from triage_training.handoffs import HandoffFigures

__all__ = ["Leaks", "Readiness", "TargetReadiness"]


@dataclass(frozen=True)
class TargetReadiness:
    """One target: its classes, those with too little evidence, doubted labels, and what more tickets would bring.

    `read` names what the doubts were judged by beside the text. `examples` are redacted texts of the first doubts, in order.
    """

    name: str
    labelled: int
    judged: int
    classes: dict[str, int]
    rare: list[str]
    similar: list[SimilarLabels]
    doubts: list[Doubt]
    read: tuple[str, ...]
    examples: list[str]
    curve: LearningCurve | None

    def to_dict(self, ticket_ids: Sequence[str], most: int = 100) -> dict[str, Any]:
        """Plain JSON values; doubted tickets by id, without text."""
        return {
            "labelled": self.labelled,
            "classes": self.classes,
            "rare": self.rare,
            "similar": [asdict(row) for row in self.similar],
            "doubted": len(self.doubts),
            "doubted_of": self.judged,
            "doubts": [{**asdict(row), "ticket_id": ticket_ids[row.row]} for row in self.doubts[:most]],
            "judged_by": ["text", *self.read],
            "curve": None if self.curve is None else {"points": self.curve.points, "doubled": self.curve.doubled},
        }


@dataclass(frozen=True)
class Leaks:
    """What would make a figure look better than it is.

    `after_triage` are columns that are filled in after triage; `determines` names, by target, columns whose value all but
    gives the label; `later` is how many tickets calibrate and test, `repeats` how many of them repeat a template of an
    earlier part (they are in no figure).
    """

    after_triage: list[str]
    determines: dict[str, list[str]]
    later: int
    repeats: int


@dataclass(frozen=True)
class Readiness:
    """The whole account. `advice` are sentences, the most pressing first; `aliases` are lines for taxonomy.toml.

    `missing` are targets that were asked for and that no ticket has a label of.
    """

    tickets: int
    usable: int
    targets: list[TargetReadiness]
    languages: dict[str, float]
    template_share: float
    repeats_share: float
    leaks: Leaks
    reassigned: float | None
    handoffs: HandoffFigures | None
    renamed: list[SimilarLabels]
    unknown_groups: list[str]
    new_groups: list[str]
    retired_groups: list[str]
    missing: list[str]
    advice: list[str] = field(default_factory=list)

    @property
    def aliases(self) -> list[str]:
        """Suggested alias lines, one a group that seems to have changed its name or to be spelled twice."""
        return [f'{row.kept}: aliases = ["{row.other}"]' for row in self.renamed]

    def to_dict(self, ticket_ids: Sequence[str]) -> dict[str, Any]:
        """Plain JSON values, without any text of a ticket."""
        return {
            "tickets": self.tickets,
            "usable": self.usable,
            "targets": {target.name: target.to_dict(ticket_ids) for target in self.targets},
            "languages": self.languages,
            "template_share": round(self.template_share, 4),
            "repeats_share": round(self.repeats_share, 4),
            "known_after_triage": self.leaks.after_triage,
            "leaks": asdict(self.leaks),
            "reassigned": self.reassigned,
            "handoffs": None if self.handoffs is None else self.handoffs.to_dict(),
            "aliases": self.aliases,
            "unknown_groups": self.unknown_groups,
            "new_groups": self.new_groups,
            "retired_groups": self.retired_groups,
            "missing_targets": self.missing,
            "advice": self.advice,
        }
