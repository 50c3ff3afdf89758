"""The catalogue is data that people extend: what every kind must have, and what a slip in a file says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from triage_ml.errors import InputError
from triage_ml.simulate.catalogue import AUTOMATIONS, FOLDER, LANGUAGES, Catalogue, Kind, load_catalogue
from triage_ml.simulate.dice import Dice
from triage_ml.simulate.people import Person, hire
from triage_ml.simulate.slots import TicketWords

KIND = """
category = "Access"
[[kinds]]
id = "access-test"
subcategory = "Password"
weight = 1.0
ticket_type = "request"
activity = "corrective"
tiers = { L1 = 0.8, L2 = 0.2 }
groups = { L2 = ["Identity Operations"] }
lowest_tier = "L1"
minutes = { median = 12, sigma = 0.5 }
priorities = { P3 = 1.0 }
channels = { email = 1.0 }
automation = { kind = "self_service_form", share_covered = 0.8, success = 0.9 }
[[kinds.asks]]
channels = ["email"]
title = "[Reset|Forgot] password"
body = "I forgot the password of {user}."
[[kinds.resolutions]]
id = "reset"
share = 1.0
texts = ["Reset."]
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def person(catalogue: Catalogue) -> Person:
    return hire(catalogue.organisation, Dice(np.random.default_rng(0)))[0][0]


def words(catalogue: Catalogue, person: Person, seed: int) -> TicketWords:
    return TicketWords(catalogue.slots, Dice(np.random.default_rng(seed)), person, 1_790_000_000, "en")


def test_the_catalogue_is_as_wide_as_a_real_desk(catalogue: Catalogue) -> None:
    organisation = catalogue.organisation
    assert len(catalogue.kinds) >= 150
    assert len(catalogue.categories) >= 12
    assert len(organisation.groups) >= 20
    solving = {tier for kind in catalogue.kinds for tier in kind.tiers}
    assert solving == set(organisation.rank) - {"L0"}
    assert {kind.automation.kind for kind in catalogue.kinds if kind.automation} == set(AUTOMATIONS)
    assert {kind.ticket_type for kind in catalogue.kinds} == {"incident", "request", "problem", "change"}
    assert {kind.activity for kind in catalogue.kinds} == {"corrective", "preventive", "perfective", "adaptive"}


def test_it_has_kinds_to_move_down_kinds_to_automate_and_kinds_that_can_do_neither(catalogue: Catalogue) -> None:
    rank = catalogue.organisation.rank

    def above(kind: Kind) -> float:
        return sum(share for tier, share in kind.tiers.items() if rank[tier] > rank[kind.lowest_tier])

    automatable = sum(kind.automation is not None for kind in catalogue.kinds) / len(catalogue.kinds)
    assert 0.35 <= automatable <= 0.65
    assert sum(above(kind) >= 0.2 for kind in catalogue.kinds) / len(catalogue.kinds) >= 0.2
    assert any(kind.automation is None and above(kind) == 0 for kind in catalogue.kinds)


def test_the_volume_has_a_long_tail(catalogue: Catalogue) -> None:
    weights = np.sort([kind.weight for kind in catalogue.kinds])[::-1]
    assert weights[:15].sum() / weights.sum() > 0.25
    assert (weights < 1).mean() > 0.4
    assert weights[0] / weights[-1] >= 50


def test_every_category_belongs_to_an_area(catalogue: Catalogue) -> None:
    listed = [category for categories in catalogue.organisation.areas.values() for category in categories]
    assert sorted(set(catalogue.categories) - set(listed)) == []
    assert len(listed) == len(set(listed))
    assert set(catalogue.organisation.default_categories.values()) <= set(catalogue.categories)
    assert set(catalogue.pools.vague) == {*catalogue.organisation.areas, "monitoring"}


def test_german_and_spanish_are_asked_in(catalogue: Catalogue) -> None:
    asked = {ask.language for kind in catalogue.kinds for ask in kind.asks}
    assert asked == set(LANGUAGES)


@pytest.mark.parametrize("kind", load_catalogue().kinds, ids=lambda kind: kind.id)
def test_every_text_of_a_kind_renders_whole(catalogue: Catalogue, person: Person, kind: Kind) -> None:
    assert kind.id == kind.id.lower()
    assert len(kind.asks) >= 3, "fewer than three ways to ask"
    templates = [part for ask in kind.asks for part in (ask.title, ask.body)]
    templates += [text for resolution in kind.resolutions for text in resolution.texts]
    for template in templates:
        texts = [template(words(catalogue, person, seed)) for seed in range(6)]
        assert not [text for text in texts if re.search(r"[\[\]{}]|  ", text)]
    assert any(ask.title(words(catalogue, person, 0)) for ask in kind.asks)


def edited(tmp_path: Path, old: str, new: str) -> Path:
    """A catalogue of one kind with one slip in it."""
    folder = tmp_path / "catalogue"
    (folder / "kinds").mkdir(parents=True)
    for name in ("desk.toml", "slots.toml", "noise.toml"):
        shutil.copy(FOLDER / name, folder / name)
    assert old in KIND
    (folder / "kinds" / "access.toml").write_text(KIND.replace(old, new), encoding="utf-8")
    return folder


def test_a_catalogue_of_ones_own_loads(tmp_path: Path) -> None:
    catalogue = load_catalogue(edited(tmp_path, "weight = 1.0", "weight = 2.5"))
    assert [(kind.id, kind.weight) for kind in catalogue.kinds] == [("access-test", 2.5)]
    assert catalogue.categories == {"Access": ("Password",)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("L1 = 0.8", "L1 = 0.7", r"access\.toml, kind 'access-test', tiers: shares add up to 0\.900, expected 1\."),
        ("share = 1.0", "share = 0.5", r"kind 'access-test', resolutions: shares add up to 0\.500, expected 1\."),
        ("lowest_tier = ", "lowest = ", r"kind 'access-test': key 'lowest_tier' is missing\."),
        ('"Identity Operations"', '"Identity"', r"groups of L2: 'Identity' is not known\.\nKnown are Application Support"),
        ('lowest_tier = "L1"', 'lowest_tier = "L9"', r"tiers: 'L9' is not known\.\nKnown are L0, L1, L2, L2-EUC, NOC, L3\."),
        ('"self_service_form"', '"magic"', r"automation: 'magic' is not known\.\nKnown are chatbot_answer"),
        ("success = 0.9", "success = 1.9", r"automation: share_covered and success are above 0 and at most 1\."),
        ("weight = 1.0", "weight = 0", r"weight and median minutes are above 0, sigma at least 0\."),
        ("{user}", "{usr}", r"ask 1, body: unknown slot \{usr\}\."),
        ('[[kinds.asks]]', '[[kinds.asks]]\nlanguage = "fr"', r"ask 1, language: 'fr' is not known\.\nKnown are en, de, es\."),
        ('[[kinds.asks]]', '[[kinds.asks]]\nlanguage = "de"', r"no ask is in English, the desk's first language\."),
        ('category = "Access"', "", r"access\.toml: `category` is missing\."),
        ('category = "Access"', "category = ", r"access\.toml: not valid TOML: "),
    ],
)  # fmt: skip
def test_a_slip_in_a_file_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_catalogue(edited(tmp_path, old, new))


def test_two_kinds_with_one_id_are_refused(tmp_path: Path) -> None:
    folder = edited(tmp_path, "weight = 1.0", "weight = 2.0")
    shutil.copy(folder / "kinds" / "access.toml", folder / "kinds" / "again.toml")
    with pytest.raises(InputError, match=r"two kinds are called 'access-test'\."):
        load_catalogue(folder)
