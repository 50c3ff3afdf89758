"""The `triage` command. Sub-commands come from the entry points of group `triage.commands`, each a typer app.

Modules named there import nothing heavy at the top, so that `triage --help` answers at once.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from typing import Annotated

import typer

__all__ = ["build_app", "main"]

GROUP = "triage.commands"


def _print_version(wanted: bool) -> None:
    if wanted:
        from triage_ml import __version__

        typer.echo(f"triage-ml {__version__}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Reads IT support tickets: where each one goes, what keeps coming back, and whether it helped."""


def build_app() -> typer.Typer:
    """The whole command line, with the sub-commands of every installed package."""
    app = typer.Typer(
        name="triage", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, callback=_root
    )
    for entry in distribution("triage-ml").entry_points.select(group=GROUP):
        app.add_typer(entry.load())
    return app


def main() -> None:
    """Entry point of the `triage` script."""
    try:
        build_app()()
    except KeyboardInterrupt:
        typer.secho("Interrupted; nothing half-done was left behind.", err=True)
        sys.exit(130)
