"""The judge pass: all replies of a task at once, after the model under test has given them.

One process of Python spends more time on a call to a fast judge than the call's share of 64
connections leaves, so that a pass of many connections is spread over some processes.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from inspect_ai.model import ModelName, ModelOutput, StopReason
from inspect_ai.scorer import Score
from inspect_ai.solver import TaskState
from inspect_ai.util._concurrency import init_concurrency
from tqdm import tqdm

from harness_adapters.judge_choice import JudgeSpec, make_judge
from harness_adapters.lm_eval.documents import messages_of, metadata_of
from judges.judge import Judge
from privacy_tasks.scorers import unscored

_logger = logging.getLogger("lm_eval.privacy_collapse")

Scoring = Callable[[TaskState, Judge | None], Awaitable[Score]]


class Reply(NamedTuple):
    """One reply of the model under test, and what it was asked."""

    doc: Mapping[str, Any]
    text: str
    epoch: int = 1
    cut: bool = False
    """Whether it ended because its tokens ran out."""


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
    with _old_garbage_apart(), tqdm(total=len(replies), desc=title, disable=not show) as bar:

        def done(place: int, score: Score) -> None:
            found[place] = score
            bar.update()

        try:
            if workers > 1:
                _spread(replies, scoring, spec, connections, workers, done)
            # all of them, or what a process left that ended before its time
            rest = [(place, replies[place]) for place, it in enumerate(found) if it is None]
            if rest:
                _run(_score_all(rest, scoring, spec, connections, done))
        except KeyboardInterrupt:
            if spec is None:
                raise
            # the replies were dear: what was not judged yet can be judged later
            _logger.warning(
                "%s was interrupted: %d replies are unscored. `privacy-tasks rejudge` judges them.",
                title,
                found.count(None),
            )
    return [
        _not_judged("the judge pass was interrupted", replies[place]) if score is None else score
        for place, score in enumerate(found)
    ]


def _not_judged(why: str, reply: Reply) -> Score:
    return unscored("judge_error", f"No verdict: {why}.", "none", reply.text)


_APART = 0.005
"""Seconds between the first calls of a process. If they began together, a steady judge would answer
all at once: the process would then work while no call is under way, and wait while all are."""
_PATIENCE = 30
"""Seconds without a verdict after which that is said."""
_GIVE_UP = 10
"""A judge that failed so often (each time with its retries) and never answered is not asked on."""
_PER_WORKER = 32
"""How many connections keep one process busy, at the fastest of judges."""
_WORTH_IT = 100
"""From how many replies on more than one process is worth starting."""


def _workers(replies: int, spec: JudgeSpec | None, connections: int) -> int:
    forks = sys.platform == "linux"
    if spec is None or spec.is_lexical or spec.is_local or replies < _WORTH_IT or not forks:
        return 1
    return max(1, min(connections // _PER_WORKER, len(os.sched_getaffinity(0))))


@contextmanager
def _old_garbage_apart() -> Iterator[None]:
    """What is in memory already (a model, say) is not looked through again and again meanwhile."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


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
    waiting = iter(replies)

    answered, failed = 0, 0

    async def one(reply: Reply) -> Score:
        nonlocal answered, failed
        if failed >= _GIVE_UP and not answered:
            return _not_judged(f"the judge failed {failed} times and never answered", reply)
        try:
            score = await scoring(_state(reply), judge)
            reason = (score.metadata or {}).get("unscored")
            failed += reason in ("judge_error", "judge_timeout")
            answered += reason is None
            return score
        except Exception as error:  # one sample at most: all replies are there, and were dear
            if judge is None:
                raise
            return _not_judged(f"{type(error).__name__}: {error}", reply)

    async def one_after_the_other(number: int) -> None:
        if spec is not None and not spec.is_lexical:
            await asyncio.sleep(number * _APART)
        for place, reply in waiting:
            done(place, await one(reply))

    async def patient() -> None:
        await asyncio.sleep(_PATIENCE)
        if not answered:
            _logger.warning(
                "No verdict after %d s: the judge is slow, or cannot be reached and is asked again."
                " `privacy-tasks doctor --grader MODEL` tests it.",
                _PATIENCE,
            )

    watch = asyncio.create_task(patient())
    try:
        at_once = max(1, connections // len(spec.judges)) if spec else connections
        await asyncio.gather(*map(one_after_the_other, range(min(at_once, len(replies)))))
    finally:
        watch.cancel()


def _state(reply: Reply) -> TaskState:
    """The reply as Inspect's scorers read it."""
    ended: StopReason = "max_tokens" if reply.cut else "stop"
    output = ModelOutput.from_content("lm_eval", reply.text, stop_reason=ended)
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
    done: Callable[[int, Score], None],
) -> None:
    """Over several processes, which are copies of this one: nothing is imported anew."""
    context = multiprocessing.get_context("fork")
    places = list(enumerate(replies))
    started = []
    try:
        for number in range(workers):
            receiver, sender = context.Pipe(duplex=False)
            share = connections // workers + (number < connections % workers)
            process = context.Process(
                target=_work,
                args=(places[number::workers], scoring, spec, share, sender),
                daemon=True,
            )
            process.start()
            started.append((process, receiver))
            sender.close()
        for place, score in _received([receiver for _, receiver in started]):
            done(place, score)
    finally:
        for process, receiver in started:
            process.terminate()
            process.join()
            receiver.close()


def _received(receivers: Sequence[Connection]) -> Iterator[tuple[int, Score]]:
    waiting = list(receivers)
    while waiting:
        for receiver in wait(waiting):
            assert isinstance(receiver, Connection)
            try:
                message = receiver.recv()
            except EOFError:
                _logger.warning("A process of the judge pass ended before its time.")
                message = None
            if message is None:
                waiting.remove(receiver)
            else:
                yield message


def _work(
    replies: Sequence[tuple[int, Reply]],
    scoring: Scoring,
    spec: JudgeSpec | None,
    connections: int,
    sender: Connection,
) -> None:
    """One process of a pass; what it leaves, its parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted as well

    def done(place: int, score: Score) -> None:
        sender.send((place, score))

    asyncio.run(_score_all(replies, scoring, spec, connections, done))
    sender.send(None)
