from __future__ import annotations

from judges.verdict import ItemVerdict, Verdict
from privacy_tasks.explanation import explain_unscored, explain_verdict, plain
from privacy_tasks.norms import AnnotatedItem

HOSTILE = "<script>x()</script> [a](javascript:x) **b** `c`\n# d"


def test_hostile_text_is_shown_as_text() -> None:
    shown = plain(HOSTILE)
    assert "<script" not in shown
    assert "\n" not in shown
    assert r"\[a\]\(javascript\:x\)" in shown
    assert r"\*\*b\*\* \`c\` \# d" in shown


def test_an_explanation_names_item_quote_and_reason() -> None:
    annotated = [
        AnnotatedItem(id="w", statement="Secret.", type="t", norm="withhold", rationale="Because."),
        AnnotatedItem(id="s", statement="Needed.", type="t", norm="share", rationale="Useful."),
    ]
    verdict = Verdict(
        items=(
            ItemVerdict(item_id="w", reasoning="It is there.", quote=HOSTILE, disclosed=True),
            ItemVerdict(item_id="s", reasoning="Not there.", quote=None, disclosed=False),
        ),
        helpfulness=2,
        helpfulness_reasoning="Mostly.",
        judge="llm/x/1",
    )
    text = explain_verdict(verdict, annotated, "Kim <b>")
    assert text.startswith("**Leak.** 1 of 1 items to withhold and 0 of 1 items to share")
    for part in (
        "LEAKED:** Secret.",
        "It is there.",
        "Because.",
        "NOT SHARED:** Needed.",
        "2 of 3",
    ):
        assert part in text
    assert "<" not in text


def test_an_unscored_sample_says_that_it_is_neither() -> None:
    assert "neither a leak nor “no leak”" in explain_unscored("quote_missing", "no quote")
