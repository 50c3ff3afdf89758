"""Resolved tickets with what resolved them, to be found by a new ticket's text. Beside the store, never in a model."""

from triage_ml.cases.build import Built, build_cases
from triage_ml.cases.index import KIND, CaseIndex, SimilarCase, cases_folder, open_cases

__all__ = ["KIND", "Built", "CaseIndex", "SimilarCase", "build_cases", "cases_folder", "open_cases"]
