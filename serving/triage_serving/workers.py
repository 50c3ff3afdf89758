"""Several workers that share what they have in common: they are forked from one process that has it already.

uvicorn starts its workers from nothing, so each imports and compiles everything for itself: about 200 MB a worker. Forked ones
share those pages until they write to them. The process that forks has no threads and no event loop, and what the garbage
collector would touch is put out of its sight first.
"""

from __future__ import annotations

import gc
import os
import tempfile
from multiprocessing import get_context
from pathlib import Path
from socket import socket

from prometheus_client.multiprocess import mark_process_dead
from uvicorn import Config
from uvicorn._subprocess import subprocess_started
from uvicorn.supervisors import multiprocess

__all__ = ["Supervisor", "freeze", "warm_up"]


class Forked(multiprocess.Process):
    """uvicorn's worker, forked."""

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self.process = get_context("fork").Process(  # type: ignore[assignment]
            target=subprocess_started,
            kwargs={"config": config, "target": self.target, "sockets": sockets, "stdin_fileno": None},
        )

    def join(self) -> None:
        """Wait for its end; what it showed of itself ends with it."""
        super().join()
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ and self.pid is not None:
            mark_process_dead(self.pid)  # type: ignore[no-untyped-call]


class Supervisor(multiprocess.Multiprocess):
    """uvicorn's supervisor over forked workers."""

    def run(self) -> None:
        """Until a signal; a worker that dies is replaced."""
        plain = multiprocess.Process
        multiprocess.Process = Forked  # type: ignore[misc]
        try:
            super().run()
        finally:
            multiprocess.Process = plain  # type: ignore[misc]


def warm_up() -> None:
    """Import what answers, and have the compiled loops in memory: a small model is made, written, read and asked.

    The first ticket of a fresh process is answered as quickly as the others, and forked workers share the compiled code.
    """
    import pandas as pd

    from triage_ml.answer import load_answerer, prepare, write_model
    from triage_ml.classify import TriageClassifier
    from triage_ml.settings import Settings
    from triage_ml.taxonomy import Taxonomy

    texts = prepare([f"{words} {number}" for number in range(20) for words in ("password expired", "printer jammed")])
    labels = pd.DataFrame({"category": ["Access", "Printing"] * 20})
    with tempfile.TemporaryDirectory(prefix="triage-warm-") as folder:
        bundle = Path(folder) / "bundle"
        write_model(bundle, TriageClassifier(penalty=1.0).fit(texts, labels), Taxonomy())
        load_answerer(bundle, Settings()).answer([{"ticket_id": "warm", "title": "password expired again"}])


def freeze() -> None:
    """Leave everything that is there by now to no later collection, and look for cycles less often.

    Requests leave next to none, and Python's defaults spent a seventh of a busy worker's time on looking for them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
