"""Every Eval Ever: a datastore of results of many evaluations, one JSON file for each run."""

from harness_adapters.leaderboard.export.every_eval_ever.record import (
    Destination,
    Relationship,
    Teller,
    every_eval_ever,
    write_every_eval_ever,
)

__all__ = ["Destination", "Relationship", "Teller", "every_eval_ever", "write_every_eval_ever"]
