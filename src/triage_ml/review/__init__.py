"""What people see of the weekly list, the same in `triage report` and on the review pages."""

from triage_ml.review.documents import FORMATS, Format, week_document
from triage_ml.review.drawings import range_bar, sparkline
from triage_ml.review.kits import kit_archive, kit_kind, starter_kit
from triage_ml.review.level_documents import Sheet, level_sheets, levels_document
from triage_ml.review.links import unlinked
from triage_ml.review.looking_back import LookingBack, load_realised
from triage_ml.review.mapping import week_map
from triage_ml.review.overview import PatternLine, load_patterns, load_service_levels
from triage_ml.review.routing import load_shadow_figures, routing_figures, routing_weeks
from triage_ml.review.weeks import (
    ReviewedCandidate,
    ReviewedWeek,
    expected_hours,
    load_candidate,
    load_listed,
    load_week,
)

__all__ = [
    "FORMATS",
    "Format",
    "LookingBack",
    "PatternLine",
    "ReviewedCandidate",
    "ReviewedWeek",
    "Sheet",
    "expected_hours",
    "kit_archive",
    "kit_kind",
    "level_sheets",
    "levels_document",
    "load_candidate",
    "load_listed",
    "load_patterns",
    "load_realised",
    "load_service_levels",
    "load_shadow_figures",
    "load_week",
    "range_bar",
    "routing_figures",
    "routing_weeks",
    "sparkline",
    "starter_kit",
    "unlinked",
    "week_document",
    "week_map",
]
