"""A name for a pattern that a person would have given it: the headline among its own that says most of what sets it apart.

Words are weighed as in c-TF-IDF (Grootendorst 2022): often in this pattern, seldom in the others. Placeholders and words
that point at one ticket are left out, and two patterns never share a title.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

__all__ = ["Headline", "Name", "headline_of", "name_groups"]

#: A headline as it was written (redacted), and how many tickets carry it.
Headline = tuple[str, int]

KEYWORDS = 6
LONGEST_TITLE = 60
WORDS_OF_A_TITLE = 9
#: A word that fewer of a pattern's tickets say is about one of them (a product, a job, a person): it counts against a title.
OWN_WORD = 0.02
_PREFIX = re.compile(r"^(?:(?:re|aw|fw|fwd|wg|antw)\s*:\s*)+", re.IGNORECASE)
#: What comes before what it is about: how loud a monitor calls, or a greeting. Neither is the front of another word
#: ("Info-Terminal"), and a greeting of one word is one only where something sets it apart ("Hello PIN" is a product).
_OPENING = re.compile(
    r"^(?:(?:alarm|alert|critical|error|event|fatal|info|major|minor|notification|notice|ok|problem|recovery|resolved|warning)"
    r"\s*(?:(?:[:|–—]+|-+(?=\s))\s*|(?=\[))"
    r"|(?:good (?:afternoon|day|evening|morning)(?: all| team)?|dear (?:all|team|sir|madam)|guten (?:morgen|tag)|"
    r"hallo (?:zusammen|team)|hello (?:all|team|there|guys)|hey guys|hi (?:all|team|there)|"
    r"buen(?:os|as) (?:d[ií]as|tardes))\b(?!-)[\s,!.:]*"
    r"|(?:dear|hallo|hello|hey|hi|hola)\s*(?:[,!:]|\.(?!\S))[\s,!.:]*)+",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"<[a-z_]+>")
_HOLE = "\0"
#: What is left of a placeholder, with the unit, bracket or comma that made sense only beside it.
_GAP = re.compile(
    r"(?:\b(?:above|at|auf|below|by|de|en|for|from|für|in|of|on|over|seit|since|to|von|with)\s+)?\s*[(\[]?\0"
    r"(?:\s?%| ?(?:kb|mb|gb|tb|ms|min|minutes|days|hours)\b)?[)\],:]?(?:\s*(?:\0|of\b))*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w'’/-]*[^\W_]|[^\W\d_]", re.UNICODE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_LOOSE_END = re.compile(
    r"(?:[\s,;:|/(\[\-–—#@&+]|\b(?:a|an|and|at|auf|by|bei|de|del|el|en|for|from|für|in|la|mit|of|on|or|para|por|since|"
    r"the|to|und|user|von|with))+$",
    re.IGNORECASE,
)
_SMALL_WORDS = (
    "a about again all also am an and any are as at be been but by can cannot could did do does for from get gets got had has "
    "have hello help hi how i if in into is it its just me my no not of off on or our out please pls since so still thanks "
    "that the their them then there they this to up user via was we were what when where which while who why will with "
    "would you your der die das den dem des ein eine einen und oder ist sind ich wir sie mein meine bitte nicht mit auf für "
    "von zu im am bei nach seit hat habe kann el la los las un una y o es son mi por para con en de del al no se que"
)
_FUNCTION_WORDS = frozenset(_SMALL_WORDS.split())


@dataclass(frozen=True)
class Name:
    """Title and keywords of a pattern."""

    title: str
    keywords: tuple[str, ...]


def headline_of(title: str, text: str) -> str:
    """The first line of a redacted ticket as a headline: its title, else its first sentence.

    >>> headline_of("RE: FW: VPN down on <host>", "")
    'VPN down on <host>'
    """
    source = title.strip() or _SENTENCE_END.split(text.strip(), maxsplit=1)[0]
    words = _PREFIX.sub("", source.strip()).split()
    return " ".join(words[:16])


def name_groups(groups: Sequence[Sequence[Headline]], taken: Sequence[str] = ()) -> list[Name]:
    """A name a group of headlines; `taken` are titles of other patterns that must not be used again."""
    counts = [_word_counts(headlines) for headlines in groups]
    everywhere: Counter[str] = Counter()
    for count in counts:
        everywhere.update(count)
    average = sum(everywhere.values()) / max(len(groups), 1)
    used = {title.casefold() for title in taken}
    names = []
    for headlines, count in zip(groups, counts, strict=True):
        weight = _word_weights(count, everywhere, average)
        keywords = tuple(sorted(weight, key=lambda word: (-weight[word], word))[:KEYWORDS])
        total = sum(tickets for _, tickets in headlines)
        own = {word for word, tickets in count.items() if tickets < OWN_WORD * total}
        title = _distinct(_best_title(headlines, weight, own), keywords, used)
        used.add(title.casefold())
        names.append(Name(title, keywords))
    return names


def _word_counts(headlines: Sequence[Headline]) -> Counter[str]:
    count: Counter[str] = Counter()
    for text, tickets in headlines:
        for word in _words(text):
            count[word] += tickets
    return count


def _words(text: str) -> set[str]:
    found = (word.casefold() for word in _WORD.findall(_PLACEHOLDER.sub(" ", text)))
    return {word for word in found if len(word) > 1 and word not in _FUNCTION_WORDS}


def _word_weights(count: Counter[str], everywhere: Mapping[str, int], average: float) -> dict[str, float]:
    total = sum(count.values())
    return {word: tickets / total * math.log(1 + average / everywhere[word]) for word, tickets in count.items()}


def _best_title(headlines: Sequence[Headline], weight: Mapping[str, float], own: Set[str]) -> str:
    """The headline with the most weight for its length; more tickets with the same one count a little, holes where a
    placeholder stood and words of its `own` count against it, and one word alone says little."""
    volume: Counter[str] = Counter()
    holes: dict[str, int] = {}
    for text, tickets in headlines:
        if shown := _shown(text):
            volume[shown] += tickets
            holes[shown] = min(holes.get(shown, 99), len(_PLACEHOLDER.findall(text)))

    def score(title: str) -> float:
        words = _words(title)
        said = math.fsum(weight.get(word, 0.0) for word in words)  # a set has no order
        against = 0.75 ** (holes[title] + len(words & own)) * (1.0 if len(words) > 1 else 0.75)
        return said / math.sqrt(len(title.split()) + 2) * (1 + 0.1 * math.log(volume[title])) * against

    return min(volume, key=lambda title: (-score(title), title), default="Unnamed")


def _shown(headline: str) -> str:
    """A headline as a title: without placeholders and loose ends, not too long, a capital first."""
    about = _OPENING.sub("", headline) or headline
    words = _GAP.sub(" ", _PLACEHOLDER.sub(_HOLE, about)).replace("#", " ").split()[:WORDS_OF_A_TITLE]
    text = _LOOSE_END.sub("", " ".join(words))
    if len(text) > LONGEST_TITLE:
        text = _LOOSE_END.sub("", text[:LONGEST_TITLE].rsplit(" ", 1)[0])
    text = text.strip(" -–—:;,.|\"'")
    return text[:1].upper() + text[1:]


def _distinct(title: str, keywords: Sequence[str], used: set[str]) -> str:
    if title.casefold() not in used:
        return title
    for word in keywords:
        longer = f"{title} ({word})"
        if word not in title.casefold() and longer.casefold() not in used:
            return longer
    number = 2
    while f"{title} ({number})".casefold() in used:
        number += 1
    return f"{title} ({number})"
