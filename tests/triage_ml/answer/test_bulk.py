"""Scoring whole files: the same answers as one by one, in order, on all cores, again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage_ml.answer import BulkJob, load_answerer, prepare, score_file, write_model
from triage_ml.classify import TriageClassifier
from triage_ml.errors import InputError
from triage_ml.patterns import Said, grow, masked_texts, publish_book
from triage_ml.settings import Decision, Paths, Settings
from triage_ml.taxonomy import Taxonomy
from triage_ml.tickets import write_tickets

PHRASES = ["password expired", "account locked", "printer jammed", "toner empty", "disk full alarm", "service stopped"]
TITLES = [*PHRASES, "", "?", "مرحبا 😀", "pin: 4711", "<b>printer</b>\n\njammed"]
LABELS = {"password": "Access", "account": "Access", "printer": "Printing", "toner": "Printing"}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    texts = [f"{draw.choice(PHRASES)} since {draw.choice(['monday', 'today'])} please" for _ in range(600)]
    labels = pd.DataFrame({"category": [LABELS.get(text.split()[0], "Servers") for text in texts]})
    model = TriageClassifier(penalty=1.0).fit(
        prepare(texts[:400]), labels[:400], calibration=(prepare(texts[400:]), labels[400:])
    )
    folder = tmp_path_factory.mktemp("bulk") / "model"
    write_model(folder, model, Taxonomy())
    return folder


def some_tickets(count: int) -> pd.DataFrame:
    draw = np.random.default_rng(count)
    texts = [f"{draw.choice(PHRASES)} {draw.choice(PHRASES)} on host{draw.integers(9)}" for _ in range(count)]
    return pd.DataFrame({"ticket_id": [f"T{number}" for number in range(count)], "title": texts})


@pytest.fixture
def job(bundle: Path, tmp_path: Path) -> BulkJob:
    write_tickets(some_tickets(100), tmp_path / "in.parquet")
    return BulkJob(tmp_path / "in.parquet", tmp_path / "out.parquet", bundle, Settings(), chunk_tickets=16)


def read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


@settings(max_examples=15)
@given(
    titles=st.lists(st.sampled_from(TITLES) | st.text(max_size=60), min_size=1, max_size=12), chunk=st.integers(1, 5)
)
def test_a_file_is_answered_what_single_tickets_are(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory, titles: list[str], chunk: int
) -> None:
    folder = tmp_path_factory.mktemp("one-by-one")
    titles = [title.encode("utf-8", "ignore").decode() for title in titles]
    tickets = [{"ticket_id": str(number), "title": title} for number, title in enumerate(titles)]
    pd.DataFrame(tickets).to_parquet(folder / "in.parquet")
    score_file(
        BulkJob(folder / "in.parquet", folder / "out.parquet", bundle, Settings(), chunk_tickets=chunk), workers=1
    )
    answerer = load_answerer(bundle, Settings())
    rows = read(folder / "out.parquet").to_dict("records")
    assert [row["ticket_id"] for row in rows] == [ticket["ticket_id"] for ticket in tickets]
    for row, ticket in zip(rows, tickets, strict=True):
        (answer,) = answerer.answer([ticket])
        target = answer["targets"]["category"]
        assert (row["action"], row["reason"]) == tuple(answer["decision"].values())
        assert (row["category"], row["category_action"], row["category_reason"]) == tuple(
            target[key] for key in ("value", "action", "reason")
        )
        assert round(row["category_probability"], 4) == target["probability"]


@pytest.mark.slow
def test_workers_give_the_same_file_as_one_process(job: BulkJob) -> None:
    job = replace(job, chunk_tickets=4)  # so many chunks that workers are worth it
    alone = score_file(job, workers=1)
    first = job.out.read_bytes()
    together = score_file(replace(job, out=job.out.with_name("two.parquet")), workers=2)
    assert job.out.with_name("two.parquet").read_bytes() == first
    assert together.actions == alone.actions
    assert together.tickets == 100


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.jsonl"])
def test_every_format_says_the_same(job: BulkJob, name: str) -> None:
    score_file(job, workers=1)
    other = job.out.with_name(name)
    score_file(replace(job, out=other), workers=1)
    frame = pd.read_json(other, lines=True) if "jsonl" in name else pd.read_csv(other)
    pd.testing.assert_frame_equal(frame, read(job.out), check_dtype=False, rtol=1e-5)


def test_progress_reaches_the_end_and_every_stage_is_timed(job: BulkJob) -> None:
    seen: list[tuple[int, float]] = []
    scored = score_file(job, workers=1, progress=lambda done, share: seen.append((done, share)))
    assert [done for done, _ in seen] == [16, 32, 48, 64, 80, 96, 100]
    assert seen[-1] == (100, 1.0)
    assert list(scored.seconds) == ["read", "clean", "redact", "features", "heads", "decide", "write"]
    assert all(seconds > 0 for seconds in scored.seconds.values())


def interrupted(job: BulkJob, after: int) -> None:
    """Score until so many tickets are done, then fail."""

    def stop(done: int, _share: float) -> None:
        if done >= after:
            raise KeyboardInterrupt("that is enough")

    with pytest.raises(KeyboardInterrupt, match="that is enough"):
        score_file(job, workers=1, progress=stop)


def test_a_run_goes_on_where_it_was_ended(job: BulkJob) -> None:
    score_file(replace(job, out=job.out.with_name("whole.parquet")), workers=1)
    interrupted(job, after=48)
    assert not job.out.exists()
    scored = score_file(job, workers=1)
    assert (scored.tickets, scored.resumed) == (100, 48)
    assert job.out.read_bytes() == job.out.with_name("whole.parquet").read_bytes()
    assert sorted(file.name for file in job.out.parent.iterdir()) == ["in.parquet", "out.parquet", "whole.parquet"]


def test_another_input_starts_anew(job: BulkJob) -> None:
    interrupted(job, after=48)
    write_tickets(some_tickets(90), job.tickets)
    assert score_file(job, workers=1).resumed == 0
    assert len(read(job.out)) == 90


def test_other_settings_start_anew(job: BulkJob) -> None:
    interrupted(job, after=48)
    careful = replace(job, settings=Settings(decision=Decision(force_suggest=True)))
    assert score_file(careful, workers=1).resumed == 0
    assert "auto" not in set(read(job.out)["action"])


def test_another_model_starts_anew(job: BulkJob, tmp_path: Path) -> None:
    interrupted(job, after=48)
    texts = [f"{phrase} again and again" for phrase in PHRASES] * 20
    labels = pd.DataFrame({"category": [text.split()[0] for text in texts]})
    write_model(tmp_path / "other", TriageClassifier(penalty=1.0).fit(texts, labels), Taxonomy())
    assert score_file(replace(job, bundle=tmp_path / "other"), workers=1).resumed == 0
    assert set(read(job.out)["category"]) <= {phrase.split()[0] for phrase in PHRASES}


def test_starting_anew_can_be_asked_for(job: BulkJob) -> None:
    interrupted(job, after=48)
    assert score_file(job, workers=1, resume=False).resumed == 0


def test_a_file_that_breaks_off_leaves_no_output(job: BulkJob, tmp_path: Path) -> None:
    broken = tmp_path / "in.csv"
    broken.write_text("ticket_id,title\n" + "1,printer jammed\n" * 40 + "2,a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"in\.csv, row 42: expected 2 fields as in the header, found 3\."):
        score_file(replace(job, tickets=broken), workers=1)
    assert not job.out.exists()


def test_a_file_that_is_not_there_is_told(job: BulkJob) -> None:
    with pytest.raises(InputError, match=r"none\.csv: no such file\.$"):
        score_file(replace(job, tickets=job.tickets.with_name("none.csv")))


SCRIPT = """
import sys
from pathlib import Path
from triage_ml.answer import BulkJob, score_file
from triage_ml.settings import Settings
if __name__ == "__main__":
    tickets, out, bundle = map(Path, sys.argv[1:])
    score_file(BulkJob(tickets, out, bundle, Settings(), chunk_tickets=16), workers=1)
