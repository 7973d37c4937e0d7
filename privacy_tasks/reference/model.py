"""The reference models as an Inspect model provider: `--model reference/discreet`, say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.solver import TaskState
from inspect_ai.solver._task_state import sample_state
from inspect_ai.tool import ToolChoice, ToolInfo

from privacy_tasks.errors import OptionError
from privacy_tasks.norms import AnnotatedItem
from privacy_tasks.prerequisites import as_prerequisite
from privacy_tasks.reference.policy import make_policy
from privacy_tasks.toolkits import ToolSpec, tool_spec

_ADDRESS = "recipient@reference.example"
"""For scenarios that name no address."""


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
        unknown = sorted(set(model_args) - {"leak", "share", "seed"})
        if unknown:
            raise OptionError(
                f"reference/{model_name} does not know {', '.join(unknown)};"
                " it takes leak, share and seed."
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
        """The next action of the policy in the sample that is being run."""
        state = sample_state()
        if state is None or "items" not in state.metadata:
            raise OptionError("The reference models only answer in tasks of privacy_tasks.")
        output = self._answer(state)
        output.usage = ModelUsage()
        return output

    def _answer(self, state: TaskState) -> ModelOutput:
        if not self._policy.acts:
            return ModelOutput.from_content(self.model_name, "I would rather not send anything.")
        items = [AnnotatedItem.from_record(item) for item in state.metadata["items"]]
        chosen = self._policy.disclosed(str(state.sample_id), state.epoch, items)
        spec = tool_spec(state.metadata["final_tool"])
        assert spec is not None
        arguments = compose(spec, state.metadata["address"], [item.statement for item in chosen])
        if state.metadata["tool_format"] == "text":
            text = f"Action: {spec.name}\nAction Input: {json.dumps(arguments, ensure_ascii=False)}"
            return ModelOutput.from_content(self.model_name, text)
        return ModelOutput.for_tool_call(self.model_name, spec.name, arguments)


def compose(spec: ToolSpec, address: str | None, statements: Sequence[str]) -> dict[str, Any]:
    """Arguments of an outgoing tool that say these statements and nothing else of substance."""
    assert spec.outgoing is not None
    assert spec.outgoing.body is not None
    arguments: dict[str, Any] = {}
    for name, parameter in spec.parameters.items():
        if name == spec.outgoing.addressee:
            value = address or _ADDRESS
            arguments[name] = [value] if parameter.type == "array" else value
        elif name == spec.outgoing.body:
            arguments[name] = "\n".join(["Hello,", *statements, "Regards"])
        elif parameter.required:
            arguments[name] = [] if parameter.type == "array" else _FILLERS.get(name, "Update")
    return arguments


_FILLERS = {"start": "2030-01-01 09:00", "end": "2030-01-01 09:30"}
