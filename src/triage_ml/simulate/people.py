"""The people who file tickets: a fixed population, so that names, sites and telephone numbers agree with each other."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass

from triage_ml.simulate.dice import Dice
from triage_ml.simulate.organisation import Organisation

__all__ = ["Person", "hire"]

STAFF = 6_000


@dataclass(frozen=True, slots=True)
class Person:
    """A requester. `requester_id` is what an import would have made of the staff number: a hash."""

    requester_id: str
    first: str
    last: str
    user: str
    email: str
    phone: str
    site: str
    department: str
    manager: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


def hire(organisation: Organisation, dice: Dice) -> tuple[tuple[Person, ...], ...]:
    """The whole staff, by region in the order of `organisation.regions`."""
    staff = []
    number = 10_000
    for region in organisation.regions:
        count = max(1, round(STAFF * region.share))
        staff.append(tuple(_person(number + i, organisation, region.sites, dice) for i in range(count)))
        number += count
    return tuple(staff)


def _person(number: int, organisation: Organisation, sites: tuple[str, ...], dice: Dice) -> Person:
    first, last = dice.pick(organisation.first_names), dice.pick(organisation.last_names)
    boss = f"{dice.pick(organisation.first_names)} {dice.pick(organisation.last_names)}"
    account = f"{_plain(first)}.{_plain(last)}"
    return Person(
        requester_id=hashlib.blake2b(str(number).encode(), digest_size=8).hexdigest(),
        first=first,
        last=last,
        user=f"{_plain(first)[0]}{_plain(last)[:6]}{number % 100:02d}",
        email=f"{account}@{organisation.mail_domain}",
        phone=f"+{dice.pick(('49', '44', '34', '1', '65'))} {dice.between(20, 990)} {dice.between(100000, 9999999)}",
        site=dice.pick(sites),
        department=dice.pick(organisation.departments),
        manager=boss,
    )


def _plain(name: str) -> str:
    """A name as it stands in an account: lower case ASCII letters."""
    ascii_form = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return "".join(letter for letter in ascii_form.lower() if letter.isalpha())
