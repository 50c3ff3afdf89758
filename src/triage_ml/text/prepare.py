"""The form in which a model sees a ticket."""

from __future__ import annotations

from collections.abc import Iterable

from triage_ml.text.clean import clean
from triage_ml.text.redact import redact

__all__ = ["prepare"]


def prepare(texts: Iterable[str]) -> list[str]:
    """Cleaned, then redacted: the one form in which a model ever sees a ticket, in training and in scoring."""
    return redact(clean(texts))
