"""What killed writers of bundles leave goes with the next one; what others are writing stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from triage_ml.answer import Recogniser, publish_recogniser
from triage_ml.bundle import bundle_draft, read_bundle, write_bundle

WRITER = """
import os, signal, sys
from pathlib import Path
import numpy as np
from triage_ml.bundle import bundle_draft, files, write_bundle

def killed(*args):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "while it writes":
    written, files._write_array = files._write_array, lambda path, array: killed() if path.stem == "b" else written(path, array)
with bundle_draft(Path(sys.argv[1]), "patterns") as draft:
    write_bundle(draft, "patterns", {}, {"a": np.arange(9), "b": np.arange(9)})
    killed()
"""


@pytest.mark.parametrize("moment", ["while it writes", "when it has written"])
def test_the_draft_of_a_writer_that_was_killed_goes_with_the_next_one(tmp_path: Path, moment: str) -> None:
    done = subprocess.run([sys.executable, "-c", WRITER, tmp_path, moment], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1

    publish(tmp_path)

    assert [one.name for one in tmp_path.iterdir()] == ["patterns-new"]


def test_drafts_that_somebody_may_write_to_stay(tmp_path: Path) -> None:
    here, alive, old = socket.gethostname(), os.getppid(), time.time() - 2 * 24 * 3600
    kept = [
        f".patterns-draft-{here}-{alive}",
        f"..patterns-draft-{here}-{alive}-5y4q_d42",
        ".patterns-draft-elsewhere-2",
        f".other-patterns-draft-{here}-x",
    ]
    gone = [".patterns-draft-elsewhere-1", f"..patterns-draft-{here}-{os.getpid()}-12345678"]
    for name in (*kept, *gone):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / gone[0], (old, old))

    publish(tmp_path)

    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([*kept, "patterns-new"])


def test_a_draft_that_was_not_renamed_is_deleted(tmp_path: Path) -> None:
    with bundle_draft(tmp_path, "patterns") as draft:
        write_bundle(draft, "patterns", {}, {})

    assert not list(tmp_path.iterdir())


def test_recognisers_are_drafted_the_same_way(tmp_path: Path) -> None:
    recogniser = Recogniser.learn(["vpn drops", "paper jam"] * 40, ["P1", None] * 40)
    assert recogniser is not None
    (tmp_path / f"..recogniser-draft-{socket.gethostname()}-{os.getpid()}-12345678").mkdir()

    folder = publish_recogniser(recogniser, tmp_path, "2026-W47")

    assert list(tmp_path.iterdir()) == [folder]


def publish(bundles: Path) -> None:
    with bundle_draft(bundles, "patterns") as draft:
        write_bundle(draft, "patterns", {}, {"a": np.arange(9)})
        draft.rename(bundles / "patterns-new")
    assert read_bundle(bundles / "patterns-new", "patterns").arrays["a"].tolist() == list(range(9))
