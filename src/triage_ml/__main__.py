"""`python -m triage_ml` is the `triage` command."""

from triage_ml.cli import main

main()
