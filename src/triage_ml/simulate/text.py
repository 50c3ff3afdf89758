"""The text of a ticket as it was filed: the kind's own words, and everything that people put around them."""

from __future__ import annotations

from dataclasses import dataclass

from triage_ml.simulate.catalogue import CHANNELS, LANGUAGES, Ask, Catalogue, Kind
from triage_ml.simulate.noise import VAGUENESS, Noise, mistype
from triage_ml.simulate.pools import Pool
from triage_ml.simulate.slots import TicketWords

__all__ = ["Filed", "Writer"]

MONITORING = CHANNELS.index("monitoring")
EMAIL = CHANNELS.index("email")
PORTAL = CHANNELS.index("portal")
CHAT = CHANNELS.index("chat")
PHONE = CHANNELS.index("phone")
#: How much of a mail's habits (greeting, signature) another channel has.
MANNERS = (1.0, 0.25, 0.3, 0.0, 0.0)
QUICK_FIRST = (CHAT, PHONE, PORTAL, EMAIL, MONITORING)
OTHER_LANGUAGES = ("de", "es")
GERMAN_SHARE = 0.62  # of the tickets that are not in English


@dataclass(frozen=True, slots=True)
class Filed:
    """Title and description, and the kind of the second problem where there is one."""

    title: str
    description: str
    second_kind: str | None = None


class Writer:
    """Writes tickets of a catalogue; the tables it needs are made once."""

    def __init__(self, catalogue: Catalogue, noise: Noise) -> None:
        self._kinds = catalogue.kinds
        self._pools = catalogue.pools
        self._noise = noise
        self._rank = catalogue.organisation.rank
        self._areas = [catalogue.organisation.area(kind.category) for kind in catalogue.kinds]
        self._alike = _alike(self._kinds, self._areas)
        self._asks = {kind.id: _by_language_and_channel(kind) for kind in self._kinds}
        self._spans = [_channel_spans(kind) for kind in self._kinds]
        self._foreign = _foreign_shares(self._kinds, noise.other_language)

    def language(self, kind: int, channel: int, words: TicketWords) -> str:
        """The language that this ticket is written in."""
        if channel == MONITORING or not words.dice.chance(self._foreign):
            return LANGUAGES[0]
        first, second = OTHER_LANGUAGES if words.dice.chance(GERMAN_SHARE) else OTHER_LANGUAGES[::-1]
        known = self._asks[self._kinds[kind].id]
        return first if (first, channel) in known else second if (second, channel) in known else LANGUAGES[0]

    def choose(self, index: int, channel: int, words: TicketWords) -> tuple[Ask, float]:
        """A way to ask, and where it stands among all ways to ask for this kind: uniform in [0, 1).

        Calls and chats come first, mails and alerts last. Who asks in which way is not independent of who solves it:
        the router uses this number to draw the tier.
        """
        options = self._options(self._kinds[index], channel, words)
        chosen = words.dice.below(len(options))
        low, width = self._spans[index][channel]
        return options[chosen], low + width * (chosen + words.dice.random()) / len(options)

    def write(self, index: int, ask: Ask, channel: int, tier: str, words: TicketWords) -> Filed:
        """Title and description of a ticket that `tier` will solve."""
        dice, noise = words.dice, self._noise
        kind = self._kinds[index]
        if dice.chance(noise.vague * VAGUENESS.get(tier, 1.0)):
            return self._vague(self._areas[index], channel, words)
        if dice.chance(noise.misread):
            ask = dice.pick(self._options(dice.pick(self._alike[self._areas[index], tier]), channel, words))
        title, body = ask.title(words), ask.body(words)
        if channel == MONITORING:
            return Filed(title, body)
        second = dice.pick(self._kinds) if dice.chance(noise.second_problem) else None
        if second is not None and second is not kind:
            body = f"{body}{self._second(second, channel, words)}"
        else:
            second = None
        body = self._dress(kind, channel, self._escalated(kind, tier), body, words)
        return Filed(*self._type(title, body, channel, words), second.id if second else None)

    def _vague(self, area: str, channel: int, words: TicketWords) -> Filed:
        pool = self._pools.vague["monitoring" if channel == MONITORING else area]
        lines = pool.get(words.language, pool["en"])
        title = words.dice.pick(lines)(words)
        body = words.dice.pick(lines)(words) if words.dice.chance(0.4) else ""
        return Filed(*self._type(title, body, channel, words))

    def _options(self, kind: Kind, channel: int, words: TicketWords) -> tuple[Ask, ...]:
        asks = self._asks[kind.id]
        return asks.get((words.language, channel)) or asks.get((LANGUAGES[0], channel)) or kind.asks

    def _escalated(self, kind: Kind, tier: str) -> bool:
        return self._rank[tier] > min(self._rank[name] for name in kind.tiers)

    def _second(self, kind: Kind, channel: int, words: TicketWords) -> str:
        ask = words.dice.pick(self._options(kind, channel, words))
        words.forget()
        title = ask.title(words)
        told = f"{title}. {ask.body(words)}" if words.dice.chance(0.5) else title
        return f"\n{_from(self._pools.joins, words)}{told}"

    def _dress(self, kind: Kind, channel: int, escalated: bool, body: str, words: TicketWords) -> str:
        dice, noise, pools = words.dice, self._noise, self._pools
        manners = MANNERS[channel]
        if dice.chance(noise.tried_escalated if escalated else noise.tried):
            body = f"{body} {_from(pools.tried, words)}"
        if dice.chance(noise.personal_data):
            body = f"{body} {_from(pools.personal, words)}"
        if dice.chance(noise.secret):
            body = f"{body} {_from(pools.secrets, words)}"
        if kind.ticket_type == "incident" and channel in (EMAIL, PORTAL) and dice.chance(noise.trace):
            body = f"{body}\n\n{dice.pick(pools.traces)(words)}"
        if dice.chance(noise.greeting * manners):
            body = f"{_from(pools.greetings, words)}\n\n{body}"
        if dice.chance(noise.signature * manners):
            body = f"{body}\n\n{_from(pools.signatures, words)}"
        if channel == EMAIL and dice.chance(noise.quoted_thread):
            body = f"{body}\n{_from(pools.quotes, words)}"
        return body

    def _type(self, title: str, body: str, channel: int, words: TicketWords) -> tuple[str, str]:
        dice, noise = words.dice, self._noise
        if channel == CHAT and dice.chance(0.7):
            title, body = title.lower(), body.lower()
        if channel != MONITORING and dice.chance(noise.typos):
            title = mistype(title, noise.typo_every, dice) if dice.chance(0.5) else title
            body = mistype(body, noise.typo_every, dice) if body else body
        return title, body


