"""Predictions, patterns, decisions and keys in SQLite or PostgreSQL. The only place that knows SQL.

    store = open_store(settings.store_url)
    with store.begin() as connection:
        add_predictions(connection, rows)

A module a concern: its tables on `schema.metadata`, its functions taking the connection of the caller's transaction.
"""

from triage_ml.store.database import Store, open_store
from triage_ml.store.keys import SCOPES, ApiKey, Scope, create_key, list_keys, revoke_key, split_key, touch_keys
from triage_ml.store.patterns import (
    PatternRecord,
    WeekList,
    claim_texts,
    fact_digests,
    facts_between,
    latest_book,
    mined_weeks,
    pattern_records,
    publish_book,
    put_facts,
    put_patterns,
    put_week,
    read_week,
)
from triage_ml.store.predictions import Prediction, add_predictions, new_prediction_id, predictions_of_ticket

__all__ = [
    "SCOPES",
    "ApiKey",
    "PatternRecord",
    "Prediction",
    "Scope",
    "Store",
    "WeekList",
    "add_predictions",
    "claim_texts",
    "create_key",
    "fact_digests",
    "facts_between",
    "latest_book",
    "list_keys",
    "mined_weeks",
    "new_prediction_id",
    "open_store",
    "pattern_records",
    "predictions_of_ticket",
    "publish_book",
    "put_facts",
    "put_patterns",
    "put_week",
    "read_week",
    "revoke_key",
    "split_key",
    "touch_keys",
]
