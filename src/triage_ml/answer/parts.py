"""What a batch run has done so far, on disk, so that one that was killed goes on where it stopped.

Beside the output stands a folder `.<output>.parts`: a manifest with the digest of everything that the answers depend on,
and one Arrow file for each chunk that is done. A file is there whole or not at all, so being there means done. Parts of
another model, input or setting are thrown away.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from triage_ml.errors import InputError
from triage_ml.files import atomic_file

__all__ = ["Parts", "file_digest", "write_part"]

_MANIFEST = "manifest.json"


class Parts:
    """The parts of one output.

    Parameters
    ----------
    out
        The output that they will become.
    depends_on
        Plain JSON: model, input, settings; parts are only used again where all of it is the same.
    resume
        Without it, whatever is there is thrown away.
    """

    def __init__(self, out: Path, depends_on: Mapping[str, Any], *, resume: bool) -> None:
        self.folder = out.with_name(f".{out.name}.parts")
        text = json.dumps(depends_on, sort_keys=True, default=str)
        if not resume or self._manifest() != text:
            shutil.rmtree(self.folder, ignore_errors=True)
            with atomic_file(self.folder / _MANIFEST) as draft:
                draft.write_text(text, encoding="utf-8")

    def path(self, number: int) -> Path:
        """The file of a chunk."""
        return self.folder / f"{number:08d}.arrow"

    def is_done(self, number: int) -> bool:
        """Whether the chunk was answered, now or earlier."""
        return self.path(number).is_file()

    def tables(self, chunks: int) -> Iterator[pa.Table]:
        """The answers of all chunks, in order, each read when it is asked for."""
        for number in range(chunks):
            with pa.memory_map(str(self.path(number))) as source:
                yield pa.ipc.open_file(source).read_all()

    def remove(self) -> None:
        """The output is written; nothing of this is needed any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _manifest(self) -> str | None:
        try:
            return (self.folder / _MANIFEST).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


def write_part(path: Path, answers: pd.DataFrame) -> None:
    """Write the answers of one chunk, whole or not at all."""
    table = pa.Table.from_pandas(answers, preserve_index=False)
    with atomic_file(path) as draft, pa.OSFile(str(draft), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}).") from None
