"""The names that training writes to the registry and serving reads from it."""

MODEL_NAME = "triage"
CHAMPION = "champion"
CHALLENGER = "challenger"
ARTIFACT_PATH = "bundle"
