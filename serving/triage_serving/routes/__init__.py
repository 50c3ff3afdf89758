"""The routes, a module a concern."""

from triage_serving.routes import health, model, outcomes, score, tickets

__all__ = ["health", "model", "outcomes", "score", "tickets"]
