"""Tiers, groups and what they were called before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from triage_ml.errors import TaxonomyError
from triage_ml.taxonomy import DEFAULT_TIERS, Group, Taxonomy, Tier, load_taxonomy

FILE = """\
currency = "EUR"

[[tiers]]
name = "L2"
rank = 2
[[tiers]]
name = "L1"
rank = 1
title = "Service desk"
cost_per_hour = 32.0

[[groups]]
name = "Service Desk Berlin"
tier = "L1"
aliases = ["SD Berlin"]

[categories]
Access = ["Password", "VPN"]
"""


@pytest.fixture
def taxonomy(tmp_path: Path) -> Taxonomy:
    (tmp_path / "taxonomy.toml").write_text(FILE)
    return load_taxonomy(tmp_path / "taxonomy.toml")


def test_a_file_is_read(taxonomy: Taxonomy) -> None:
    assert taxonomy.tier_names == ("L1", "L2")
    assert taxonomy.tier("L1") == Tier("L1", 1, "Service desk", 32.0)
    assert taxonomy.categories == {"Access": ("Password", "VPN")}
    assert taxonomy.currency == "EUR"


@pytest.mark.parametrize("name", ["Service Desk Berlin", "SD Berlin", " sd berlin "])
def test_a_group_is_found_by_every_name_it_had(taxonomy: Taxonomy, name: str) -> None:
    assert taxonomy.current_name(name) == "Service Desk Berlin"
    assert taxonomy.tier_of_group(name) == "L1"


def test_an_unknown_group_keeps_its_name_and_has_no_tier(taxonomy: Taxonomy) -> None:
    assert taxonomy.current_name(" Nobody ") == "Nobody"
    assert taxonomy.tier_of_group("Nobody") is None


def test_an_unknown_tier(taxonomy: Taxonomy) -> None:
    with pytest.raises(TaxonomyError, match=r"^Tier 'L9' is not in the taxonomy\.\nIts tiers are L1, L2\.$"):
        taxonomy.tier("L9")


def test_without_a_file_there_are_the_default_tiers() -> None:
    assert load_taxonomy(None).tiers == DEFAULT_TIERS
    assert load_taxonomy(None).tier_names[0] == "L0"


def test_there_and_back_again(taxonomy: Taxonomy) -> None:
    assert Taxonomy.from_dict(taxonomy.to_dict()) == taxonomy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tiers = [", "not valid TOML: "),
        ("teirs = []", "unknown key `teirs`; known are categories, currency, groups, tiers."),
        ('[[tiers]]\nname = "L1"\n', "a tier missing 1 required positional argument: 'rank'."),
        ('[[tiers]]\nname = "L1"\nrank = 1\nprice = 2\n', "a tier got an unexpected keyword argument 'price'."),
        ('[[groups]]\nname = "A"\n', "a group missing 1 required positional argument: 'tier'."),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "taxonomy.toml"
    path.write_text(text)
    with pytest.raises(TaxonomyError, match=f"^{re.escape(f'{path}: {message}')}"):
        load_taxonomy(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"taxonomy\.toml: no such taxonomy file\.$"):
        load_taxonomy(tmp_path / "taxonomy.toml")


def test_what_contradicts_itself() -> None:
    one, two = Group("A", "L1", ("B",)), Group("b", "L2")
    with pytest.raises(TaxonomyError, match=r"^Two groups of the taxonomy share the name or alias 'b'\.$"):
        Taxonomy(groups=(one, two))
    with pytest.raises(TaxonomyError, match=r"^The taxonomy names tier 'L1' twice\.$"):
        Taxonomy(tiers=(Tier("L1", 1), Tier("L1", 2)))
    with pytest.raises(TaxonomyError, match=r"^The taxonomy has no tiers; at least one is needed\.$"):
        Taxonomy(tiers=())
    with pytest.raises(
        TaxonomyError, match=r"^Group 'A' is in tier 'L9', which the taxonomy does not have\.\nIts tiers are L0, "
    ):
        Taxonomy(groups=(Group("A", "L9"),))
