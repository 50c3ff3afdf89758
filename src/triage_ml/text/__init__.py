"""Ticket text: `clean` it of what mail adds, `redact` secrets and personal data, `mask` what varies.

For a model: `prepare(ticket_text(frame))`, which cleans, then redacts. For patterns: `mask` on top.
"""

from triage_ml.text.clean import clean
from triage_ml.text.combine import combine, ticket_text
from triage_ml.text.mask import MASK_RULES, mask
from triage_ml.text.prepare import prepare
from triage_ml.text.redact import REDACT_RULES, redact
from triage_ml.text.rules import Rule

__all__ = ["MASK_RULES", "REDACT_RULES", "Rule", "clean", "combine", "mask", "prepare", "redact", "ticket_text"]
