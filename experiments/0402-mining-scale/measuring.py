"""Time and memory of a command and its children."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

EVERY = 0.25


def measured(command: list[str], folder: Path, out: Path) -> dict[str, Any]:
    """Seconds and peak memory (summed proportional set size, MB) of a command that writes to `out`."""
    begun = time.monotonic()
    with out.open("w") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file)
        peak = [0.0]
        watcher = threading.Thread(target=_watch, args=(process, peak))
        watcher.start()
        code = process.wait()
        watcher.join()
    if code:
        raise SystemExit(f"{command[2]} ended with {code}")
    return {"seconds": round(time.monotonic() - begun, 1), "megabytes": round(peak[0])}


def _watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_pss, _family(process.pid))))
        time.sleep(EVERY)


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for one in threads for child in (one / "children").read_text().split()]
    except OSError:
        return found
    return [*found, *(one for child in children for one in _family(int(child)))]


def _pss(pid: int) -> float:
    """Proportional set size in megabytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
