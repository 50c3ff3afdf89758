"""A model bundle: the classifier, the taxonomy that it was trained under, and a sample to check it with after loading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triage_ml.bundle import read_bundle, write_bundle
from triage_ml.classify import TriageClassifier, classifier_from_bundle, classifier_to_bundle
from triage_ml.errors import BundleCorruptError, BundleFormatError, TriageError
from triage_ml.taxonomy import Taxonomy

__all__ = ["Model", "read_model", "write_model"]

KIND = "model"

#: Made-up texts whose probabilities are stored in the bundle: a model that loads but computes something else is refused.
SAMPLE = (
    "Cannot log in after password change\nMy account is locked since this morning, please reset it.",
    "CRITICAL - disk usage above 95 % on database server",
    "Drucker im dritten Stock druckt nicht",
    "new laptop for a colleague who starts on Monday",
)
_TOLERANCE = 1e-3
#: What a reader stumbles over where a name is missing, is new, or stands for something else.
_OTHER_CONTENTS = (KeyError, TypeError, AttributeError, IndexError, ValueError)


@dataclass(frozen=True)
class Model:
    """What a model bundle holds, ready to answer."""

    classifier: TriageClassifier
    taxonomy: Taxonomy
    digest: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels that it answers."""
        return tuple(self.classifier.classes_)


def write_model(folder: Path, classifier: TriageClassifier, taxonomy: Taxonomy) -> str:
    """Write the bundle and return its digest."""
    contents, arrays = classifier_to_bundle(classifier)
    contents |= {"taxonomy": taxonomy.to_dict()}
    arrays |= {f"sample.{name}": values for name, values in _sample_probabilities(classifier).items()}
    return write_bundle(folder, KIND, contents, arrays)


def read_model(folder: Path, *, verify: bool = True) -> Model:
    """Read and check a bundle; raises a BundleError where it is not what was written.

    Bundles of unfinished versions have the right format number and other contents: whatever those do to the readers is
    told as what it is.
    """
    bundle = read_bundle(folder, KIND, verify=verify)
    try:
        classifier = classifier_from_bundle(bundle.contents, bundle.arrays)
        _check_sample(classifier, bundle.arrays, folder)
        taxonomy = Taxonomy.from_dict(bundle.contents["taxonomy"], source=str(folder))
    except TriageError:
        raise
    except _OTHER_CONTENTS as error:
        raise BundleFormatError(
            f"{folder}: the bundle holds other contents than this version of triage-ml reads ({type(error).__name__}).",
            hint="Another version wrote it: train again with this one (triage train).",
        ) from error
    return Model(classifier, taxonomy, bundle.digest)


def _sample_probabilities(classifier: TriageClassifier) -> dict[str, np.ndarray]:
    answers = classifier.answers(classifier.vectors(SAMPLE)[0])
    return {str(index): answer.probabilities for index, answer in enumerate(answers.values())}


def _check_sample(classifier: TriageClassifier, arrays: Mapping[str, Any], folder: Path) -> None:
    for name, given in _sample_probabilities(classifier).items():
        if not np.allclose(arrays[f"sample.{name}"], given, atol=_TOLERANCE):
            raise BundleCorruptError(
                f"{folder}: the model does not answer its stored sample as it did when it was written.",
                hint="Train it again with this version of triage-ml.",
            )