def _from(pool: Pool, words: TicketWords) -> str:
    return words.dice.pick(pool.get(words.language, pool[LANGUAGES[0]]))(words)


def _by_language_and_channel(kind: Kind) -> dict[tuple[str, int], tuple[Ask, ...]]:
    table: dict[tuple[str, int], list[Ask]] = {}
    for ask in kind.asks:
        for channel in ask.channels:
            table.setdefault((ask.language, CHANNELS.index(channel)), []).append(ask)
    return {key: tuple(asks) for key, asks in table.items()}


def _alike(kinds: tuple[Kind, ...], areas: list[str]) -> dict[tuple[str, str], list[Kind]]:
    """Kinds that are taken for each other: of one area, and solved by one tier among others."""
    table: dict[tuple[str, str], list[Kind]] = {}
    for kind, area in zip(kinds, areas, strict=True):
        for tier in kind.tiers:
            table.setdefault((area, tier), []).append(kind)
    return table


def _channel_spans(kind: Kind) -> dict[int, tuple[float, float]]:
    """Where each channel of the kind begins in [0, 1), and how wide it is."""
    spans, low = {}, 0.0
    for channel in QUICK_FIRST:
        width = kind.channels.get(CHANNELS[channel], 0.0)
        spans[channel] = low, width
        low += width
    return spans


def _foreign_shares(kinds: tuple[Kind, ...], wanted: float) -> float:
    """The chance with which a ticket that can be in another language is, so that `wanted` of all of them are."""
    total = sum(kind.weight for kind in kinds)
    able = 0.0
    for kind in kinds:
        channels = {name for ask in kind.asks if ask.language != LANGUAGES[0] for name in ask.channels}
        able += kind.weight * sum(share for name, share in kind.channels.items() if name in channels)
    return min(0.5, wanted * total / able) if able else 0.0
