"""Whether verdicts can be those of the judge that is named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from harness_adapters.leaderboard.asked import Asked
from harness_adapters.leaderboard.figures import plain, questions_of, verdicts_of
from harness_adapters.leaderboard.record import Flow, ItemSaid, MemberItem, MemberSaid, Record
from harness_adapters.leaderboard.rereading import OF_THE_JUDGE
from harness_adapters.leaderboard.submission import Run
from harness_adapters.leaderboard.verifying.findings import CARD, JUDGE, QUOTES, VERDICTS, Findings
from judges.answer import occurs
from judges.calibration.card import JudgeCard
from judges.identity import panel_identity
from judges.lexical import LexicalJudge
from judges.panel import decided
from judges.question import Question
from judges.verdict import ItemVerdict, JudgeFailure, Verdict
from privacy_tasks.sent import RECIPIENT

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
        elif _LEXICAL.fullmatch(self._identity) and self._published and not self._is_lexical:
            self._found.unchecked(
                VERDICTS,
                f"{self._run.key}: {self._identity} is not the lexical judge of this version"
                f" ({self._lexical.identity}), which therefore cannot judge again",
                required=True,
            )

    @property
    def _is_lexical(self) -> bool:
        return self._identity == self._lexical.identity

    def look_at_name(self, record: Record) -> None:
        """Who judged one record."""
        if record.judge != self._identity:
            self._found.wrong(
                JUDGE,
                f"{self._run.key}: {self._identity} is said to have judged, and of {record.id},"
                f" epoch {record.epoch} the record says {record.judge}",
            )

    def look_at(self, record: Record, asked: Asked) -> None:
        """One record, whose verdicts are on the right items."""
        where = f"{record.id}, epoch {record.epoch}"
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
            self._look_at_quote(verdict, self._identity or "", flows[verdict.recipient], where)

    def _look_at_quote(
        self, said: ItemSaid | MemberItem, judge: str, flow: Flow, where: str
    ) -> None:
        if said.disclosed != (said.quote is not None):
            what = "is disclosed without a quote" if said.disclosed else "is not, and has a quote"
            self._found.wrong(QUOTES, f"{where}: {said.item} {what}")
            return
        if not isinstance(said.quote, str) or _LEXICAL.fullmatch(judge):
            return  # that judge's may be of what was encoded: it is asked again instead
        if isinstance(said, MemberItem) or not _PANEL.fullmatch(judge):
            self.quotes += 1
            parts = [part for part in flow.parts if isinstance(part, str)]
            if not occurs(said.quote, str(flow.text), parts):
                self._found.wrong(
                    QUOTES, f"{where}: the quote for {said.item} does not occur in the output"
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
            for member in members:
                for said in member.verdicts:
                    self._look_at_quote(said, member.judge, record.flows[place], where)
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
            if failed and place == len(told) - 1:
                fits = isinstance(made, JudgeFailure) and made.reason == record.unscored
            else:
                fits = isinstance(made, Verdict) and (
                    failed or _same(made, verdicts[place], record.flows[place], record)
                )
            if not fits:
                self._found.wrong(VERDICTS, f"{where} is not what most members of the panel said")
                return
            self._ask_members_again(question, answers, where)

    def _ask_members_again(
        self, question: Question, answers: Sequence[Verdict | JudgeFailure], where: str
    ) -> None:
        """The lexical judge, if it is one of them."""
        for answer in answers:
            if answer.judge == self._lexical.identity and self._published:
                self._compare(question, answer, where)

    def _judge_again(self, record: Record, asked: Asked, where: str) -> None:
        """The lexical judge says the same of the same each time."""
        if record.unscored in OF_THE_JUDGE:
            self._found.wrong(VERDICTS, f"{where}: {self._identity} always gives a verdict")
        if record.no_action is not None or not record.verdicts:
            return
        self.again += 1
        verdicts = verdicts_of(record, asked)
        for question, told in zip(questions_of(record, asked), verdicts, strict=True):
            if not self._compare(question.question, told, where):
                return

    def _compare(self, question: Question, told: Verdict | JudgeFailure, where: str) -> bool:
        """Whether the lexical judge says what a record says of it."""
        name = self._lexical.identity
        if isinstance(told, JudgeFailure):
            self._found.wrong(VERDICTS, f"{where}: {name} always gives a verdict")
            return False
        own = self._lexical.judge_now(question)
        for mine, theirs in zip(own.items, told.items, strict=True):
            if (mine.disclosed, mine.quote) != (theirs.disclosed, theirs.quote):
                says = "disclosed" if mine.disclosed else "not disclosed"
                other = "otherwise" if mine.disclosed != theirs.disclosed else "another quote"
                self._found.wrong(
                    VERDICTS,
                    f"{where}: {name} says that {mine.item_id} is {says}; the record says {other}",
                )
                return False
        return True

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


def _same(made: Verdict, told: Verdict, flow: Flow, record: Record) -> bool:
    """Whether a panel said what the record says of one flow, and of its helpfulness."""
    mine = [(it.disclosed, it.quote) for it in made.items]
    theirs = [(it.disclosed, it.quote) for it in told.items]
    own = flow.recipient == RECIPIENT
    return mine == theirs and (not own or made.helpfulness == record.helpfulness)


def _answer(member: MemberSaid) -> Verdict | JudgeFailure:
    if member.unscored is not None:
        return JudgeFailure(reason=member.unscored, detail="", judge=member.judge)
    return Verdict(
        items=tuple(
            ItemVerdict(
                item_id=it.item,
                reasoning="",
                quote=None if it.quote is None else plain(it.quote),
                disclosed=it.disclosed,
            )
            for it in member.verdicts
        ),
        helpfulness=member.helpfulness,
        judge=member.judge,
    )
