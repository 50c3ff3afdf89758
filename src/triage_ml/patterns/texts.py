"""Distinct masked texts as columns: a million of them are a few large arrays, and some of them are an index into those.

What a text needs beside itself (how it looks to people, how many tickets say it, category, close note) is held in Arrow
strings and in codes; one text is put together as an object when somebody asks for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Coded", "KeyArray", "Rare", "Strings", "Texts", "hex_key", "key_number"]

IntArray = NDArray[np.int64]
KeyArray = NDArray[np.uint64]

#: Strings that are made at a time where all are gone through.
BLOCK = 4_096


@dataclass(frozen=True, slots=True)
class Rare:
    """A masked text, and if it belongs to no pattern yet it waits for others of its kind.

    `seen` is the last week (or another label of the run) in which it came up; `label` and `note` are the category and the
    masked close note of its tickets, empty where there is none.
    """

    text: str
    headline: str
    example: str
    tickets: int
    seen: str
    label: str = ""
    note: str = ""


@dataclass(frozen=True)
class Strings(Sequence[str]):
    """Some strings of an Arrow array, made when they are asked for; `rows` says which, in which order."""

    array: pa.Array
    rows: IntArray

    @classmethod
    def of(cls, strings: Iterable[str]) -> Strings:
        """These strings."""
        return cls.all_of(pa.array(list(strings), type=pa.large_string()))

    @classmethod
    def all_of(cls, array: pa.Array) -> Strings:
        """All strings of an Arrow array, which has none missing."""
        return cls(array, np.arange(len(array)))

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            found: list[str] = self.array.take(pa.array(self.rows[place])).to_pylist()
            return found
        return str(self.array[int(self.rows[place])].as_py())

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), BLOCK):
            yield from self[start : start + BLOCK]

    def at(self, index: IntArray) -> Strings:
        """Some of them, in the order of `index`."""
        return Strings(self.array, self.rows[index])

    def joined(self, other: Strings) -> Strings:
        """These and then the other ones."""
        array = pa.concat_arrays([self.array, other.array])
        return Strings(array, np.concatenate([self.rows, other.rows + len(self.array)]))


@dataclass(frozen=True)
class Coded:
    """A column in which few strings come up often: `codes`, shape (n,), are places in `names`, which are sorted, the empty
    string first, and those of a run as they come up."""

    names: tuple[str, ...]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, strings: Sequence[str]) -> Coded:
        """These strings."""
        names = ("", *sorted({one for one in strings if one}))
        place = {name: number for number, name in enumerate(names)}
        return cls(names, np.array([place[one] for one in strings], dtype=np.int32))

    @classmethod
    def of_arrow(cls, array: pa.Array) -> Coded:
        """The strings of an Arrow array, which has none missing."""
        coded = array.dictionary_encode()
        distinct = cls.of(coded.dictionary.to_pylist())
        return cls(distinct.names, distinct.codes[coded.indices.to_numpy()])

    def __getitem__(self, place: int) -> str:
        return self.names[int(self.codes[place])]

    def at(self, index: IntArray) -> Coded:
        """Some of them, in the order of `index`."""
        return Coded(self.names, self.codes[index])

    def joined(self, other: Coded) -> Coded:
        """These and then the other ones."""
        names = ("", *sorted({*self.names, *other.names} - {""}))
        place = {name: number for number, name in enumerate(names)}
        parts = [np.array([place[name] for name in one.names], dtype=np.int32)[one.codes] for one in (self, other)]
        return Coded(names, np.concatenate(parts))

    @property
    def is_said(self) -> NDArray[np.bool_]:
        """Which are not empty, shape (n,)."""
        return self.codes > 0

    def used(self) -> Coded:
        """The same with no names but those that come up, and the empty one."""
        present, codes = np.unique(np.append(self.codes, np.int32(0)), return_inverse=True)
        return Coded(tuple(self.names[one] for one in present.tolist()), codes[:-1].astype(np.int32))


@dataclass(frozen=True)
class Texts(Sequence[Rare]):
    """n distinct texts; `keys`, shape (n,), are the numbers of their keys (`key_number`), `tickets`, shape (n,), how many
    tickets say each."""

    text: Strings
    headline: Strings
    example: Strings
    keys: KeyArray
    tickets: IntArray
    seen: Coded
    label: Coded
    note: Coded

    @classmethod
    def of(cls, texts: Sequence[Rare]) -> Texts:
        """These texts as columns."""
        if isinstance(texts, Texts):
            return texts
        return cls(
            Strings.of(one.text for one in texts),
            Strings.of(one.headline for one in texts),
            Strings.of(one.example for one in texts),
            np.array([key_number(one.text) for one in texts], dtype=np.uint64),
            np.array([one.tickets for one in texts], dtype=np.int64),
            Coded.of([one.seen for one in texts]),
            Coded.of([one.label for one in texts]),
            Coded.of([one.note for one in texts]),
        )

    def __len__(self) -> int:
        return len(self.keys)

    @overload
    def __getitem__(self, place: int) -> Rare: ...
    @overload
    def __getitem__(self, place: slice) -> list[Rare]: ...
    def __getitem__(self, place: int | slice) -> Rare | list[Rare]:
        if isinstance(place, slice):
            return list(self.at(np.arange(len(self))[place]))
        return Rare(
            self.text[place],
            self.headline[place],
            self.example[place],
            int(self.tickets[place]),
            self.seen[place],
            self.label[place],
            self.note[place],
        )

    def __iter__(self) -> Iterator[Rare]:
        columns = zip(self.text, self.headline, self.example, strict=True)
        for place, (text, headline, example) in enumerate(columns):
            tickets = int(self.tickets[place])
            yield Rare(text, headline, example, tickets, self.seen[place], self.label[place], self.note[place])

    def at(self, index: IntArray) -> Texts:
        """Some of the texts, in the order of `index`; the strings are not copied."""
        return Texts(
            self.text.at(index),
            self.headline.at(index),
            self.example.at(index),
            self.keys[index],
            self.tickets[index],
            self.seen.at(index),
            self.label.at(index),
            self.note.at(index),
        )

    def joined(self, other: Texts) -> Texts:
        """These and then the other ones."""
        if not len(other):
            return self
        return Texts(
            self.text.joined(other.text),
            self.headline.joined(other.headline),
            self.example.joined(other.example),
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.tickets, other.tickets]),
            self.seen.joined(other.seen),
            self.label.joined(other.label),
            self.note.joined(other.note),
        )

    def seen_in(self, week: str) -> Texts:
        """The same texts, said in this week."""
        return replace(self, seen=Coded.of([week]).at(np.zeros(len(self), dtype=np.int64)))


def key_number(text: str) -> int:
    """The key of a text (`text_key`) as a number of 64 bits."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def hex_key(number: int) -> str:
    """The key as the store writes it.

    >>> from triage_ml.patterns.uniques import text_key
    >>> hex_key(key_number("vpn down")) == text_key("vpn down")
    True
    """
    return f"{number:016x}"
