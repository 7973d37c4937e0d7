"""The tasks, one class each; the YAML files in `privacy_collapse/` name them."""

from __future__ import annotations

from harness_adapters.lm_eval.families import FAMILIES
from harness_adapters.lm_eval.logprob import LogprobTask
from harness_adapters.lm_eval.task import PrivacyTask


class Agentic(PrivacyTask):
    """An agent's next action after a replayed trajectory, read as text."""

    name = "agentic"
    family = FAMILIES["agentic"]


class AgenticPrivacyLens(Agentic):
    """The same on PrivacyLens."""

    name = "agentic_privacylens"


class Memory(PrivacyTask):
    """A message written from all that is remembered of somebody."""

    name = "memory"
    family = FAMILIES["memory"]


class MemoryCIMemories(Memory):
    """The same on CIMemories."""

    name = "memory_cimemories"


class Probing(PrivacyTask):
    """Whether an item may go to a recipient, asked in both orders of the options."""

    name = "probing"
    family = FAMILIES["probing"]


class ProbingPrivacyLens(Probing):
    """The same on PrivacyLens."""

    name = "probing_privacylens"


class ProbingLogprob(LogprobTask):
    """The same by the log-likelihood of the options."""

    name = "probing_logprob"
    family = FAMILIES["probing_logprob"]


class ProbingLogprobPrivacyLens(ProbingLogprob):
    """The same on PrivacyLens."""

    name = "probing_logprob_privacylens"
