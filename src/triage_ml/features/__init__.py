"""Text -> vectors: lexical always, semantic where the user names an encoder."""

from triage_ml.features.hashing import Layout, normalise
from triage_ml.features.joined import JoinedFeatures, features_from_arrays
from triage_ml.features.lexical import LexicalFeatures, Occurrences
from triage_ml.features.semantic import Encoder, load_encoder

__all__ = [
    "Encoder",
    "JoinedFeatures",
    "Layout",
    "LexicalFeatures",
    "Occurrences",
    "features_from_arrays",
    "load_encoder",
    "normalise",
]
