"""Text as people and machines send it -> what was said.

Mail brings HTML, greetings, signatures, disclaimers and the whole thread below. They are alike in all tickets and would
pass for content. Each step can be switched off. A ticket never loses all its words: where a step would leave none, it is
left out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from triage_ml.text.html import html_to_text
from triage_ml.text.mail import drop_disclaimers, drop_greetings, drop_signature, drop_thread
from triage_ml.text.whitespace import drop_controls, tidy

__all__ = ["clean"]

Step = Callable[[str], str]


def clean(
    texts: Iterable[str],
    *,
    html: bool = True,
    threads: bool = True,
    greetings: bool = True,
    signatures: bool = True,
) -> list[str]:
    """Normalise texts and leave out what mail adds to them.

    Always: Unicode NFC, no control characters, no invisible characters, spaces and blank lines collapsed.

    Parameters
    ----------
    html
        Tags out, entities resolved, one line a block.
    threads
        Quoted earlier messages out, unless the message on top is shorter than five words ("see below").
    greetings
        "Hi team," at the beginning of a line out.
    signatures
        From the sign-off or `--` to the end, and legal disclaimers.

    Returns
    -------
    list of str
        As many as came in, none empty whose input had a letter.

    >>> clean(["Hi team,\\n\\nthe  VPN is down&nbsp;again.\\n\\nKind regards\\nJo Doe"])
    ['the VPN is down again.']
    """
    chosen: list[tuple[bool, Step]] = [
        (html, html_to_text),
        (threads, drop_thread),
        (signatures, drop_disclaimers),
        (signatures, drop_signature),
        (greetings, drop_greetings),
    ]
    steps = [step for wanted, step in chosen if wanted]
    return [_clean_one(text, steps) for text in texts]


def _clean_one(text: str, steps: list[Step]) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
    text = drop_controls(text)
    for step in steps:
        shorter = step(text)
        if shorter is not text and _has_letter(shorter):
            text = shorter
    return tidy(text)


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))
