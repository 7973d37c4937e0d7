"""A task of lm-eval: its documents, its prompts, the judge pass, and its figures."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, ClassVar

from datasets import Dataset
from inspect_ai.scorer import Score
from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask

from harness_adapters.judge_choice import JudgeSpec, judge_spec, make_judge
from harness_adapters.lm_eval.documents import Doc, doc_of
from harness_adapters.lm_eval.errors import LmEvalError, one_message
from harness_adapters.lm_eval.families import Family, defined_names
from harness_adapters.lm_eval.judging import Reply, judge_pass
from harness_adapters.lm_eval.model import check_length, first_seed, model_under_test
from harness_adapters.lm_eval.records import Observation, Tally, observed, record
from harness_adapters.lm_eval.rendering import Asked, ChatRenderer, plain
from harness_adapters.lm_eval.replies import Limits, Said, said
from harness_adapters.lm_eval.settings import read_settings
from privacy_tasks.options import at_least

logger = logging.getLogger("lm_eval.privacy_collapse")

_ALIASES = ("max_new_tokens", "max_tokens", "max_completion_tokens", "max_length")
"""Other names that lm-eval has for max_gen_toks; the last one counts the prompt in."""

_HINTS = {
    "reply_cut": "For longer replies: --gen_kwargs max_gen_toks=…",
    "judge_error": "To test the judge: privacy-tasks doctor --grader MODEL",
    "judge_timeout": "To test the judge: privacy-tasks doctor --grader MODEL",
    "invalid_answer": "To test the judge: privacy-tasks doctor --grader MODEL",
}
"""What helps against some reasons."""

PREFIX = "privacy_collapse_"
FILTER = "none"
"""Name of the one filter, as lm-eval's tables show it."""


