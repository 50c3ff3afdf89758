"""Predictions, patterns, decisions and keys in SQLite or PostgreSQL. The only place that knows SQL.

    store = open_store(settings.store_url)
    with store.begin() as connection:
        add_predictions(connection, rows)

A module a concern: its tables on `schema.metadata`, its functions taking the connection of the caller's transaction.
"""

from triage_ml.store.database import Store, open_store
from triage_ml.store.idempotency import Once, claim
from triage_ml.store.keys import SCOPES, ApiKey, Scope, create_key, list_keys, revoke_key, split_key, touch_keys
from triage_ml.store.outcomes import (
    SOURCES,
    ClosedTicket,
    Outcome,
    Source,
    add_outcome,
    closed_tickets,
    joined_prediction,
    outcomes_of_ticket,
)
from triage_ml.store.patterns import (
    FACT_COLUMNS,
    PatternRecord,
    WeekList,
    claim_texts,
    fact_digests,
    facts_between,
    latest_book,
    mined_weeks,
    pattern_records,
    put_facts,
    put_patterns,
    put_week,
    read_week,
    use_book,
)
from triage_ml.store.predictions import (
    Prediction,
    add_predictions,
    answers_by_id,
    new_id,
    predictions_of_ticket,
)
from triage_ml.store.promotions import (
    Promotion,
    PromotionKind,
    claim_promotion,
    finish_promotion,
    list_promotions,
)
from triage_ml.store.retention import forget_requests, prune

__all__ = [
    "FACT_COLUMNS",
    "SCOPES",
    "SOURCES",
    "ApiKey",
    "ClosedTicket",
    "Once",
    "Outcome",
    "PatternRecord",
    "Prediction",
    "Promotion",
    "PromotionKind",
    "Scope",
    "Source",
    "Store",
    "WeekList",
    "add_outcome",
    "add_predictions",
    "answers_by_id",
    "claim",
    "claim_promotion",
    "claim_texts",
    "closed_tickets",
    "create_key",
    "fact_digests",
    "facts_between",
    "finish_promotion",
    "forget_requests",
    "joined_prediction",
    "latest_book",
    "list_keys",
    "list_promotions",
    "mined_weeks",
    "new_id",
    "open_store",
    "outcomes_of_ticket",
    "pattern_records",
    "predictions_of_ticket",
    "prune",
    "put_facts",
    "put_patterns",
    "put_week",
    "read_week",
    "revoke_key",
    "split_key",
    "touch_keys",
    "use_book",
]
