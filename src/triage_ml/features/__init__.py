"""Text -> vectors: lexical always, semantic where the user names an encoder."""

from triage_ml.features.joined import JoinedFeatures, features_from_arrays
from triage_ml.features.lexical import LexicalFeatures
from triage_ml.features.packing import LONGEST_TEXT, normalise
from triage_ml.features.reading import Occurrences, Reading
from triage_ml.features.semantic import Encoder, load_encoder

__all__ = [
    "LONGEST_TEXT",
    "Encoder",
    "JoinedFeatures",
    "LexicalFeatures",
    "Occurrences",
    "Reading",
    "features_from_arrays",
    "load_encoder",
    "normalise",
]
