"""Models and patterns on disk: a manifest, plain arrays, checksums. Loading runs no code."""

from triage_ml.bundle.drafts import bundle_draft
from triage_ml.bundle.files import FORMAT_VERSION, MANIFEST, Bundle, read_bundle, write_bundle
from triage_ml.bundle.names import ARTIFACT_PATH, CHALLENGER, CHAMPION, MODEL_NAME
from triage_ml.bundle.strings import pack_strings, unpack_strings

__all__ = [
    "ARTIFACT_PATH",
    "CHALLENGER",
    "CHAMPION",
    "FORMAT_VERSION",
    "MANIFEST",
    "MODEL_NAME",
    "Bundle",
    "bundle_draft",
    "pack_strings",
    "read_bundle",
    "unpack_strings",
    "write_bundle",
]
