"""Probes answered by log-likelihood: which of the two options is more likely to come next."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar

from lm_eval.api.instance import Instance

from harness_adapters.lm_eval.documents import Doc
from harness_adapters.lm_eval.errors import LmEvalError
from harness_adapters.lm_eval.judging import Reply, judge_pass
from harness_adapters.lm_eval.likelihoods import OPTIONS, likelier
from harness_adapters.lm_eval.records import record
from harness_adapters.lm_eval.task import FILTER, PrivacyTask


class LogprobTask(PrivacyTask):
    """Each probe in each order: the context is shared, up to the options by both orders."""

    output_type: ClassVar[str] = "multiple_choice"

    def fewshot_context(self, doc: Doc, num_fewshot: int, **options: Any) -> Any:
        """The prompt up to where a letter comes next."""
        prompt = super().fewshot_context(doc, num_fewshot, **options)
        if self._renderer is None:
            return prompt
        if not isinstance(prompt, str):
            raise LmEvalError(
                f"{self._where}: a chat server gives no log-likelihoods. Use"
                " privacy_collapse_probing, or a model that lm-eval loads itself."
            )
        return prompt + self._cue

    def construct_requests(self, doc: Doc, ctx: Any, **options: Any) -> Any:
        """A request for each option."""
        return [
            Instance(
                request_type="loglikelihood",
                doc=doc,
                arguments=(ctx, f" {option}"),
                idx=place,
                metadata=options["metadata"],
            )
            for place, option in enumerate(OPTIONS)
        ]

    def apply_filters(self) -> Any:
        """The likelier option is the answer."""
        if self._only_predicts:
            return super().apply_filters()
        asked: dict[int, list[Any]] = defaultdict(list)
        for instance in self.instances:
            asked[instance.doc_id].append(instance)
        pairs = [sorted(pair, key=lambda instance: instance.idx) for pair in asked.values()]
        replies = [
            Reply(pair[0].doc, likelier([instance.resps[0][0] for instance in pair]))
            for pair in pairs
        ]
        scores = judge_pass(replies, self.family.score, None, 1, title=self._where, show=False)
        for pair, score in zip(pairs, scores, strict=True):
            for instance in pair:
                instance.filtered_resps[FILTER] = record([score])
        return None
