"""Probes answered by log-likelihood: which of the two options is more likely to come next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lm_eval.api.instance import Instance

from harness_adapters.lm_eval.documents import Doc
from harness_adapters.lm_eval.errors import LmEvalError
from harness_adapters.lm_eval.likelihoods import OPTIONS, likelier
from harness_adapters.lm_eval.replies import Said
from harness_adapters.lm_eval.task import PrivacyTask


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

    def _said(self, group: Sequence[Any]) -> list[Said]:
        """The likelier option is the answer."""
        return [Said(likelier([instance.resps[0][0] for instance in group]), cut=False)]
