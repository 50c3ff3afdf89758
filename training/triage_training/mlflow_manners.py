"""How we talk to MLflow and about it: time limits, names it takes, what is told of its errors."""

from __future__ import annotations

import logging
import os
import re

from triage_ml.settings import Settings

__all__ = ["metric_name", "prepare_environment", "reason_of", "without_password"]


def prepare_environment(settings: Settings) -> None:
    """A short time limit instead of seven tries in two minutes, no telemetry, no chatter."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(max(1, round(settings.mlflow.timeout_seconds))))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def metric_name(name: str) -> str:
    """MLflow takes letters, digits, `_`, `-`, `.`, space, `:` and `/`."""
    return re.sub(r"[^\w.\- :/]", "_", name, flags=re.ASCII)


def reason_of(error: Exception) -> str:
    """The first line of what was said, or the error's name; an answer in HTML is not quoted."""
    said = str(error).strip().splitlines()
    return without_password(said[0][:200]) if said and "<" not in said[0] else type(error).__name__


def without_password(uri: str) -> str:
    return re.sub(r"//[^@/]*@", "//", uri)
