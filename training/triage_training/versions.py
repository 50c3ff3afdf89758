"""Registered versions, as the rest of training sees them."""

from __future__ import annotations

from dataclasses import dataclass

from triage_ml.bundle import CHALLENGER, CHAMPION

__all__ = ["Version"]

_ALIASES = (CHAMPION, CHALLENGER)


@dataclass(frozen=True)
class Version:
    """A registered model: its number, run, digest, and the aliases it has now."""

    number: int
    run_id: str
    digest: str
    aliases: tuple[str, ...]
    created: float
    data_sha256: str = ""
    input_sha256: str = ""

    @property
    def role(self) -> str:
        """`champion`, `challenger`, or `none`."""
        return next((alias for alias in _ALIASES if alias in self.aliases), "none")
