"""`leak_rate` corrected for a validated judge's errors, in a submission as in `results`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from harness_adapters.leaderboard.figures import rounded
from harness_adapters.leaderboard.record import Record
from harness_adapters.leaderboard.submission import Figure, Run
from harness_adapters.runs import run as runs
from harness_adapters.runs.correction import CORRECTED, with_correction


class Shape:
    """How much was judged at once, which the correction of a rate asks for."""

    def __init__(self) -> None:
        self._withheld: Counter[int] = Counter()
        self._flows = 0

    def add(self, record: Record, about: Mapping[str, Any]) -> None:
        """One more record, and the metadata of its sample."""
        self._withheld[sum(it["norm"] == "withhold" for it in about.get("items", []))] += 1
        self._flows = max(self._flows, len({it.recipient for it in record.verdicts}))

    def corrected(self, run: Run) -> Figure | None:
        """The corrected rate of a run, by its judge's card; None where there is none."""
        if run.judge is None or run.judge.card is None:
            return None
        metrics = {name: runs.Figure(**it.model_dump()) for name, it in run.metrics.items()}
        metrics.pop(CORRECTED, None)
        told = runs.Run(
            model="",
            task=run.task,
            mode=run.mode,
            scorer="",
            status="success",
            judge=run.judge.identity,
            data={},
            samples=run.samples * run.epochs,
            clusters=run.clusters,
            epochs=run.epochs,
            metrics=metrics,
            means={},
            domains={},
            settings={},
            scorings=1,
            unscored={},
            errors={},
            leaks=(),
            withheld=dict(self._withheld),
            flows=self._flows,
            log="",
        )
        found = with_correction(told, {run.judge.identity: run.judge.card}).metrics.get(CORRECTED)
        if found is None:
            return None
        return Figure(
            **{
                name: None if value is None else rounded(value)
                for name, value in found.model_dump().items()
            }
        )


def with_corrected(run: Run, shape: Shape) -> Run:
    """The run with the corrected rate beside the raw one, where there is one."""
    found = shape.corrected(run)
    if found is None:
        return run
    metrics: dict[str, Figure] = {}
    for name, figure in run.metrics.items():
        metrics[name] = figure
        if name == "leak_rate":
            metrics[CORRECTED] = found
    return run.model_copy(update={"metrics": metrics})
