"""What every command shares: results on stdout, everything else on stderr, one way to fail.

    @app.command()
    def check(tickets: Path, config: ConfigOption = None, as_json: JsonOption = False) -> None:
        with running("check", as_json) as out:
            ...
            out.say("12 classes can be learnt.")
            out.result(classes=12)

With `--json` stdout gets one JSON object and nothing else: `command`, `version`, `warnings` and what `result` was given,
or `error` (and exit code 1) where the command was refused or failed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage_ml.errors import TriageError

if TYPE_CHECKING:
    from rich.progress import Progress

__all__ = ["ConfigOption", "JsonOption", "Output", "running"]

ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings file; by default triage.toml in this folder, if there is one.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout and nothing else.")]


class Output:
    """Where a command puts its words; `running` makes one."""

    def __init__(self, command: str, as_json: bool) -> None:
        self.command = command
        self.as_json = as_json
        self.warnings: list[str] = []
        self._result: dict[str, Any] = {}
        self._refused = False

    def say(self, text: str = "") -> None:
        """A line for the reader; silent with `--json`."""
        if not self.as_json:
            typer.echo(text)

    def warn(self, text: str) -> None:
        """Something the reader should know; also in the JSON object."""
        self.warnings.append(text)
        if not self.as_json:
            typer.secho(f"warning: {text}", err=True, fg="yellow")

    def result(self, **values: Any) -> None:
        """Keys of the JSON object; later calls add to it."""
        self._result.update(values)

    def refuse(self, message: str, *, hint: str | None = None) -> None:
        """Done, and the answer is no: one message and exit code 1, with the JSON object complete."""
        self._refused = True
        self.result(refused=message)
        if not self.as_json:
            typer.secho(message, err=True, fg="red")
            if hint:
                typer.secho(hint, err=True)

    @property
    def exit_code(self) -> int:
        """1 where the command was refused."""
        return 1 if self._refused else 0

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A rich progress display on stderr; quiet where stderr is no terminal, and for the first second."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
            yield progress

    @contextmanager
    def steps(self) -> Iterator[Callable[[str], None]]:
        """What happens now, and for how long: yields a function to call with the name of each step."""
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
            task = shown.add_task("", total=None)
            yield lambda name: shown.update(task, description=name)

    def finish(self, **extra: Any) -> None:
        """Write the JSON object, where one was asked for."""
        if self.as_json:
            import orjson

            from triage_ml import __version__

            document = {"command": self.command, "version": __version__, "warnings": self.warnings}
            options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
            typer.echo(orjson.dumps(document | self._result | extra, option=options, default=str).decode())


@contextmanager
def running(command: str, as_json: bool) -> Iterator[Output]:
    """Run the body of a command: a TriageError becomes one clear message and exit code 1."""
    out = Output(command, as_json)
    try:
        yield out
    except TriageError as error:
        if as_json:
            out.finish(error={"type": type(error).__name__, "message": error.message, "hint": error.hint})
        else:
            typer.secho(f"error: {error.message}", err=True, fg="red")
            if error.hint:
                typer.secho(error.hint, err=True)
        raise typer.Exit(1) from error
    out.finish()
    if out.exit_code:
        raise typer.Exit(out.exit_code)
