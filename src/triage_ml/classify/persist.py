"""A fitted classifier as bundle contents and arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.classify.calibrate import Calibrator
from triage_ml.classify.classifier import TriageClassifier
from triage_ml.classify.decide import Policy
from triage_ml.classify.familiarity import Familiarity
from triage_ml.classify.fitting import FittedTarget
from triage_ml.classify.heads import Head, LinearHead
from triage_ml.classify.network import Network
from triage_ml.errors import BundleCorruptError
from triage_ml.features import features_from_arrays

__all__ = ["classifier_from_bundle", "classifier_to_bundle"]

#: Which columns are read is the same for the networks of all targets.
_PLACE = "network.place"
_OWN = tuple(part.name for part in fields(Network) if part.name != "place")


def classifier_to_bundle(model: TriageClassifier) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(contents, arrays) for `triage_ml.bundle.write_bundle`."""
    params = {name: value for name, value in model.get_params(deep=False).items() if name != "features"}
    contents: dict[str, Any] = {
        "classifier": params,
        "features": model.features_.get_params(),
        "familiarity": asdict(model._familiarity),
        "targets": [],
    }
    arrays = {f"features.{name}": array for name, array in model.features_.to_arrays().items()}
    for index, (name, target) in enumerate(model._targets.items()):
        plain = {
            "name": name,
            "classes": list(target.head.classes),
            "penalty": target.penalty,
            "calibrator": asdict(target.calibrator),
            "policies": [_without_evidence(policy) for policy in target.policies],
            "network": target.head.network is not None,
        }
        contents["targets"].append(plain)
        arrays |= {
            f"target-{index}.weights": target.head.linear.weights,
            f"target-{index}.intercept": target.head.linear.intercept,
            f"target-{index}.evidence": target.policy.evidence,
        }
        if target.head.network is not None:
            arrays |= {f"target-{index}.network.{part}": getattr(target.head.network, part) for part in _OWN}
            arrays[_PLACE] = target.head.network.place
    return contents, arrays


def classifier_from_bundle(contents: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> TriageClassifier:
    """The reverse of `classifier_to_bundle`; the big arrays stay memory-mapped.

    Raises
    ------
    BundleCorruptError
        A network's arrays are there without the network being told of, or the other way round.
    """
    model = TriageClassifier(**contents["classifier"])
    mine = {name.removeprefix("features."): array for name, array in arrays.items() if name.startswith("features.")}
    model.features_ = features_from_arrays(contents["features"], mine)
    model._targets = {}
    for index, plain in enumerate(contents["targets"]):
        part = {key: arrays[f"target-{index}.{key}"] for key in ("weights", "intercept", "evidence")}
        linear = LinearHead(tuple(plain["classes"]), part["weights"], part["intercept"])
        head = Head(linear, _network(plain, index, arrays))
        calibrator = Calibrator(plain["calibrator"]["temperature"], tuple(plain["calibrator"]["top"]))
        evidence = np.asarray(part["evidence"], dtype=bool)
        policies = tuple(
            Policy(**{**policy, "own": tuple((index, own) for index, own in policy["own"])}, evidence=evidence)
            for policy in plain["policies"]
        )
        model._targets[plain["name"]] = FittedTarget(head, plain["penalty"], calibrator, policies)
    model._familiarity = Familiarity(**contents["familiarity"])
    return model


def _network(plain: Mapping[str, Any], index: int, arrays: Mapping[str, NDArray[Any]]) -> Network | None:
    """The network of a target.

    Bundles of unfinished versions don't tell whether there is one, and are believed; they hold its `place` once a target.
    """
    prefix = f"target-{index}.network."
    found = {part: arrays[prefix + part] for part in _OWN if prefix + part in arrays}
    place = arrays.get(f"{prefix}place", arrays.get(_PLACE))
    expected = _OWN if plain.get("network", bool(found)) else ()
    if tuple(found) != expected or (expected and place is None):
        raise BundleCorruptError(
            f"Target {plain['name']!r}: the arrays of its network are not those that the bundle tells of.",
            hint="Train it again with this version of triage-ml.",
        )
    return Network(place, **found) if place is not None and found else None


def _without_evidence(policy: Policy) -> dict[str, Any]:
    return {key: value for key, value in asdict(policy).items() if key != "evidence"}
