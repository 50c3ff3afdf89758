"""Tickets in, answers out: shared by the scoring service and batch scoring."""

from triage_ml.answer.answerer import Answerer, load_answerer
from triage_ml.answer.audit import PICKED_FOR_AUDIT, is_picked
from triage_ml.answer.bulk import BulkJob, Scored, score_file
from triage_ml.answer.model import Model, read_model, write_model
from triage_ml.answer.recogniser import FEWEST_TICKETS, Recogniser
from triage_ml.answer.recogniser_files import latest_recogniser, publish_recogniser, week_of_recogniser
from triage_ml.answer.rule_files import load_rules
from triage_ml.answer.rules import RULE_FIELDS, RuleBook
from triage_ml.answer.stages import STAGES, Stages
from triage_ml.answer.table import score_table
from triage_ml.answer.verdicts import REASONS
from triage_ml.text import prepare

__all__ = [
    "FEWEST_TICKETS",
    "PICKED_FOR_AUDIT",
    "REASONS",
    "RULE_FIELDS",
    "STAGES",
    "Answerer",
    "BulkJob",
    "Model",
    "Recogniser",
    "RuleBook",
    "Scored",
    "Stages",
    "is_picked",
    "latest_recogniser",
    "load_answerer",
    "load_rules",
    "prepare",
    "publish_recogniser",
    "read_model",
    "score_file",
    "score_table",
    "week_of_recogniser",
    "write_model",
]
