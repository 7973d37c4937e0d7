"""The judge pass: all replies of a task at once, after the model under test has given them.

One process of Python spends more time on a call to a fast judge than the call's share of 64
connections leaves, so that a pass of many connections is spread over some processes.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from inspect_ai.model import GenerateConfig, ModelName, ModelOutput, get_model
from inspect_ai.scorer import Score
from inspect_ai.solver import TaskState
from inspect_ai.util._concurrency import init_concurrency
from tqdm import tqdm

from harness_adapters.lm_eval.documents import messages_of, metadata_of
from harness_adapters.lm_eval.errors import LmEvalError
from harness_adapters.lm_eval.families import Judge
from harness_adapters.lm_eval.settings import JudgeSpec
from judges.lexical import LexicalJudge
from judges.llm import LLMJudge

Scoring = Callable[[TaskState, Judge | None], Awaitable[Score]]


class Reply(NamedTuple):
    """One reply of the model under test, and what it was asked."""

    doc: Mapping[str, Any]
    text: str
    epoch: int = 1


def make_judge(spec: JudgeSpec, connections: int) -> Judge:
    """The judge, by Inspect's model layer.

    Args:
        spec: its name and settings.
        connections: how many calls to it are under way at once.
    """
    if spec.model is None:
        return LexicalJudge()
    try:
        model = get_model(
            spec.model,
            config=GenerateConfig(**spec.config, max_connections=connections),
            base_url=spec.base_url,
            memoize=False,  # its connections belong to the event loop of this pass
            **spec.model_args,
        )
        # Inspect reads its table of models at the first call: better here than in every process
        model.api.model_family()
    except ValueError as error:  # a provider that Inspect does not know, or a wrong setting
        raise LmEvalError(f"judge={spec.model}: {error}") from error
    return LLMJudge(model)


def judge_pass(
    replies: Sequence[Reply],
    scoring: Scoring,
    spec: JudgeSpec | None,
    connections: int,
    *,
    title: str,
    show: bool = True,
) -> list[Score]:
    """The score of each reply.

    Args:
        replies: what is judged.
        scoring: how.
        spec: the judge; None where none is needed.
        connections: how many calls to it are under way at once, in all.
        title: beside the progress bar.
        show: whether there is a progress bar.
    """
    found: list[Score | None] = [None] * len(replies)
    workers = _workers(len(replies), spec, connections)
    with tqdm(total=len(replies), desc=title, disable=not show) as bar:
        for place, score in (
            _spread(replies, scoring, spec, connections, workers)
            if workers > 1
            else _alone(replies, scoring, spec, connections, bar)
        ):
            found[place] = score
            if workers > 1:
                bar.update()
    assert all(score is not None for score in found)
    return [score for score in found if score is not None]


_PER_WORKER = 32
"""How many connections keep one process busy, at the fastest of judges."""
_WORTH_IT = 100
"""From how many replies on more than one process is worth starting."""


def _workers(replies: int, spec: JudgeSpec | None, connections: int) -> int:
    forks = sys.platform == "linux"
    if spec is None or spec.model is None or replies < _WORTH_IT or not forks:
        return 1
    if spec.model.startswith(("hf/", "vllm/", "sglang/", "nnterp/", "mockllm/")):
        return 1  # a model in this process is loaded once
    return max(1, min(connections // _PER_WORKER, len(os.sched_getaffinity(0))))


def _alone(
    replies: Sequence[Reply],
    scoring: Scoring,
    spec: JudgeSpec | None,
    connections: int,
    bar: tqdm[Any],
) -> Iterator[tuple[int, Score]]:
    """In this process; the bar moves meanwhile."""
    found: list[tuple[int, Score]] = []

    def done(place: int, score: Score) -> None:
        found.append((place, score))
        bar.update()

    _run(_score_all(list(enumerate(replies)), scoring, spec, connections, done))
    return iter(found)


def _run(pass_: Awaitable[None]) -> None:
    """Runs to the end, also where an event loop is running already (in a notebook, say)."""
    import threading

    async def main() -> None:
        await pass_

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(main())
        return
    failed: list[BaseException] = []

    def beside() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=beside)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


async def _score_all(
    replies: Sequence[tuple[int, Reply]],
    scoring: Scoring,
    spec: JudgeSpec | None,
    connections: int,
    done: Callable[[int, Score], None],
) -> None:
    init_concurrency()  # Inspect keeps the bounds of a pass before
    judge = None if spec is None else make_judge(spec, connections)
    room = asyncio.Semaphore(connections)

    async def one(place: int, reply: Reply) -> None:
        async with room:
            done(place, await scoring(_state(reply), judge))

    await asyncio.gather(*(one(place, reply) for place, reply in replies))


def _state(reply: Reply) -> TaskState:
    """The reply as Inspect's scorers read it."""
    output = ModelOutput.from_content("lm_eval", reply.text)
    messages = messages_of(reply.doc)
    return TaskState(
        model=ModelName("lm_eval/model"),
        sample_id=reply.doc["id"],
        epoch=reply.epoch,
        input=messages,
        messages=[*messages, output.message],
        output=output,
        metadata=metadata_of(reply.doc),
    )


def _spread(
    replies: Sequence[Reply],
    scoring: Scoring,
    spec: JudgeSpec | None,
    connections: int,
    workers: int,
) -> Iterator[tuple[int, Score]]:
    """Over several processes, which are copies of this one: nothing is imported anew."""
    context = multiprocessing.get_context("fork")
    places = list(enumerate(replies))
    gc.freeze()  # what is there already stays shared, and is not looked at again
    started = []
    for number in range(workers):
        receiver, sender = context.Pipe(duplex=False)
        share = connections // workers + (number < connections % workers)
        process = context.Process(
            target=_work,
            args=(places[number::workers], scoring, spec, share, sender),
            daemon=True,
        )
        process.start()
        sender.close()
        started.append((process, receiver))
    try:
        yield from _received([receiver for _, receiver in started])
    finally:
        for process, _ in started:
            process.terminate()
            process.join()
        gc.unfreeze()


def _received(receivers: Sequence[Connection]) -> Iterator[tuple[int, Score]]:
    waiting = list(receivers)
    while waiting:
        for receiver in wait(waiting):
            assert isinstance(receiver, Connection)
            try:
                message = receiver.recv()
            except EOFError:
                raise LmEvalError("A process of the judge pass ended before its time.") from None
            if message is None:
                waiting.remove(receiver)
            elif isinstance(message, BaseException):
                raise message
            else:
                yield message


def _work(
    replies: Sequence[tuple[int, Reply]],
    scoring: Scoring,
    spec: JudgeSpec | None,
    connections: int,
    sender: Connection,
) -> None:
    """One process of a pass."""
    try:
        asyncio.run(
            _score_all(
                replies,
                scoring,
                spec,
                connections,
                lambda place, score: sender.send((place, score)),
            )
        )
    except BaseException as error:  # whatever it is, it is raised where the pass was asked for
        sender.send(_sendable(error))
    else:
        sender.send(None)


def _sendable(error: BaseException) -> BaseException:
    """An error without its causes, which may hold what cannot be sent."""
    return RuntimeError(f"The judge pass failed: {type(error).__name__}: {error}")
