"""A simulated service desk with known truth: tickets as people file them, and apart from them what is really so."""

from triage_ml.simulate.desk import DEFAULT_END, Desk, simulate_desk

__all__ = ["DEFAULT_END", "Desk", "simulate_desk"]
