"""What becomes of replies: records in the samples file, observations, and the figures of a run.

A record is the JSON text that lm-eval keeps as the filtered response of a document. It holds the
scores of all its epochs, with verdicts and quotes, or the reason why there is none.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from inspect_ai.scorer import SampleScore, Score

from harness_adapters.lm_eval.documents import metadata_of
from harness_adapters.lm_eval.families import Family, figures
from harness_adapters.lm_eval.replies import Said
from privacy_tasks.metrics import PER_DOMAIN, figure_names


def record(scores: Sequence[Score], told: Sequence[Said]) -> str:
    """The scores of one document as JSON, if it was judged, and which of its replies were cut."""
    return json.dumps(
        {
            "cut": [it.cut for it in told],
            "scores": [
                {
                    "value": {
                        name: _known(value)
                        for name, value in cast(Mapping[str, float], score.value).items()
                    },
                    "answer": score.answer,
                    "metadata": score.metadata,
                }
                for score in scores
            ],
        }  # as ASCII: half a surrogate pair, which models write, is no UTF-8
    )


def read_record(text: str) -> list[Score]:
    """The scores of one document, read back."""
    return [
        Score(
            value={name: _unknown(value) for name, value in kept["value"].items()},
            answer=kept["answer"],
            metadata=kept["metadata"],
        )
        for kept in json.loads(text)["scores"]
    ]


class Observation(float):
    """Whether a document was judged, and with it its whole score.

    lm-eval hands an aggregation the values of one metric, from all processes; what a clustered
    error or a balanced accuracy needs besides travels on this one.
    """

    sample: SampleScore
    reasons: tuple[str, ...]
    judge: str | None

    @classmethod
    def of(cls, sample: SampleScore, scores: Sequence[Score]) -> Observation:
        """The observation of a document, from its reduced score and those of its epochs."""
        found = cls(_values(sample)["judged"])
        told = [score.metadata or {} for score in scores]
        found.sample = sample
        found.reasons = tuple(it["unscored"] for it in told if "unscored" in it)
        found.judge = next((it["judge"] for it in told if "judge" in it), None)
        return found


def observed(
    family: Family, doc: Mapping[str, Any], text: str, names: Sequence[str]
) -> dict[str, float | None]:
    """What one document adds to each figure: None where it says nothing of it.

    The first is `judged`, which carries all the others need. A figure over several documents has
    no value for one. Each standard error is a figure of its own: lm-eval shows it beside the other.
    """
    scores = read_record(text)
    metadata = metadata_of(doc)
    reduced = family.reducer()(scores)
    sample = SampleScore(score=reduced, sample_id=doc["id"], sample_metadata=metadata)
    values = _values(sample) | _of_probe(_values(sample), metadata)
    found: dict[str, float | None] = {
        "judged": Observation.of(sample, scores),
        "judged_stderr": None,
    }
    for name in names:
        if name == "judged":
            continue
        found[name] = _known(values.get(name, math.nan))
        found[f"{name}_stderr"] = None
    return found


def _of_probe(values: Mapping[str, float], metadata: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a probe, by the names of the table."""
    if "correct" not in values:
        return {}
    side = "share_accuracy" if metadata["right"] == "yes" else "withhold_accuracy"
    return {
        "accuracy": values["correct"],
        side: values["correct"],
        "invalid_rate": values["invalid"],
    }


def _values(sample: SampleScore) -> dict[str, float]:
    return {
        name: float(value) for name, value in cast(Mapping[str, float], sample.score.value).items()
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _unknown(value: float | None) -> float:
    return math.nan if value is None else value


SUMMARY = ("judge", "clusters", "unscored", "ci95", "by_domain")
"""The keys of a summary."""


class Tally:
    """The figures of a run, from all its observations."""

    def __init__(self, family: Family, observations: Sequence[Observation]) -> None:
        self._observations = observations
        self.figures = figures(family, [it.sample for it in observations])

    def summary(self, names: Sequence[str]) -> dict[str, Any]:
        """What lm-eval's own results have no place for: intervals, domains, what is unscored."""
        clusters = {(it.sample.sample_metadata or {})["cluster"] for it in self._observations}
        reasons = Counter(reason for it in self._observations for reason in it.reasons)
        intervals = {}
        for name in names:
            _, _, lower, upper = figure_names(name)
            if lower in self.figures:
                intervals[name] = [_known(self.figures[lower]), _known(self.figures[upper])]
        return {
            **({} if self.judge is None else {"judge": self.judge}),
            "clusters": len(clusters),
            "unscored": dict(reasons.most_common()),
            "ci95": intervals,
            "by_domain": {
                name: _known(value)
                for name, value in self.figures.items()
                if name.partition(".")[0] in (*PER_DOMAIN, "accuracy") and "." in name
            },
        }

    @property
    def judge(self) -> str | None:
        """Identity of the judge, if one was asked."""
        return next((it.judge for it in self._observations if it.judge), None)
