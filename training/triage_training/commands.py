"""Commands of training, from modules by theme. They read, call a job, and print."""

from __future__ import annotations

import typer

from triage_training.check_commands import app as check_commands
from triage_training.drift_commands import app as drift_commands
from triage_training.model_commands import app as model_commands
from triage_training.outcome_commands import app as outcome_commands
from triage_training.pattern_commands import app as pattern_commands
from triage_training.report_commands import app as report_commands
from triage_training.score_commands import app as score_commands
from triage_training.train_commands import app as train_commands

__all__ = ["app"]

app = typer.Typer()
app.add_typer(check_commands)
app.add_typer(train_commands)
app.add_typer(model_commands)
app.add_typer(outcome_commands)
app.add_typer(drift_commands)
app.add_typer(score_commands)
app.add_typer(pattern_commands)
app.add_typer(report_commands)
