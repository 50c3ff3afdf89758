"""Commands of `triage_training`."""

from __future__ import annotations

import typer

__all__ = ["app"]

app = typer.Typer()
