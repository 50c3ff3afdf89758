"""The routes, a module a concern."""

from triage_serving.routes import health, model, score, tickets

__all__ = ["health", "model", "score", "tickets"]
