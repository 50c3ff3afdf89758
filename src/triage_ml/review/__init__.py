"""What people see of the weekly list, the same in `triage report` and on the review pages."""

from triage_ml.review.drawings import range_bar, sparkline
from triage_ml.review.overview import PatternLine, load_patterns, load_service_levels, routing_figures
from triage_ml.review.weeks import ReviewedCandidate, ReviewedWeek, load_candidate, load_week

__all__ = [
    "PatternLine",
    "ReviewedCandidate",
    "ReviewedWeek",
    "load_candidate",
    "load_patterns",
    "load_service_levels",
    "load_week",
    "range_bar",
    "routing_figures",
    "sparkline",
]
