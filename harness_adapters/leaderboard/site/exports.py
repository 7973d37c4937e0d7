"""The table for programs: JSON and CSV, in full precision."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from harness_adapters.collapse.report.wording import line
from harness_adapters.leaderboard.site.boards import Board
from harness_adapters.leaderboard.site.index import same_words
from harness_adapters.leaderboard.site.ranking import Ranked
from harness_adapters.leaderboard.submission import Run, Submission
from privacy_tasks.metrics import figure_names

FORMAT = 1
MADE_BY = "privacy-tasks leaderboard"
"""By which a site is known to be one."""

METRICS = (
    "discernment",
    "accuracy",
    "leak_rate",
    "item_leak_rate",
    "withhold_accuracy",
    "share_rate",
    "share_accuracy",
    "paper_accuracy",
    "helpful_rate",
    "judged",
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")

Cell = str | int | float | bool | None
Boards = Sequence[tuple[Board, Sequence[Ranked]]]


def as_json(boards: Boards, title: str, url: str | None) -> str:
    """Every board with its runs."""
    whole = {
        "format": FORMAT,
        "made_by": MADE_BY,
        "title": title,
        "url": url,
        "boards": [
            {
                "id": board.id,
                "task": board.task,
                "same": dict(board.key),
                "runs": [record_of(board, it, url) for it in runs],
            }
            for board, runs in boards
        ],
    }
    # as ASCII: names may hold half a surrogate pair, which is no UTF-8
    return json.dumps(whole, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def as_csv(boards: Boards, url: str | None) -> str:
    """A row for each run. No text in it is taken for a formula by a spreadsheet."""
    rows = [record_of(board, it, url) for board, runs in boards for it in runs]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    return text.getvalue()


def record_of(board: Board, ranked: Ranked, url: str | None) -> dict[str, Cell]:
    """One run, flat."""
    entry = ranked.entry
    run = entry.run
    return {
        "board": board.id,
        "rank": None if ranked.alone else ranked.rank,
        "tied": ranked.tied,
        "not_ranked": "the only one that can be ranked" if ranked.alone else ranked.why_not or None,
        **_of_model(entry.submission),
        **_of_run(run),
        "headline": ranked.headline,
        **_figures(run),
        **_bounds(run),
        **_moved(ranked),
        "same_outputs": "; ".join(same_words(it) for it in ranked.same) or None,
        "unlike_most": "; ".join(ranked.unlike) or None,
        **_of_submission(entry.submission, entry.slug, url),
    }


def _of_model(submission: Submission) -> dict[str, Cell]:
    model = submission.model
    base = model.tuning.base if model.tuning else None
    return {
        "model": model.name,
        "revision": model.revision,
        "access": model.access,
        "tuned": base is not None,
        "base": base.name if base else None,
        "base_revision": base.revision if base else None,
    }


def _of_run(run: Run) -> dict[str, Cell]:
    return {
        "task": run.task,
        "mode": run.mode,
        "harness": run.harness,
        "harness_version": run.harness_version,
        "privacy_tasks": run.privacy_tasks,
        "set": run.data.name,
        "set_version": run.data.version,
        "set_hash": run.data.hash,
        "prompt_hash": run.prompt_hash,
        "judge": run.judge.identity if run.judge else None,
        "run_id": run.run_id,
        "began": run.began,
        "samples": run.samples,
        "epochs": run.epochs,
        "clusters": run.clusters,
        "unscored": sum(run.unscored.values()),
    }


def _figures(run: Run) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for name in METRICS:
        figure = run.metrics.get(name)
        parts = ("mean", "stderr", "lower", "upper")
        for key, part in zip(figure_names(name), parts, strict=True):  # as the logs call them
            found[key] = None if figure is None else getattr(figure, part)
    return found


def _bounds(run: Run) -> dict[str, Cell]:
    """The leak rate, were what is unscored counted."""
    names = {"leak_rate_lower": "as_no_leak", "leak_rate_upper": "as_leak"}
    found = {new: run.metrics.get(name) for name, new in names.items()}
    return {f"leak_rate_unscored_{it}": fig.mean if fig else None for it, fig in found.items()}


def _moved(ranked: Ranked) -> dict[str, Cell]:
    gap = ranked.moved
    return {
        "from_base": gap.value if gap else None,
        "from_base_lower": gap.lower if gap else None,
        "from_base_upper": gap.upper if gap else None,
        "from_base_p_holm": gap.p if gap else None,
        "from_base_beyond_error": gap.beyond if gap else None,
        "no_base": ranked.no_base or None,
    }


def _of_submission(submission: Submission, slug: str, url: str | None) -> dict[str, Cell]:
    return {
        "made": submission.made,
        "submitter": submission.submitter.name if submission.submitter else None,
        "outputs": submission.outputs,
        "records_sha256": submission.records.sha256,
        "page": f"{url.rstrip('/') + '/' if url else ''}submissions/{slug}/index.html",
    }


def _cell(value: Cell) -> str:
    """A cell: numbers as they are, text so that it stays text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else repr(value)
    text = line(value)
    risky = value.startswith(_FORMULAS) or text.startswith(_FORMULAS)
    return f"'{text}" if risky else text
