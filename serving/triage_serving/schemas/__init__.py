"""What the API takes and gives, and what its document says of that."""

from triage_serving.schemas.fields import Identifier
from triage_serving.schemas.given import (
    Answer,
    BatchAnswer,
    ModelInfo,
    OutcomeReceipt,
    ProblemBody,
    SimilarCases,
    TicketHistory,
)
from triage_serving.schemas.taken import Batch, OutcomeReport, Ticket

__all__ = [
    "Answer",
    "Batch",
    "BatchAnswer",
    "Identifier",
    "ModelInfo",
    "OutcomeReceipt",
    "OutcomeReport",
    "ProblemBody",
    "SimilarCases",
    "Ticket",
    "TicketHistory",
]
