"""What people see of the weekly list, the same in `triage report` and on the review pages."""

from triage_ml.review.drawings import range_bar, sparkline
from triage_ml.review.weeks import ReviewedCandidate, ReviewedWeek, load_candidate, load_week

__all__ = ["ReviewedCandidate", "ReviewedWeek", "load_candidate", "load_week", "range_bar", "sparkline"]
