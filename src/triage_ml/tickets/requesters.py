"""Requesters without their names: a keyed hash, so that one person stays one person.

The key lies under home (`requester.key`, readable by its owner alone) and never leaves the machine. Without it nobody can
hash a list of colleagues and compare. Delete it, and the next import gives everybody a new id.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.tickets.dtypes import STRING

__all__ = ["hash_requesters", "requester_hasher"]

KEY_FILE = "requester.key"
_HASHED = re.compile(r"p-[0-9a-f]{16}")


def requester_hasher(home: Path) -> Callable[[str], str]:
    """A function from a requester to `p-` and 16 hexadecimal digits: HMAC-SHA256 with the key of `home`.

    The key is read at the first requester, and made where there is none. Case does not matter; what is hashed already
    comes back as it is.
    """
    key = cache(lambda: _key(home / KEY_FILE))

    def hashed(requester: str) -> str:
        if _HASHED.fullmatch(requester):
            return requester
        return f"p-{hmac.digest(key(), requester.casefold().encode(), 'sha256').hex()[:16]}"

    return hashed


def hash_requesters(values: pd.Series, hashed: Callable[[str], str]) -> pd.Series:
    """A column of requesters, hashed; missing stays missing."""
    distinct = {name: hashed(name) for name in values.dropna().unique()}
    return values.astype(object).map(distinct).astype(STRING)


def _key(path: Path) -> bytes:
    try:
        if not path.exists():
            _make_key(path)
        return bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        raise InputError(
            f"{path}: expected a key of hexadecimal digits.", hint="Restore it, or delete it for new ids."
        ) from None
    except OSError as error:
        raise InputError(f"{path}: the key for requesters can't be read or made ({error.strerror}).") from None


def _make_key(path: Path) -> None:
    """Linked into place, so that of two imports at once the second takes the key of the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        Path(draft).unlink()
