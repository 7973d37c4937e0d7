"""The reference models as an Inspect model provider: `--model reference/discreet`, say."""

from __future__ import annotations

from typing import Any

from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.solver._task_state import sample_state
from inspect_ai.tool import ToolChoice, ToolInfo

from privacy_tasks.errors import OptionError
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.reference.conduct import Asked, conduct_of
from privacy_tasks.reference.policy import make_policy

ARGUMENTS = ("leak", "share", "seed", "store")


class ReferenceAPI(ModelAPI):
    """Knows the scenario of the sample it is asked in, and discloses what its policy says."""

    @as_prerequisite
    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),
        **model_args: Any,
    ) -> None:
        super().__init__(model_name, base_url, api_key, [], config)
        unknown = sorted(set(model_args) - set(ARGUMENTS))
        if unknown:
            raise OptionError(
                f"reference/{model_name} does not know {', '.join(unknown)};"
                " it takes leak, share, seed and store."
            )
        self._policy = make_policy(model_name, **model_args)

    def max_connections(self) -> int:
        """Nothing is waited for, so many at once."""
        return 64

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> ModelOutput:
        """What the policy does next in the sample that is being run."""
        state = sample_state()
        conduct = conduct_of(state.metadata.get("kind")) if state else None
        if state is None or conduct is None:
            raise OptionError("The reference models only answer in tasks of privacy_tasks.")
        done = conduct(Asked(self._policy, state, input))
        output = (
            ModelOutput.from_content(self.model_name, done)
            if isinstance(done, str)
            else ModelOutput.for_tool_call(self.model_name, done.tool, dict(done.arguments))
        )
        output.usage = ModelUsage()
        return output