class PrivacyTask(ConfigurableTask):
    """What all tasks of this project have in common in lm-eval."""

    name: ClassVar[str]
    """Name of the task, without the prefix."""
    family: ClassVar[Family]
    output_type: ClassVar[str] = "generate_until"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        given = dict(config or {})
        self._where = PREFIX + self.name
        strange = sorted(set(given) - {"task", "class", "output_type", "metadata"})
        if strange:
            raise LmEvalError(
                f"{self._where}: {', '.join(strange)} cannot be set in a task file of this class;"
                " pass settings with --metadata, and the rest as options of lm_eval."
            )
        with one_message(self._where):
            self.settings = read_settings(self.name, given.get("metadata") or {}, os.environ)
            self._epochs = at_least("epochs", self.settings.get("epochs", 1), 1)
            if self.family.has_judge:
                at_least("judge_connections", self.settings["judge_connections"], 1)
            self._load(shots=0)
        self._judge: JudgeSpec | None = None
        self._tally: Tally | None = None
        self._rank, self._processes = 0, 1
        self._renderer: ChatRenderer | None = None
        super().__init__(
            config={
                "task": self._where,
                "output_type": self.output_type,
                "test_split": "test",
                "metadata": {"version": self._cases.scenario_set.version},
                # results are processed here, so that no metric is looked up on the hub
                "process_results": "process_results",
                "metric_list": self._metric_list(),
                **self._generation(),
            }
        )
        self._set_aggregations()

    def _load(self, shots: int) -> None:
        """Makes the cases, and what of them lm-eval keeps in its samples file."""
        self._cases, asked = self.family.cases(self.settings, shots)
        self._asked: dict[str, Asked] = {
            str(sample.id): it for sample, it in zip(self._cases.samples, asked, strict=True)
        }
        self._docs = [doc_of(sample, self._cases) for sample in self._cases.samples]

    def _generation(self) -> dict[str, Any]:
        if self.output_type != "generate_until":
            return {}
        return {
            "generation_kwargs": {
                "until": list(self.family.stop),
                "do_sample": False,
                "temperature": 0.0,
                "max_gen_toks": self.family.max_tokens(self.settings),
            }
        }

    def download(self, dataset_kwargs: Any = None, **kwargs: Any) -> None:
        """Nothing is downloaded: the documents are made of this project's scenarios."""
        self.dataset = {"test": Dataset.from_list(self._docs)}

    def fewshot_docs(self) -> None:
        """Solved examples are drawn by this project, never of the same cluster."""
        return

    def doc_to_text(self, doc: Doc, doc_to_text: Any = None) -> str:
        """The prompt without a chat template."""
        return plain(self._asked[doc["id"]].messages, None, self._cue)

    def doc_to_target(self, doc: Doc, doc_to_target: Any = None) -> str:
        """The right answer to a probe; what is to be judged has none."""
        return str(json.loads(doc["metadata"]).get("right", ""))

    @property
    def _cue(self) -> str:
        return self.family.cue(self.settings)

    # prompts

    def build_all_requests(self, **options: Any) -> None:
        """lm-eval's own, after everything was checked that can be before a model is called."""
        self._rank, self._processes = options.get("rank", 0), options.get("world_size", 1)
        with one_message(self._where):
            if self.family.has_judge and not self._only_predicts:
                self._check_judge()
            self._check_generation()
            self._take_examples()
        for name in ("cache_requests", "rewrite_requests_cache"):
            if options.get(name):
                logger.warning(
                    "%s: --cache_requests is off for this task: lm-eval would take stored prompts"
                    " also where data or settings are others.",
                    self._where,
                )
                options["cache_requests"] = options["rewrite_requests_cache"] = False
        template = options.get("chat_template") if options.get("apply_chat_template") else None
        with one_message(self._where):
            self._renderer = self._make_renderer(template, options)
        lm = model_under_test(template)
        tokens = (self.config.generation_kwargs or {}).get("max_gen_toks", 1)
        self._limits = Limits(lm, tokens)
        self._seed = first_seed(lm)
        super().build_all_requests(**options)
        with one_message(self._where):
            prompts = [it.args[0] for it in self.instances if isinstance(it.args[0], str)]
            generates = self.output_type == "generate_until"
            check_length(lm, prompts, tokens, generates=generates)
        logger.info("%s: %s", self._where, self._told())

    def _make_renderer(self, template: Any, options: Mapping[str, Any]) -> ChatRenderer | None:
        trajectory = self.settings.get("trajectory", "transcript")
        if template is None:
            if trajectory == "messages":
                raise LmEvalError("trajectory=messages needs --apply_chat_template.")
            return None
        one_turn = not options.get("fewshot_as_multiturn")
        renderer = ChatRenderer(template, trajectory, one_turn=one_turn)
        renderer.choose(list(self._asked.values()), options.get("system_instruction"))
        return renderer

    def _check_judge(self) -> None:
        self._judge = judge_spec(self.settings["judge"])
        # made once here, so that a missing key or package is known before the first call
        judge = make_judge(self._judge, self.settings["judge_connections"])
        self._judge_identity = judge.identity

    def _check_generation(self) -> None:
        """Refuses generation settings that would not do what they say."""
        kwargs = self.config.generation_kwargs or {}
        others = [name for name in _ALIASES if name in kwargs]
        if others:
            raise LmEvalError(
                f"--gen_kwargs {others[0]}: this task goes by max_gen_toks, which lm-eval would"
                " prefer in silence; pass that."
            )
        temperature = kwargs.get("temperature")
        sampled = (
            kwargs.get("do_sample") is True
            and isinstance(temperature, int | float)
            and temperature > 0
        )
        if self._epochs > 1 and not sampled:
            raise LmEvalError(
                f"epochs={self._epochs} with greedy decoding asks for the same reply again and"
                " again. Pass --gen_kwargs do_sample=true,temperature=0.7, say."
            )

    def _take_examples(self) -> None:
        shots = self.config.num_fewshot or 0
        if not shots:
            return
        if not self.family.has_examples:
            raise LmEvalError(
                f"--num_fewshot {shots}: this task has no few-shot examples. Leave the option out,"
                " or run privacy_collapse_probing by itself, which has some."
            )
        self._load(shots)
        self.download()  # the documents say what was shown, and were made without the examples

    def fewshot_context(self, doc: Doc, num_fewshot: int, **options: Any) -> Any:
        """The prompt of a document."""
        asked = self._asked[doc["id"]]
        system = options.get("system_instruction")
        if self._renderer is None:
            return plain(asked.messages, system, self._cue)
        with one_message(self._where):
            return self._renderer.render(asked, system)

    def construct_requests(self, doc: Doc, ctx: Any, **options: Any) -> Any:
        """What is asked of the model for a document."""
        options.pop("apply_chat_template", None)
        options.pop("chat_template", None)
        generation = dict(self.config.generation_kwargs or {})
        until = generation.get("until") or []
        stops = [until] if isinstance(until, str) else list(until)
        if self._renderer is None:
            stops = [*self.family.plain_stop(self.settings), *stops]
        generation["until"] = stops
        requests = []
        for place in range(self._epochs):
            # lm-eval gives a server the same seed with each request
            seed = {} if self._seed is None or self._epochs == 1 else {"seed": self._seed + place}
            requests.append(
                Instance(
                    request_type="generate_until",
                    doc=doc,
                    arguments=(ctx, generation | seed),
                    idx=place,
                    **options,
                )
            )
        return requests

    def _told(self) -> str:
        """The settings of this run, in a line."""
        shown = {
            name: value
            for name, value in self.settings.items()
            if value not in (None, "") and name not in ("judge", "judge_connections", "trajectory")
        }
        shown |= self._trajectory()
        if self._judge is not None:
            shown["judge"] = self._judge_identity
        return ", ".join(f"{name}={value}" for name, value in shown.items())

    def _trajectory(self) -> dict[str, str]:
        """How tool calls were shown, in tasks that have some."""
        if "trajectory" not in self.settings:
            return {}
        calls = self._renderer is not None and self._renderer.shows_calls
        return {"trajectory": "messages" if calls else "transcript"}

    # scoring

    @property
    def _only_predicts(self) -> bool:
        """Whether `--predict_only` was given."""
        return "bypass" in self._metric_fn_list

    def apply_filters(self) -> Any:
        """The judge pass, over all that this process has asked."""
        asked: dict[int, list[Any]] = defaultdict(list)
        for instance in self.instances:
            asked[instance.doc_id].append(instance)
        groups = [sorted(group, key=lambda instance: instance.idx) for group in asked.values()]
        told = [self._said(group) for group in groups]
        if self._only_predicts or self._looks_on:
            records = [record((), it) for it in told]
        else:
            self._warn_of_replies(told)
            records = self._judged(groups, told)
        for group, text in zip(groups, records, strict=True):
            for instance in group:
                instance.filtered_resps[FILTER] = text
        return None

    @property
    def _looks_on(self) -> bool:
        """Whether this process has its copy of the work of another, whose results count.

        Launchers that spread one model over processes give each all requests.
        """
        return self._processes == 1 and os.environ.get("LOCAL_RANK", "0") != "0"

    def _said(self, group: Sequence[Any]) -> list[Said]:
        """What the model said to one document, epoch by epoch.

        Where processes share the work, a request may have been made once more to fill up.
        """
        return [said(it.args[0], it.resps[0], cut=self._limits.cut(it.resps[0])) for it in group]

    def _judged(self, groups: Sequence[Any], told: Sequence[Sequence[Said]]) -> list[str]:
        """The record of each document."""
        replies = [
            Reply(group[0].doc, it.text, epoch, it.cut)
            for group, epochs in zip(groups, told, strict=True)
            for epoch, it in enumerate(epochs, start=1)
        ]
        connections = self.settings.get("judge_connections", 1)
        scores = judge_pass(
            replies,
            self.family.score,
            self._judge,
            max(1, connections // self._processes),
            title=f"Judging {self._where}",
            show=self._judge is not None and self._rank == 0,
        )
        self._tell_unscored(scores)
        size = self._epochs
        return [
            record(scores[place * size : (place + 1) * size], epochs)
            for place, epochs in enumerate(told)
        ]

    def _tell_unscored(self, scores: Sequence[Score]) -> None:
        """What has no verdict and why, while whoever runs this still looks."""
        told = [score.metadata or {} for score in scores]
        without = [it for it in told if "unscored" in it]
        if without:
            reasons = Counter(str(it["unscored"]) for it in without)
            listed = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common())
            first = " ".join(str(without[0].get("detail", "")).split())[:200]
            hints = "".join(f" {_HINTS[reason]}" for reason in reasons if reason in _HINTS)
            logger.warning(
                "%s: %d of %d replies are unscored (%s). The first: %s%s",
                self._where,
                len(without),
                len(scores),
                listed,
                first,
                hints,
            )
        if self._rank == 0:
            logger.info(
                "%s: for intervals, domains and leaks with their quotes, run lm_eval with"
                " --output_path DIR --log_samples, and then: privacy-tasks results DIR",
                self._where,
            )

    def _warn_of_replies(self, told: Sequence[Sequence[Said]]) -> None:
        if not self._limits.are_seen and self.output_type == "generate_until":
            logger.warning(
                "%s: whether a reply was cut short cannot be seen with this model; give it room"
                " (--gen_kwargs max_gen_toks=…).",
                self._where,
            )
        if self._epochs > 1 and all(len({it.text for it in epochs}) == 1 for epochs in told):
            logger.warning(
                "%s: all %d replies to each sample are the same, so that they are no more than"
                " one. The server may ignore seed and temperature.",
                self._where,
                self._epochs,
            )

    def process_results(self, doc: Doc, results: Sequence[str]) -> dict[str, Any]:
        """What one document adds to each figure."""
        if self._only_predicts:
            return {"bypass": None}
        if self._looks_on:
            return {}
        return dict(observed(self.family, doc, results[0], self._names))

    def _metric_list(self) -> list[dict[str, Any]]:
        metadata = [json.loads(doc["metadata"]) for doc in self._docs]
        lexical = self.settings.get("judge") == "lexical"
        self._names = defined_names(self.family, metadata, lexical=lexical)
        return [
            {
                "metric": name,
                "aggregation": self._aggregate(name),
                "higher_is_better": self.family.higher_is_better.get(name),
            }
            for name in self._names
        ]

    def _set_aggregations(self) -> None:
        for name in self._names:
            self._aggregation_list[f"{name}_stderr"] = self._aggregate(f"{name}_stderr")

    def _aggregate(self, name: str) -> Callable[[Sequence[Any]], float]:
        if name == "judged":
            return self._tallied
        return partial(self._figure, name)

    def _tallied(self, observations: Sequence[Observation]) -> float:
        """The first of the figures: what it is made of is kept for the others."""
        self._tally = Tally(self.family, observations)
        return self._tally.figures["judged"]

    def _figure(self, name: str, values: Sequence[Any]) -> float:
        assert self._tally is not None, "lm-eval aggregates `judged` first"
        return self._tally.figures[name]

    def dump_config(self) -> dict[str, Any]:
        """What the results file says of the task: which data, which judge, what came of it."""
        names = () if self._only_predicts else self._names
        told: dict[str, Any] = {
            "task": self._where,
            "output_type": self.output_type,
            "num_fewshot": self.config.num_fewshot or 0,
            "metric_list": [
                {"metric": name, "higher_is_better": self.family.higher_is_better.get(name)}
                for name in names
            ],
            "metadata": {
                "version": self.VERSION,
                "privacy_tasks": version("privacy-tasks"),
                "epochs": self._epochs,
                **self._cases.identity,
                **_shown(self.settings),
                **self._trajectory(),
            },
        }
        if self.config.generation_kwargs:
            told["generation_kwargs"] = self.config.generation_kwargs
        if self._tally is not None:
            told["metadata"] |= self._tally.summary(names)
        return told


def _shown(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as results may show them: without paths, and without the judge's arguments."""
    shown = {
        name: value
        for name, value in settings.items()
        if value not in (None, "") and name not in ("judge", "judge_connections", "labels")
    }
    shown["data"] = str(shown["data"]).partition(":")[0]
    return shown
