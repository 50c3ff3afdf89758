"""triage-ml: where a ticket goes, what keeps coming back, and whether it helped."""

__version__ = "0.1.0"
