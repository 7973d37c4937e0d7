"""A judge card as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from judges.calibration.card import (
    Coefficient,
    Flips,
    JudgeCard,
    Level,
    OfHalf,
    Share,
    uncorrectable,
)

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$])")

_HEADINGS = {
    "dev": "Dev half (prompts and thresholds may have been tuned on it)",
    "test": "Test half (nothing was tuned on it)",
}


def as_markdown(card: JudgeCard) -> str:
    """The whole card; whatever came from outside is shown as plain text."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: JudgeCard) -> Iterator[str]:
    yield f"# Judge card: {_plain(card.judge)}"
    yield ""
    yield from _table(
        ("", ""),
        [
            *((_plain(name), _plain(value)) for name, value in sorted(card.made_of.items())),
            ("gold cases", f"version {_plain(card.gold_version)}, hash {_plain(card.gold)}"),
            ("runs of each case", str(card.repeats)),
            ("privacy-tasks", _plain(card.version)),
            ("made on", _plain(card.made)),
            ("calls", str(card.usage.calls)),
            ("answers that could not be used at once", str(card.usage.unusable)),
            ("tokens", f"{card.usage.input_tokens} in, {card.usage.output_tokens} out"),
            ("cost", _dollars(card)),
        ],
    )
    for name in sorted(card.halves, reverse=True):
        yield ""
        yield f"## {_HEADINGS[name]}"
        yield from _half(card.halves[name])
    yield ""
    yield "## Correction of leak_rate"
    yield ""
    yield correction_text(card)


def _half(half: OfHalf) -> Iterator[str]:
    yield ""
    reasons = ", ".join(f"{reason} {count}" for reason, count in half.unscored.items())
    yield (
        f"{half.cases} outputs, {half.answers} answers, {half.judged} with a verdict"
        f"{f'; unscored: {reasons}' if reasons else ''}. 95 % intervals, clustered by situation, in"
        " brackets; how many outputs or items it is of."
    )
    yield ""
    yield from _table(
        ("", "sensitivity", "specificity", "Cohen's κ"),
        [
            ("outputs (leak or none)", *_level(half.outputs)),
            ("plain outputs alone", *_level(half.plain)),
            ("items (disclosed or not)", *_level(half.items)),
            *(
                (f"outputs, member {number} ({_plain(it.judge)})", *_level(it.outputs))
                for number, it in enumerate(half.members, start=1)
            ),
        ],
    )
    yield ""
    yield from _table(
        ("repeats", ""),
        [
            ("Krippendorff's α over repeats", with_interval(half.alpha)),
            ("items that flipped between repeats", _flips(half.repeats)),
            ("items that flipped with another order of the items", _flips(half.permuted)),
            *(
                [
                    ("Krippendorff's α of the members", with_interval(half.panel_alpha)),
                    ("items on which all members agreed", _share(half.unanimous)),
                ]
                if half.members
                else []
            ),
        ],
    )
    yield ""
    yield from _table(
        ("kind of item", "is", "judged right"),
        [
            (it.kind, "disclosed" if it.disclosed else "not disclosed", _share(it.right))
            for it in half.kinds
        ],
    )


def correction_text(card: JudgeCard) -> str:
    """By what rates read off this judge are corrected, or why they are not."""
    refusal = uncorrectable(card)
    if refusal:
        return f"Rates are not corrected: {refusal.why}."
    outputs = card.halves["test"].outputs
    return (
        f"Rates are corrected by the outputs of the test half: sensitivity"
        f" {outputs.sensitivity.value:.3f} and specificity {outputs.specificity.value:.3f}. That"
        " holds as far as the judge errs on the outputs of a run as it did on these."
    )


def with_interval(found: Share | Coefficient | None) -> str:
    """A figure and its interval, or a dash where there is none."""
    if found is None or found.value is None or found.lower is None or found.upper is None:
        return "–"
    return f"{found.value:.3f} [{found.lower:.3f}, {found.upper:.3f}]"


def _level(level: Level) -> tuple[str, str, str]:
    return _share(level.sensitivity), _share(level.specificity), with_interval(level.kappa)


def _share(share: Share | None) -> str:
    return with_interval(share) + (f" of {share.n}" if share and share.n else "")


def _flips(flips: Flips | None) -> str:
    return "–" if flips is None else f"{flips.flipped} of {flips.items}"


def _dollars(card: JudgeCard) -> str:
    if not card.usage.calls:
        return "none"
    known = card.usage.dollars
    return "not known (no prices were given)" if known is None else f"{known:.4f} US dollars"


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heading) + " |"
    yield "| " + " | ".join("---" for _ in heading) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _plain(text: str) -> str:
    """Text that Markdown and HTML show as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))
