"""Whether verdicts can be those of the judge that is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness_adapters.leaderboard.asked import Asked
from harness_adapters.leaderboard.figures import questions_of, verdicts_of
from harness_adapters.leaderboard.record import MemberSaid, Record
from harness_adapters.leaderboard.rereading import OF_THE_JUDGE
from harness_adapters.leaderboard.submission import Run
from harness_adapters.leaderboard.verifying.findings import CARD, JUDGE, QUOTES, VERDICTS, Findings
from judges.answer import occurs
from judges.calibration.card import JudgeCard
from judges.identity import panel_identity
from judges.lexical import LexicalJudge
from judges.panel import decided
from judges.verdict import ItemVerdict, JudgeFailure, Verdict

_LLM = re.compile(r"llm/[^\s/]+/\S+/[0-9a-f]{12}")
_PANEL = re.compile(r"panel/([2-9])/[0-9a-f]{12}")
_LEXICAL = re.compile(r"lexical/\w+")


class OfJudge:
    """Looks at the verdicts of one run.

    Args:
        run: the run.
        published: whether outputs stand in the records.
        found: where it is said what is wrong.
    """

    def __init__(self, run: Run, *, published: bool, found: Findings) -> None:
        self._run = run
        self._published = published
        self._found = found
        self._lexical = LexicalJudge()
        self._identity = run.judge.identity if run.judge else None
        self._check_identity()
        self.again = 0
        """Records that were judged again, all of them, as the judge is no model."""
        self.quotes = 0

    def _check_identity(self) -> None:
        if self._identity is None:
            if self._run.kind != "probe":
                self._found.wrong(JUDGE, f"{self._run.key}: nobody is named who judged")
            return
        if self._run.kind == "probe":
            self._found.wrong(JUDGE, f"{self._run.key}: answers to probes are judged by nobody")
        if not any(form.fullmatch(self._identity) for form in (_LLM, _PANEL, _LEXICAL)):
            self._found.wrong(JUDGE, f"{self._run.key}: {self._identity!r} is no judge's identity")

    @property
    def _is_lexical(self) -> bool:
        return self._identity == self._lexical.identity

    def look_at(self, record: Record, asked: Asked) -> None:
        """One record, whose verdicts are on the right items."""
        where = f"{record.id}, epoch {record.epoch}"
        if record.judge != self._identity:
            self._found.wrong(
                JUDGE,
                f"{self._run.key}: {self._identity} is said to have judged, and of {where} the"
                f" record says {record.judge}",
            )
        if self._identity is None:
            return
        self._look_at_quotes(record, where)
        if _PANEL.fullmatch(self._identity):
            self._look_at_panel(record, asked, where)
        elif record.members:
            self._found.wrong(VERDICTS, f"{where} has a panel's members, and no panel judged")
        if self._is_lexical and self._published:
            self._judge_again(record, asked, where)

    def _look_at_quotes(self, record: Record, where: str) -> None:
        flows = {flow.recipient: flow for flow in record.flows}
        for verdict in record.verdicts:
            if verdict.disclosed != (verdict.quote is not None):
                what = "is disclosed without a quote" if verdict.disclosed else "has a quote"
                self._found.wrong(QUOTES, f"{where}: {verdict.item} {what}")
                continue
            if not isinstance(verdict.quote, str):
                continue
            flow = flows[verdict.recipient]
            parts = [part for part in flow.parts if isinstance(part, str)]
            if self._is_lexical:
                continue  # it may be of what was encoded: it is judged again instead
            self.quotes += 1
            if not occurs(verdict.quote, str(flow.text), parts):
                self._found.wrong(
                    QUOTES, f"{where}: the quote for {verdict.item} does not occur in the output"
                )

    def _look_at_panel(self, record: Record, asked: Asked, where: str) -> None:
        """The panel's verdicts are those of its members' majority."""
        match = _PANEL.fullmatch(self._identity or "")
        assert match is not None
        size = int(match[1])
        told = list(_flow_by_flow(record.members, size))
        questions = questions_of(record, asked)
        failed = record.unscored in OF_THE_JUDGE
        if record.no_action is not None or (record.unscored is not None and not record.flows):
            return
        if not told or (len(told) != len(questions) and not failed):
            self._found.wrong(VERDICTS, f"{where} does not have what each of {size} members said")
            return
        verdicts = [] if failed else verdicts_of(record, asked)
        for place, members in enumerate(told):
            if panel_identity([it.judge for it in members]) != self._identity:
                self._found.wrong(JUDGE, f"{where}: these members are not {self._identity}")
                return
            question = questions[place].question
            answers = [_answer(it) for it in members]
            if any(
                isinstance(it, Verdict)
                and [one.item_id for one in it.items] != [one.id for one in question.items]
                for it in answers
            ):
                self._found.wrong(VERDICTS, f"{where}: a member judged other items")
                return
            made = decided(question, answers, self._identity or "")
            last = failed and place == len(told) - 1
            if last != isinstance(made, JudgeFailure) or (
                isinstance(made, Verdict)
                and not failed
                and [it.disclosed for it in made.items]
                != [it.disclosed for it in verdicts[place].items]
            ):
                self._found.wrong(VERDICTS, f"{where} is not what most members of the panel said")
                return

    def _judge_again(self, record: Record, asked: Asked, where: str) -> None:
        """The lexical judge says the same of the same each time."""
        if record.unscored in OF_THE_JUDGE:
            self._found.wrong(VERDICTS, f"{where}: {self._identity} always gives a verdict")
        if record.no_action is not None or not record.verdicts:
            return
        self.again += 1
        verdicts = verdicts_of(record, asked)
        for question, told in zip(questions_of(record, asked), verdicts, strict=True):
            own = self._lexical.judge_now(question.question)
            for mine, theirs in zip(own.items, told.items, strict=True):
                if (mine.disclosed, mine.quote) != (theirs.disclosed, theirs.quote):
                    says = "disclosed" if mine.disclosed else "not disclosed"
                    other = "otherwise" if mine.disclosed != theirs.disclosed else "another quote"
                    self._found.wrong(
                        VERDICTS,
                        f"{where}: {self._identity} says that {mine.item_id} is {says}; the record"
                        f" says {other}",
                    )
                    return

    def look_at_card(self, known: dict[str, JudgeCard]) -> None:
        """The card is of this judge, and the one that others know."""
        judge = self._run.judge
        if judge is None:
            return
        if judge.card is None:
            self._found.unchecked(CARD, f"{judge.identity} was not validated", required=False)
        elif judge.card.judge != judge.identity:
            self._found.wrong(CARD, f"the card is of {judge.card.judge}, not of {judge.identity}")
        elif judge.identity not in known:
            self._found.unchecked(
                CARD,
                f"the card of {judge.identity} is the submitter's own; to compare it with yours:"
                " --cards DIR",
                required=False,
            )
        elif known[judge.identity] != judge.card:
            self._found.wrong(CARD, f"the card of {judge.identity} is not the one that is known")
        else:
            self._found.fine(CARD, "is the one that is known of this judge")


def _flow_by_flow(members: Sequence[MemberSaid], size: int) -> Iterator[Sequence[MemberSaid]]:
    for start in range(0, len(members), size):
        yield members[start : start + size]


def _answer(member: MemberSaid) -> Verdict | JudgeFailure:
    if member.unscored is not None:
        return JudgeFailure(reason=member.unscored, detail="", judge=member.judge)
    return Verdict(
        items=tuple(
            ItemVerdict(item_id=it.item, reasoning="", quote=None, disclosed=it.disclosed)
            for it in member.verdicts
        ),
        helpfulness=member.helpfulness,
        judge=member.judge,
    )
