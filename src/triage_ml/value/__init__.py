"""What a pattern is worth: touch time, volume and trend, hours a week, how far and how it could be automated."""

from triage_ml.value.automatability import PARTS, Evidence, automatability, gather
from triage_ml.value.kind import KIND_TITLES, Kind, Proposal, propose
from triage_ml.value.rate import Hours, Trend, hours_a_week, trend
from triage_ml.value.touch_time import TouchTime, touch_time

__all__ = [
    "KIND_TITLES",
    "PARTS",
    "Evidence",
    "Hours",
    "Kind",
    "Proposal",
    "TouchTime",
    "Trend",
    "automatability",
    "gather",
    "hours_a_week",
    "propose",
    "touch_time",
    "trend",
]
