"""A minimal Inspect task that makes the same calls as privacy_tasks/agentic, and nothing else."""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from judges.rubric import load_rubric
from privacy_tasks.agentic.prompts import native_messages
from privacy_tasks.agentic.replay import inspect_tools
from privacy_tasks.sources import load_agentic
from privacy_tasks.toolkits import tools_of


@solver
def ask() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.tools = inspect_tools(tools_of(state.metadata["toolkits"]))
        return await generate(state, tool_calls="none")

    return solve


@scorer(metrics=[mean()])
def ask_grader() -> Scorer:
    rubric = load_rubric().text

    async def score(state: TaskState, target: Target) -> Score:
        calls = state.output.message.tool_calls or []
        sent = "\n".join(str(value) for call in calls for value in call.arguments.values())
        prompt = f"{state.metadata['question']}\n{sent}"
        messages = [ChatMessageSystem(content=rubric), ChatMessageUser(content=prompt)]
        answer = await get_model(role="grader").generate(messages)
        return Score(value=len(answer.completion))

    return score


@task
def bare(data: str) -> Task:
    samples = [
        Sample(
            id=scenario.id,
            input=native_messages(scenario, "naive", ""),
            metadata={
                "toolkits": list(scenario.toolkits),
                "question": "\n".join(item.statement for item in scenario.items),
            },
        )
        for scenario in load_agentic(data).scenarios
    ]
    return Task(dataset=MemoryDataset(samples), solver=ask(), scorer=ask_grader())
