"""What a pattern is worth: touch time, volume and trend, hours to save, how far and how it could be automated."""

from triage_ml.value.automatability import PARTS, Evidence, automatability, gather
from triage_ml.value.candidates import HISTORY_WEEKS, Candidate, Given, list_candidates
from triage_ml.value.cues import ASKS, CUES, ask_shares, cue_shares
from triage_ml.value.kind import KIND_TITLES, Kind, Proposal, propose, solved_below
from triage_ml.value.knowledge import KnowledgeGap, knowledge_gap
from triage_ml.value.move_down import MoveDown, Solved, lowest_capable_tier, lowest_of, move_down
from triage_ml.value.rate import Hours, Trend, hours_a_week, trend, with_many_tests
from triage_ml.value.realised import Realised, WeekOfWork, realised
from triage_ml.value.resolutions import common_resolutions
from triage_ml.value.savings import ASSUMPTIONS, Assumption, Savings, outlives_payback, savings_a_week
from triage_ml.value.service_levels import service_levels
from triage_ml.value.shift_left import Flow, Moved, Periods, flows, moved_down
from triage_ml.value.touch_time import TouchTime, touch_time
from triage_ml.value.work import Work, minutes_of_tier, solved_by_pattern

__all__ = [
    "ASKS",
    "ASSUMPTIONS",
    "CUES",
    "HISTORY_WEEKS",
    "KIND_TITLES",
    "PARTS",
    "Assumption",
    "Candidate",
    "Evidence",
    "Flow",
    "Given",
    "Hours",
    "Kind",
    "KnowledgeGap",
    "MoveDown",
    "Moved",
    "Periods",
    "Proposal",
    "Realised",
    "Savings",
    "Solved",
    "TouchTime",
    "Trend",
    "WeekOfWork",
    "Work",
    "ask_shares",
    "automatability",
    "common_resolutions",
    "cue_shares",
    "flows",
    "gather",
    "hours_a_week",
    "knowledge_gap",
    "list_candidates",
    "lowest_capable_tier",
    "lowest_of",
    "minutes_of_tier",
    "move_down",
    "moved_down",
    "outlives_payback",
    "propose",
    "realised",
    "savings_a_week",
    "service_levels",
    "solved_below",
    "solved_by_pattern",
    "touch_time",
    "trend",
    "with_many_tests",
]
