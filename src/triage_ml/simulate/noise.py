"""How much gets between a ticket and its meaning: every share that makes the desk hard stands here."""

from __future__ import annotations

from dataclasses import dataclass

from triage_ml.simulate.dice import Dice

__all__ = ["NOISE", "VAGUENESS", "Noise", "mistype"]


@dataclass(frozen=True)
class Noise:
    """Shares of tickets, unless said otherwise.

    The values are calibrated: TF-IDF and a linear SVM reach about 84 % on tier and 87 % on category
    (`tests/triage_ml/simulate/test_difficulty.py` holds the window).
    """

    # Text
    other_language: float = 0.10  # German and Spanish together
    typos: float = 0.22  # of tickets typed by people; then a slip every `typo_every` characters
    typo_every: int = 90
    greeting: float = 0.7  # of mails; less in the portal and the chat
    signature: float = 0.6  # of mails
    quoted_thread: float = 0.12  # of mails
    trace: float = 0.04  # of incidents by mail or portal
    vague: float = 0.09  # one line from a pool that a broad area shares; times `VAGUENESS` of the tier that solves it
    misread: float = (
        0.06  # in the words of another kind of the area that the same tier solves: the symptom, not the cause
    )
    second_problem: float = 0.05
    tried: float = 0.03  # "I have restarted already", where the lowest tier solves it
    tried_escalated: float = 0.35  # the same, where a higher tier solves it
    personal_data: float = 0.05
    secret: float = 0.012
    # Labels
    wrong_group: float = 0.05  # closed by whoever had it, in a group that did not solve it
    default_category: float = 0.04  # nobody set the category
    empty_subcategory: float = 0.06
    missing_effort: float = 0.14
    missing_item: float = 0.4  # of tickets that name a thing of the configuration database
    empty_notes: float = 0.10  # close notes that say nothing
    # Work
    tier_sharpness: float = 2.2  # exponent on a kind's tier shares: above 1 the usual tier solves more of it
    telling: float = 0.92  # the way of asking hints at the tier that solves it
    desk_first: float = 0.45  # of what a higher tier solves: the service desk has it first
    wrong_first: float = 0.16  # it starts in a group that has nothing to do with it
    handoff_minutes: float = 7.0  # each hand-off costs this much,
    handoff_factor: float = 1.12  # and the rest of the work takes longer
    higher_tier_factor: float = 1.25  # touch time for each rank above the lowest tier of the kind
    reopened: float = 0.04


NOISE = Noise()

#: People who need the service desk write less than engineers and machines do; for tiers that are not listed, 1.
VAGUENESS = {"L1": 1.5, "L2-EUC": 1.2, "L2": 0.6, "NOC": 0.3, "L3": 0.3}

_NEIGHBOURS = {
    "a": "qs", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry",
    "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip


def mistype(text: str, every: int, dice: Dice) -> str:
    """Slips of the finger: letters swapped, dropped, doubled or hit beside, about one in `every` characters."""
    for _ in range(1 + dice.below(max(1, 2 * len(text) // every))):
        if len(text) > 2:
            text = _slip(text, dice.below(len(text) - 1), dice)
    return text


def _slip(text: str, at: int, dice: Dice) -> str:
    letter, following = text[at], text[at + 1]
    beside = _NEIGHBOURS.get(letter.lower())
    if beside is None:
        return text
    swapped = following + letter if following.isalpha() else letter + following
    slips = (swapped, following, letter + letter + following, dice.pick(beside) + following)
    return text[:at] + dice.pick(slips) + text[at + 2 :]
