"""Secrets and personal data become placeholders.

What has a shape is found: addresses, numbers with a check digit, keys, passwords after the word for them. Names of people
and streets have none and are not covered: that takes a language model, and none runs here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from triage_ml.text.personal_rules import PERSONAL_RULES
from triage_ml.text.rules import Rule, apply_rules
from triage_ml.text.secret_rules import SECRET_RULES

__all__ = ["REDACT_RULES", "redact"]

#: Secrets first: a password may look like an address.
REDACT_RULES: tuple[Rule, ...] = SECRET_RULES + PERSONAL_RULES


def redact(texts: Iterable[str], *, rules: Sequence[Rule] = REDACT_RULES) -> list[str]:
    """Replace secrets and personal data with placeholders.

    Placeholders are `<secret>`, `<query>` (of a URL), `<email>`, `<iban>`, `<card>`, `<national_id>`,
    `<person_id>`, `<birth_date>` and `<phone>`. Redacting twice changes nothing more.

    >>> redact(["Call +49 30 901820 or mail jo@example.org, pw is Sommer2026!"])
    ['Call <phone> or mail <email>, pw is <secret>']
    """
    return apply_rules(texts, rules)
