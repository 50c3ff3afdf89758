"""Tickets in, answers out: shared by the scoring service and batch scoring."""

from triage_ml.answer.answerer import Answerer, load_answerer
from triage_ml.answer.model import Model, prepare, read_model, write_model
from triage_ml.answer.table import score_table

__all__ = ["Answerer", "Model", "load_answerer", "prepare", "read_model", "score_table", "write_model"]
