"""Every error that triage-ml raises on purpose.

    TriageError
    ├── InputError            a file, table or column is not what was asked for
    ├── SettingsError         triage.toml or an environment variable
    ├── TaxonomyError         tiers, groups, aliases
    ├── NotEnoughDataError    the tickets can't carry what was asked of them
    ├── BundleError           a model or pattern folder
    │   ├── BundleCorruptError    a checksum differs, a file is missing
    │   └── BundleFormatError     written by a later version
    ├── StoreError            the database of predictions, patterns and decisions
    │   └── StoreVersionError     its schema is newer than this program
    ├── RegistryError         MLflow does not answer or answers nonsense
    │   └── NoModelError          nothing is registered under that name or alias
    ├── AlreadyRunningError   another process does this job now
    └── ServiceError          the service can't start or can't be reached

A message says what was expected, what was found and what to do; it never quotes ticket text.
The command line prints it and exits with 1; the service maps it to problem+json.
"""

from __future__ import annotations

__all__ = [
    "AlreadyRunningError",
    "BundleCorruptError",
    "BundleError",
    "BundleFormatError",
    "InputError",
    "NoModelError",
    "NotEnoughDataError",
    "RegistryError",
    "ServiceError",
    "SettingsError",
    "StoreError",
    "StoreVersionError",
    "TaxonomyError",
    "TriageError",
]


class TriageError(Exception):
    """The base of them all.

    Parameters
    ----------
    message
        What was expected and what was found, in one or two sentences, without ticket text.
    hint
        What to do about it; printed on a line of its own.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class InputError(TriageError, ValueError):
    """A file, table or column is not what was asked for."""


class SettingsError(TriageError, ValueError):
    """triage.toml or an environment variable holds something it can't."""


class TaxonomyError(TriageError, ValueError):
    """Tiers, groups or aliases contradict themselves or the tickets."""


class NotEnoughDataError(TriageError, ValueError):
    """The tickets can't carry what was asked of them."""


class BundleError(TriageError):
    """A model or pattern folder can't be used."""


class BundleCorruptError(BundleError):
    """A file of the bundle is missing or its checksum differs."""


class BundleFormatError(BundleError):
    """The bundle was written by a later version, or is no bundle."""


class StoreError(TriageError):
    """The database can't be reached, read or written."""


class StoreVersionError(StoreError):
    """The database's schema is newer than this program."""


class RegistryError(TriageError):
    """MLflow does not answer, or answers nonsense."""


class NoModelError(RegistryError):
    """Nothing is registered under that name, version or alias."""


class AlreadyRunningError(TriageError):
    """Another process does this job now; nothing was done."""


class ServiceError(TriageError):
    """The service can't start, or can't be reached."""
