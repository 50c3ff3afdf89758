"""Text -> vectors: lexical always, semantic where the user names an encoder."""

from triage_ml.features.hashing import Layout, normalise
from triage_ml.features.lexical import LexicalFeatures, Occurrences

__all__ = ["Layout", "LexicalFeatures", "Occurrences", "normalise"]
