"""What fills the blanks of a template: word lists from `slots.toml`, the requester's data, and moments near the filing."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from triage_ml.simulate.dice import Dice
from triage_ml.simulate.people import Person
from triage_ml.simulate.template import Template, compile_template

__all__ = ["SlotTable", "TicketWords", "load_slots"]

#: Slots that come from the requester.
PERSONAL = {
    "person": "name", "user": "user", "email": "email", "phone": "phone", "site": "site",
    "department": "department", "manager": "manager",
}  # fmt: skip
MOMENTS = frozenset({"date", "time", "weekday"})
DATE_FORMATS = {
    "en": ("%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%m/%d/%Y"),
    "de": ("%d.%m.%Y", "%d.%m.", "%Y-%m-%d"),
    "es": ("%d/%m/%Y", "%d-%m-%Y"),
}


@dataclass(frozen=True)
class SlotTable:
    """`slots.toml`, compiled."""

    values: Mapping[str, tuple[Template, ...]]
    weekdays: Mapping[str, tuple[str, ...]]
    configuration_items: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """Every slot that a template may use."""
        return frozenset(self.values) | frozenset(PERSONAL) | MOMENTS


def load_slots(path: Path) -> SlotTable:
    """Read `slots.toml`; raises InputError for a template that is not right."""
    plain = tomllib.loads(path.read_text(encoding="utf-8"))
    names = frozenset(plain["slots"]) | frozenset(PERSONAL) | MOMENTS
    values = {
        name: tuple(compile_template(text, where=f"{path.name}, {name}", slots=names) for text in texts)
        for name, texts in plain["slots"].items()
    }
    weekdays = {language: tuple(days) for language, days in plain["weekdays"].items()}
    return SlotTable(values, weekdays, tuple(plain["configuration_items"]["slots"]))


class TicketWords:
    """The words of one ticket: a slot keeps its value through title, body and resolution."""

    __slots__ = ("_person", "_table", "_values", "dice", "language", "opened")

    def __init__(self, table: SlotTable, dice: Dice, person: Person, opened: int, language: str) -> None:
        self.dice = dice
        self.language = language
        self.opened = opened  # seconds since 1970, UTC
        self._table = table
        self._person = person
        self._values: dict[str, str] = {}

    def slot(self, name: str) -> str:
        """The value of a slot."""
        value = self._values.get(name)
        if value is None:
            value = self._values[name] = self._new(name)
        return value

    def forget(self) -> None:
        """Start a second story: hosts, numbers and dates are new, the requester is not."""
        self._values = {}

    def configuration_item(self) -> str | None:
        """The thing that the ticket is about, where it named one."""
        for name in self._table.configuration_items:
            if name in self._values:
                return self._values[name]
        return None

    def _new(self, name: str) -> str:
        options = self._table.values.get(name)
        if options is not None:
            return options[int(self.dice.random() * len(options))](self)
        if name in PERSONAL:
            return str(getattr(self._person, PERSONAL[name]))
        return self._moment(name)

    def _moment(self, name: str) -> str:
        dice = self.dice
        moment = datetime.fromtimestamp(self.opened, UTC) - timedelta(minutes=dice.between(5, 5 * 24 * 60))
        if name == "weekday":
            return self._table.weekdays[self.language][moment.weekday()]
        if name == "time":
            return f"{moment:%H:%M}"
        return moment.strftime(dice.pick(DATE_FORMATS[self.language]))
