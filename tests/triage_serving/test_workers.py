"""What several workers share, and what ends with one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from triage_serving.workers import Forked


class Ended:
    """A process that is over."""

    pid = 4242

    def join(self) -> None:
        pass


def test_what_a_dead_worker_showed_of_itself_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for name in ("gauge_livesum_4242.db", "gauge_livemax_4242.db", "counter_4242.db", "gauge_livesum_1.db"):
        (tmp_path / name).touch()
    worker = object.__new__(Forked)
    worker.process = Ended()  # type: ignore[assignment]
    worker.join()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["counter_4242.db", "gauge_livesum_1.db"]
