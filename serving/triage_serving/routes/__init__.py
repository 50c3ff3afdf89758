"""The routes, a module a concern."""

from triage_serving.routes import candidates, health, model, outcomes, score, similar, tickets

__all__ = ["candidates", "health", "model", "outcomes", "score", "similar", "tickets"]
