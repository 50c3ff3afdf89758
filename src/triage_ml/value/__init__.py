"""What a pattern is worth: touch time, volume and trend, hours to save, how far and how it could be automated."""

from triage_ml.value.automatability import PARTS, Evidence, automatability, gather
from triage_ml.value.candidates import HISTORY_WEEKS, Candidate, list_candidates
from triage_ml.value.cues import CUES, cue_shares
from triage_ml.value.kind import KIND_TITLES, Kind, Proposal, propose, solved_below
from triage_ml.value.knowledge import KnowledgeGap, knowledge_gap
from triage_ml.value.move_down import MoveDown, lowest_capable_tier, move_down
from triage_ml.value.rate import Hours, Trend, hours_a_week, trend, with_many_tests
from triage_ml.value.realised import Realised, WeekOfWork, realised
from triage_ml.value.resolutions import common_resolutions
from triage_ml.value.savings import ASSUMPTIONS, Assumption, Savings, outlives_payback, savings_a_week
from triage_ml.value.service_levels import Moved, Work, moved_down, service_levels
from triage_ml.value.touch_time import TouchTime, touch_time

__all__ = [
    "ASSUMPTIONS",
    "CUES",
    "HISTORY_WEEKS",
    "KIND_TITLES",
    "PARTS",
    "Assumption",
    "Candidate",
    "Evidence",
    "Hours",
    "Kind",
    "KnowledgeGap",
    "MoveDown",
    "Moved",
    "Proposal",
    "Realised",
    "Savings",
    "TouchTime",
    "Trend",
    "WeekOfWork",
    "Work",
    "automatability",
    "common_resolutions",
    "cue_shares",
    "gather",
    "hours_a_week",
    "knowledge_gap",
    "list_candidates",
    "lowest_capable_tier",
    "move_down",
    "moved_down",
    "outlives_payback",
    "propose",
    "realised",
    "savings_a_week",
    "service_levels",
    "solved_below",
    "touch_time",
    "trend",
    "with_many_tests",
]
