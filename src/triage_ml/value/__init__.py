"""What a pattern is worth: touch time, volume and trend, hours a week, how far and how it could be automated."""

from triage_ml.value.automatability import PARTS, Evidence, automatability, gather
from triage_ml.value.candidates import HISTORY_WEEKS, Candidate, list_candidates
from triage_ml.value.kind import KIND_TITLES, Kind, Proposal, propose
from triage_ml.value.rate import Hours, Trend, hours_a_week, trend
from triage_ml.value.resolutions import common_resolutions
from triage_ml.value.touch_time import TouchTime, touch_time

__all__ = [
    "HISTORY_WEEKS",
    "KIND_TITLES",
    "PARTS",
    "Candidate",
    "Evidence",
    "Hours",
    "Kind",
    "Proposal",
    "TouchTime",
    "Trend",
    "automatability",
    "common_resolutions",
    "gather",
    "hours_a_week",
    "list_candidates",
    "propose",
    "touch_time",
    "trend",
]