"""


@pytest.mark.slow
def test_a_killed_process_leaves_only_whole_parts(bundle: Path, tmp_path: Path) -> None:
    tickets, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    write_tickets(some_tickets(3_000), tickets)
    (tmp_path / "run.py").write_text(SCRIPT, encoding="utf-8")
    process = subprocess.Popen([sys.executable, tmp_path / "run.py", tickets, out, bundle])
    parts = tmp_path / ".out.parquet.parts"
    deadline = time.monotonic() + 60
    while len(list(parts.glob("0*.arrow"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    scored = score_file(BulkJob(tickets, out, bundle, Settings(), chunk_tickets=16), workers=1)
    assert scored.resumed >= 80
    assert read(out)["ticket_id"].tolist() == [f"T{number}" for number in range(3_000)]
    assert not parts.exists()


def test_workers_read_the_published_patterns(job: BulkJob, tmp_path: Path) -> None:
    settings = Settings(paths=Paths(home=tmp_path))
    texts = sorted(set(masked_texts(some_tickets(100)["title"])))
    said = [Said(text, text, text, 3) for text in texts]
    book = grow(None, said, week="2026-W01", min_tickets=5).book
    digest = publish_book(book, settings.paths.bundles)
    automated = {book.ids[0]: {"reference": "RB-1", "mode": "auto"}}
    score_file(replace(job, settings=settings, book=digest, automations=automated), workers=1)
    expected = [one.pattern_id if one else None for one in book.assign(some_tickets(100)["title"].tolist())]
    found = read(job.out)["pattern_id"]
    assert [one if isinstance(one, str) else None for one in found] == expected
    assert set(found.dropna()) <= set(book.ids)
    assert found.notna().any()
