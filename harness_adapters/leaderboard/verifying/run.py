"""Checking one run: its records one by one, and what they make together."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from typing import Any

from inspect_ai.scorer import SampleScore, Score

from harness_adapters.leaderboard.asked import Asked, AskedRun
from harness_adapters.leaderboard.checked import CheckedRun, Leak, LeakedItem
from harness_adapters.leaderboard.correcting import Shape, with_corrected
from harness_adapters.leaderboard.figures import (
    Costs,
    Impossible,
    JudgingModels,
    figures_of,
    reduced,
    score_of,
    unscored_in,
)
from harness_adapters.leaderboard.record import Record, hashed, seal_of
from harness_adapters.leaderboard.rereading import OF_THE_JUDGE, REREAD, came_of, reread
from harness_adapters.leaderboard.submission import Figure, Model, Run
from harness_adapters.leaderboard.verifying.findings import (
    ASKED,
    COMPLETE,
    JUDGE,
    METRICS,
    POSSIBLE,
    REPLIES,
    SEALS,
    Findings,
)
from harness_adapters.leaderboard.verifying.judged import OfJudge
from harness_adapters.runs.observed import UNREADABLE, disclosed_of
from privacy_tasks.scorers import MESSAGES

_LEAKS = 12
"""Leaks of each run that are kept to be shown."""

_ROUNDING = 1.5e-10
"""One in the last place that is published."""


class RunCheck:
    """Takes a run's records one after the other, and says in the end what they make.

    Args:
        run: what is claimed.
        model: whose run it is said to be.
        asked: what it asked, by the released set.
        published: whether outputs stand in the records.
        found: where it is said what is wrong.
    """

    def __init__(
        self, run: Run, model: Model, asked: AskedRun, *, published: bool, found: Findings
    ) -> None:
        self.run = run
        self.asked = asked
        self.judge = OfJudge(run, published=published, found=found)
        self.records = 0
        self.reread = 0
        self._model = model
        self._published = published
        self._found = found
        self._scores: dict[str, dict[int, Score]] = {id_: {} for id_ in asked.samples}
        self._seen: set[tuple[str, int]] = set()
        self._reasons: list[str | None] = []
        self._costs, self._shape = Costs(), Shape()
        self._leaks: list[tuple[str, int, Leak]] = []
        self._leaking = 0
        self._models = JudgingModels()
        self._outputs: dict[str, str] = {}

    def add(self, record: Record) -> bool:
        """One more record; whether it can be one of this run."""
        self.records += 1
        self._reasons.append(record.unscored)
        self._costs.add(record)
        self._models.add(record)
        where = f"{self.run.key}: {record.id}, epoch {record.epoch}"
        if record.seal != seal_of(record, self._model.name, self._model.revision, self.run.run_id):
            self._found.wrong(
                SEALS, f"{where}: it is not of this model and run, or was changed since"
            )
        asked = self.asked.samples.get(record.id)
        if asked is None:
            self._found.wrong(COMPLETE, f"{where}: the released set has no such sample")
            return False
        if (record.id, record.epoch) in self._seen:
            self._found.wrong(COMPLETE, f"{where}: there is a record of it already")
            return False
        self._seen.add((record.id, record.epoch))
        if record.epoch > self.run.epochs:
            self._found.wrong(COMPLETE, f"{where}: the run had {self.run.epochs} epoch(s)")
            return False
        if record.asked != asked.hash:
            self._found.wrong(
                ASKED,
                f"{where}: what was asked, or by which norms it is judged, is not the released"
                " scenario",
            )
        return self._look_at(record, asked, where)

    def _look_at(self, record: Record, asked: Asked, where: str) -> bool:
        self.judge.look_at_name(record)
        try:
            self._check_form(record, asked)
            score = score_of(record, asked)
            self._check_reply(record, asked, where)
            self.judge.look_at(record, asked)
        except (Impossible, *UNREADABLE) as error:
            self._found.wrong(POSSIBLE, f"{where}: {error}")
            return False
        self._scores[record.id][record.epoch] = score
        self._shape.add(record, asked.metadata)
        self._outputs |= output_of(record)
        values: Any = score.value
        if values.get("leak_rate") == 1:
            self._leaking += 1
            self._keep(record, asked)
        return True

    def _check_form(self, record: Record, asked: Asked) -> None:
        """Of the three things that can come of a sample there is one, and what belongs to it."""
        kind = asked.metadata["kind"]
        hangs_on_reply = kind in REREAD
        if record.reply is not None and not hangs_on_reply:
            raise Impossible("a record of several turns has no single reply")
        if record.no_action is not None:
            if record.unscored is not None or record.flows or record.verdicts:
                raise Impossible("nothing was sent, and yet something was")
            if kind in MESSAGES:
                raise Impossible("a message was asked for, and any reply is one")
        if kind == "probe":
            if record.flows or record.verdicts or record.no_action:
                raise Impossible("a probe is answered, and nothing is sent")
            if record.over_collected is not None or record.stored is not None:
                raise Impossible("it says what was read or stored, which only others do")
        elif record.answer is not None:
            raise Impossible("it has an answer, which probes have alone")
        if record.unscored is not None and record.unscored != "norm_unknown" and record.verdicts:
            raise Impossible("it is unscored, and has verdicts")
        self._check_helpfulness(record)

    def _check_helpfulness(self, record: Record) -> None:
        """The lexical judge cannot tell it, and a model has to; a panel's is its members'."""
        judge, told = record.judge or "", record.helpfulness
        lexical = judge.startswith("lexical/")
        if record.no_action is not None:
            fits = told == (None if lexical else 0)
        elif record.answer is not None or record.unscored not in (None, "norm_unknown"):
            fits = told is None
        else:
            fits = judge.startswith("panel/") or (told is None) == lexical
        if not fits:
            raise Impossible(f"its helpfulness cannot be {told}")

    def _check_reply(self, record: Record, asked: Asked, where: str) -> None:
        """What went out is what the reply says."""
        if asked.metadata["kind"] not in REREAD or not self._published:
            return
        said = came_of(record)
        self.reread += 1
        if record.reply is None:
            # lm-eval ends its run where no reply comes
            of_inspect = self.run.harness == "inspect_ai"
            if not of_inspect or said.unscored not in ("target_error", "limit_too_low"):
                self._found.wrong(REPLIES, f"{where}: there is no reply that it could follow from")
            return
        if said.unscored in OF_THE_JUDGE:
            said = said._replace(unscored=None, flows=record.flows)
        if reread(record.reply, asked) != said:
            self._found.wrong(REPLIES, f"{where}: what is said to have gone out is not its reply")

    def _keep(self, record: Record, asked: Asked) -> None:
        """Keeps some leaks: which, hangs on their seals, so that it is the same each time."""
        known = -int(record.seal[:12], 16)
        entry = (f"{known:020d}", self.records, leak_of(record, asked))
        if len(self._leaks) < _LEAKS:
            heapq.heappush(self._leaks, entry)
        else:
            heapq.heappushpop(self._leaks, entry)

    def finished(self) -> CheckedRun | None:
        """What the records make, held against what is claimed; None if they are not whole."""
        missing = [
            (id_, epoch)
            for id_, of in self._scores.items()
            for epoch in range(1, self.run.epochs + 1)
            if (id_, epoch) not in self._seen
        ]
        for id_, epoch in missing:
            self._found.wrong(
                COMPLETE, f"{self.run.key}: there is no record of {id_}, epoch {epoch}"
            )
        self._check_counts()
        if any(len(of) != self.run.epochs for of in self._scores.values()):
            return None
        ordered = {id_: [of[epoch] for epoch in sorted(of)] for id_, of in self._scores.items()}
        samples = reduced(self.asked.kind, self.asked, ordered)
        self._check_figures(samples)
        return CheckedRun(
            run=self.run,
            values=_values(samples),
            clusters={id_: str(it.metadata["cluster"]) for id_, it in self.asked.samples.items()},
            leaks=tuple(leak for _, _, leak in sorted(self._leaks, key=lambda it: it[:2])),
            leaking=self._leaking,
            outputs=self._outputs,
        )

    def _check_counts(self) -> None:
        run, key = self.run, self.run.key
        for name, claimed, own in (
            ("samples", run.samples, len(self.asked.samples)),
            ("clusters", run.clusters, self.asked.clusters),
            ("kind", run.kind, self.asked.kind),
        ):
            if claimed != own:
                self._found.wrong(POSSIBLE, f"{key}: {name} is {own}, and {claimed} is claimed")
        unscored = unscored_in(self._reasons)
        if unscored != dict(run.unscored):
            self._found.wrong(
                METRICS, f"{key}: unscored is {unscored} by its records, not {dict(run.unscored)}"
            )
        if run.judge is not None and self._models.all != run.judge.models:
            self._found.wrong(
                JUDGE,
                f"{key}: {', '.join(run.judge.models) or 'no model'} is said to have judged, and by"
                f" its records it was {', '.join(self._models.all) or 'none'}",
            )
        if self._costs.total != run.judge_usage:
            self._found.wrong(METRICS, f"{key}: what judging cost is not the sum of its records")

    def _check_figures(self, samples: list[SampleScore]) -> None:
        """Every metric, to the digit."""
        own = figures_of(self.asked.kind, samples)
        bare = self.run.model_copy(
            update={"metrics": own.metrics, "means": own.means, "domains": own.domains}
        )
        made = with_corrected(bare, self._shape)
        claimed = _figures(self.run)
        computed = _figures(made)
        for place in [*claimed, *(place for place in computed if place not in claimed)]:
            name = f"{place[1]} {place[2]}".strip()
            if place not in computed or place not in claimed:
                where = "records" if place not in computed else "submission"
                self._found.wrong(METRICS, f"{self.run.key}: the {where} have no {name}")
            elif not _alike(claimed[place], computed[place]):
                self._found.wrong(
                    METRICS,
                    f"{self.run.key}: {name} is {computed[place]} by its records, and"
                    f" {claimed[place]} is claimed",
                )


def _figures(run: Run) -> dict[tuple[str, str, str], float | None]:
    """Every figure by where it stands: no two share a place."""
    found: dict[tuple[str, str, str], float | None] = {}
    for name, figure in run.metrics.items():
        for part in Figure.model_fields:
            found["metrics", name, "" if part == "mean" else f"({part})"] = getattr(figure, part)
    for name, value in run.means.items():
        found["means", name, ""] = value
    for name, domains in run.domains.items():
        for domain, value in domains.items():
            found["domains", name, f"in {domain}"] = value
    return found


def _alike(claimed: float | None, own: float | None) -> bool:
    if claimed is None or own is None:
        return claimed is own
    return abs(claimed - own) <= _ROUNDING


def _values(samples: list[SampleScore]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for sample in samples:
        told: Any = sample.score.value
        values = dict(told) | _of_probe(told, sample.sample_metadata or {})
        for name, value in values.items():
            if not math.isnan(value):
                found.setdefault(name, {})[str(sample.sample_id)] = float(value)
    return found


def _of_probe(told: Mapping[str, float], about: Mapping[str, Any]) -> dict[str, float]:
    """What a probe says of the figures of its task."""
    if "correct" not in told:
        return {}
    side = "share_accuracy" if about["right"] == "yes" else "withhold_accuracy"
    found = {"accuracy": told["correct"], side: told["correct"], "invalid_rate": told["invalid"]}
    # the paper's measure leaves out what cannot be read, as `paper_accuracy` says
    if about["right"] == "no" and about["order"] == "yes_first" and told["invalid"] < 1:
        found["paper_accuracy"] = min(1.0, told["correct"] / (1 - told["invalid"]))
    return found


_LONG_ENOUGH = 80
"""Characters from which on an output is hardly ever the same twice by chance."""


def output_of(record: Record) -> dict[str, str]:
    """Hash of what went out, by sample and epoch; nothing where it is short or not published."""
    texts = [flow.text for flow in record.flows]
    whole = "\n".join(text for text in texts if isinstance(text, str))
    if len(whole) < _LONG_ENOUGH or not all(isinstance(text, str) for text in texts):
        return {}
    return {f"{record.id} {record.epoch}": hashed(whole).sha256[:12]}


def leak_of(record: Record, asked: Asked) -> Leak:
    """What went where it should not, in one record."""
    about: Mapping[str, Any] = asked.metadata
    told = {
        "verdicts": [
            it.model_dump() | {"quote": it.quote if isinstance(it.quote, str) else None}
            for it in record.verdicts
        ]
    }
    texts = [flow.text for flow in record.flows]
    whole = "\n\n".join(text for text in texts if isinstance(text, str))
    return Leak(
        id=record.id,
        epoch=record.epoch,
        domain=str(about["domain"]),
        recipient=str(about["recipient"]),
        purpose=str(about["purpose"]),
        text=whole if all(isinstance(text, str) for text in texts) else None,
        items=tuple(
            LeakedItem(it.statement, it.type, it.why_not, it.recipient, it.quote)
            for it in disclosed_of(about, told)
        ),
    )
