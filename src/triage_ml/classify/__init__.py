"""Ticket text -> tier, category and any other target, with calibrated probabilities, decisions and reasons."""

from triage_ml.classify.calibrate import fit_temperature, softmax
from triage_ml.classify.classifier import TargetAnswers, TriageClassifier
from triage_ml.classify.decide import REASONS, Action, Policy, choose_policy, lower_bound
from triage_ml.classify.explain import Explainer, Term
from triage_ml.classify.heads import Head, LinearHead, fit_head
from triage_ml.classify.persist import classifier_from_bundle, classifier_to_bundle

__all__ = [
    "REASONS",
    "Action",
    "Explainer",
    "Head",
    "LinearHead",
    "Policy",
    "TargetAnswers",
    "Term",
    "TriageClassifier",
    "choose_policy",
    "classifier_from_bundle",
    "classifier_to_bundle",
    "fit_head",
    "fit_temperature",
    "lower_bound",
    "softmax",
]
