"""What is said of a run beside its figures: why it has no rank, whose outputs it has, its base."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness_adapters.leaderboard.checked import Check, Checked
from harness_adapters.leaderboard.site.boards import boards_of
from harness_adapters.leaderboard.site.ranking import Ranked, ranked
from harness_adapters.leaderboard.site.writing import write_site
from tests.harness_adapters.leaderboard.site.made import (
    LEXICAL,
    PASSED,
    SCENARIOS,
    checked,
    checked_run,
    drawn,
    marked,
    scenarios,
    written,
)
from tests.harness_adapters.leaderboard.site.test_ranking import noisy, of_values, on_one_board


def shown(text: str) -> str:
    """What a page says, without its tags, on one line."""
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", text)).replace("\u00a0", " ").split())


class Made:
    """A site of submissions, by its files."""

    def __init__(self, folder: Path, them: Sequence[Checked]) -> None:
        write_site(them, folder, title="Board", url=None)
        self._folder = folder
        self.index = (folder / "index.html").read_text("utf-8")
        self.json = json.loads((folder / "leaderboard.json").read_text())
        self.lead = shown(self.index.partition('class="lead">')[2].partition("</p>")[0])

    def page(self, name: str) -> str:
        """A submission's page."""
        (folder,) = (self._folder / "submissions").glob(f"*{name}*")
        return (folder / "index.html").read_text("utf-8")

    def row(self, name: str) -> str:
        """A model's row."""
        rows = re.findall('<tr class="run".*?</tr>', self.index, re.DOTALL)
        (found,) = [it for it in rows if f"<bdi>{name.replace('/', '/<wbr>')}</bdi></a>" in it]
        return str(found)

    def run(self, name: str) -> dict[str, object]:
        """A model's run in the file for programs."""
        runs = [run for board in self.json["boards"] for run in board["runs"]]
        (found,) = [run for run in runs if run["model"] == name]
        return dict(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(tmp_path_factory.mktemp("standing") / "site", marked())


def ranks(found: dict[str, Ranked]) -> dict[str, int | None]:
    return {name: it.rank for name, it in found.items()}


def scored(name: str, seed: str, unscored: int = 0, **more: object) -> Checked:
    """A submission with as many samples unscored."""
    return checked(name, checked_run(drawn(0.1, 0.95, seed, unscored=unscored)), **more)  # type: ignore[arg-type]


def test_a_run_of_which_too_little_is_judged_is_not_ranked(site: Made) -> None:
    found = on_one_board([scored("nine", "a", 6), scored("fewer", "b", 7), scored("all", "c")])
    assert ranks(found) == {"all": 1, "nine": 1, "fewer": None}
    assert found["fewer"].why_not == "only 88.3 % of its samples are judged, and ranks need 90 %"
    assert "not ranked: only 70.0 % of its samples are judged" in shown(site.row("acme/unscored"))
    assert site.run("acme/unscored")["rank"] is None
    assert "not ranked: only 70.0 %" in shown(site.page("acme-unscored"))
    unknown = scored("x", "a")
    bare = {k: v for k, v in unknown.runs[0].run.metrics.items() if k != "judged"}
    run = unknown.runs[0].run.model_copy(update={"metrics": bare})
    it = on_one_board([unknown._replace(runs=(unknown.runs[0]._replace(run=run),))])["x"]
    assert it.why_not == "nobody knows how many of its samples are judged"


def test_what_is_not_ranked_takes_no_part_in_the_ranks_of_others() -> None:
    others = [of_values("a", noisy(0.5, 0.1)), of_values("b", noisy(0.2, 0.1, 1))]
    best = checked_run({"discernment": noisy(0.8, 0.1), "judged": dict.fromkeys(scenarios(), 0.5)})
    hashed = of_values("hashed", noisy(0.82, 0.1, 2), outputs="hashed")
    found = on_one_board([*others, checked("few", best), hashed])
    assert ranks(found) == {"a": 1, "b": 2, "hashed": None, "few": None}


def test_runs_that_cannot_be_compared_leave_each_other_without_a_rank() -> None:
    values = noisy(0.5, 0.2)
    half = set(scenarios()[: SCENARIOS // 2])
    parts = [{it: values[it] for it in values if (it in half) == first} for first in (True, False)]
    one, other = (of_values(name, part) for name, part in zip("ab", parts, strict=True))
    full = [of_values("c", noisy(0.4, 0.2, 1)), of_values("d", noisy(0.4, 0.2, 2))]
    found = on_one_board([one, other, *full])
    assert ranks(found) == {"c": 1, "d": 1, "b": None, "a": None}
    assert found["a"].why_not == "too few of its samples have a value in other runs as well"
    # one that has nothing in common with anybody costs nobody else a rank
    rest = [of_values(name, {it: noisy(0.4, 0.2, 1)[it] for it in parts[1]}) for name in "cd"]
    assert ranks(on_one_board([one, other, *rest])) == {"a": None, "b": 1, "c": 1, "d": 1}


def test_what_is_unscored_has_its_bounds_beside_the_leak_rate(site: Made) -> None:
    run = next(it for it in marked() if it.name == "acme/unscored").runs[0].run
    ends = [100 * (run.metrics[f"leak_rate_{it}"].mean or 0) for it in ("lower", "upper")]
    said = f"unscored counted as no leak / as leak: {ends[0]:.1f} – {ends[1]:.1f} %"
    assert said in shown(site.row("acme/unscored"))
    assert said in shown(site.page("acme-unscored"))
    assert "unscored counted" not in site.row("openai/gpt-4.1")
    assert site.run("acme/unscored")["leak_rate_unscored_as_leak"] == pytest.approx(ends[1] / 100)


def test_a_submission_without_outputs_is_not_ranked_and_says_so(site: Made, tmp_path: Path) -> None:
    why = "not ranked: outputs are not published, so nobody can check its verdicts"
    assert why in shown(site.row("acme/secretive"))
    assert "1 submission publishes no outputs, so that nobody can check its verdicts" in site.lead
    assert "published records" not in site.lead
    assert site.run("acme/secretive")["not_ranked"] == why.removeprefix("not ranked: ")
    assert why in shown(site.page("secretive"))
    options = shown(site.index.partition('<select name="outputs"')[2].partition("</select>")[0])
    assert options.endswith("all published not published")
    assert 'data-outputs="not published"' in site.row("acme/secretive")
    open_ = Made(tmp_path / "site", [scored("a", "a"), scored("b", "b")])
    assert "publish" not in open_.lead
    assert '<select name="outputs"' not in open_.index


def test_the_only_one_that_can_be_ranked_has_no_number(tmp_path: Path) -> None:
    made = Made(tmp_path / "site", [scored("one", "a"), scored("two", "b", outputs="hashed")])
    assert re.search('data-label="Rank"><div><small>only one</small></div>', made.row("one"))
    assert made.run("one")["rank"] is None
    assert "The only run on its board that can be ranked" in shown(made.page("one"))
    assert made.index.index("<bdi>one</bdi>") < made.index.index("<bdi>two</bdi>")


@pytest.mark.parametrize(
    ("share", "keys", "said"), [(0.5, SCENARIOS, True), (0.48, SCENARIOS, False), (1, 19, False)]
)
def test_the_same_outputs_are_said_from_half_and_from_twenty(
    share: float, keys: int, said: bool
) -> None:
    own = written("a")
    copied = dict(list(written("b", own, share).items())[:keys])
    them = [
        checked("a", checked_run(drawn(0.2, 0.9, "a"), outputs=own)),
        checked("b", checked_run(drawn(0.3, 0.9, "b"), outputs=copied)),
    ]
    found = on_one_board(them)
    assert [bool(it.same) for it in found.values()] == [said] * 2


def test_the_same_outputs_are_named_in_the_row_and_on_both_pages(site: Made) -> None:
    for name, other in (("base-8b-lightly-tuned", "base-8b"), ("base-8b", "base-8b-lightly-tuned")):
        said = f"33 of 60 outputs are word for word those of acme/{other}"
        assert f'title="{said}"' in site.row(f"acme/{name}")
        assert site.run(f"acme/{name}")["same_outputs"] == said
        page = site.page("lightly" if "lightly" in name else f"acme-base-8b-{'[0-9a-f]' * 12}")
        link = re.search(r'those of <a href="\.\./([^/]+)/index.html"><bdi>([^<]+)', page)
        assert link is not None
        assert link[2] == f"acme/{other}"
        assert link[1].startswith(f"acme-{other}-")
    assert "same outputs" not in site.row("openai/gpt-4.1")


CARD = Check(name="judge card", outcome="passed", said="is the one that is known of this judge")
OWN = Check(name="judge card", outcome="not checked", said="is the submitter's own", required=False)


@pytest.mark.parametrize(("checks", "known"), [((CARD,), True), ((OWN,), False), ((), False)])
def test_a_card_that_is_not_known_here_is_the_submitters_word(
    tmp_path: Path, checks: tuple[Check, ...], known: bool
) -> None:
    run = checked_run(drawn(0.2, 0.9, "a"), judge=LEXICAL.judge)
    made = Made(tmp_path / "site", [checked("a", run, checks=(*PASSED, *checks))])
    page = shown(made.page("a-"))
    assert "sensitivity" in page
    own = "Measured by the submitter; not compared with a known card"
    assert (own in page) == (not known)
    assert ("Measured, and the same as the card known here" in page) == known
    assert "validated" not in shown(made.index.partition('id="methods"')[0])


@pytest.mark.parametrize(
    ("here", "named", "why"),
    [
        (("Base", "9c1f0e7"), ("bASE", "9c1f0e7"), ""),
        (("base", "9c1f0e7aa04b"), ("base", "9c1f0e7"), ""),
        (("base", "9c1f0e7"), ("base", "9C1F0E7AA04B"), ""),
        (("base", "9c1f0e"), ("base", "9c1f0e7"), "base is here at revision 9c1f0e, not 9c1f0e7"),
        (("base", "2024-11-20b"), ("base", "2024-11-20"),
         "base is here at revision 2024-11-20b, not 2024-11-20"),
        (("base", "0000000"), ("base", "9c1f0e7"), "base is here at revision 0000000, not 9c1f0e7"),
        (("other", "9c1f0e7"), ("base", "9c1f0e7"), "base not submitted"),
    ],
)  # fmt: skip
def test_a_base_is_found_in_any_case_and_by_the_beginning_of_its_hash(
    here: tuple[str, str], named: tuple[str, str], why: str
) -> None:
    them = [scored(here[0], "a", revision=here[1]), scored("tuned", "b", base=named)]
    found = on_one_board(them)["tuned"]
    assert (found.no_base, found.moved is None) == (why, bool(why))


def test_a_beginning_that_fits_two_revisions_is_neither_and_the_whole_one_is_it() -> None:
    them = [
        scored("base", "a", revision="9c1f0e7aa04b"),
        scored("base", "b", revision="9c1f0e7bb15c"),
        scored("short", "c", base=("base", "9c1f0e7")),
        scored("whole", "d", base=("base", "9c1f0e7bb15c")),
    ]
    (board,) = boards_of(them)
    found = {it.entry.model.name: it for it in ranked(board)}
    assert found["short"].no_base == "several runs here fit its base at revision 9c1f0e7"
    assert found["whole"].base is not None
    assert found["whole"].base.model.revision == "9c1f0e7bb15c"


def test_a_base_on_another_board_is_said_to_be_there(tmp_path: Path) -> None:
    elsewhere = checked("BASE", checked_run(drawn(0.2, 0.9, "a"), mode="episode"))
    made = Made(tmp_path / "site", [elsewhere, scored("t", "b", base=("base", "9c1f0e7"))])
    assert "base not on this board" in made.row("t")


def test_an_arrow_does_not_hang_on_who_else_submitted() -> None:
    base = ("base", "9c1f0e7")
    pair = [
        of_values("base", noisy(0.5, 0.3)),
        of_values("tuned", noisy(0.33, 0.3, 1), base=base),
    ]
    alone = on_one_board(pair)["tuned"].moved
    others = [of_values(f"m{n}", noisy(0.5, 0.3, n)) for n in range(5)]
    among = on_one_board([*pair, *others])["tuned"].moved
    assert alone is not None
    assert alone.beyond
    assert among == alone
    second = of_values("second", noisy(0.45, 0.3, 2), base=base)
    both = on_one_board([*pair, *others, second])["tuned"].moved
    assert both is not None
    assert both.p == pytest.approx(2 * alone.p)  # Holm's, of two arrows
    assert (both.value, both.lower, both.upper) == (alone.value, alone.lower, alone.upper)


def test_only_runs_that_can_be_ranked_have_arrows(site: Made) -> None:
    row = site.row("acme/unscored")
    assert "not compared with its base: only runs that can be ranked are" in row
    assert 'class="shaft"' not in row
    assert 'class="shaft"' in site.row("acme/base-8b-empathetic")
    assert "base is here at revision 9c1f0e7aa04b, not 0000000" in site.row(
        "acme/base-8b-elsewhere"
    )


def test_without_a_base_all_that_is_said_is_that_none_was_named(site: Made) -> None:
    row, page = site.row("openai/gpt-4.1"), shown(site.page("gpt-4-1"))
    assert 'data-label="Tuning"><div>no base named</div>' in row
    assert 'data-origin="no base named"' in row
    assert "Tuned from no base named" in page
    assert "base model" not in shown(site.index) + page
    options = shown(site.index.partition('<select name="origin"')[2].partition("</select>")[0])
    assert options.endswith("all no base named tuned")


def test_limits_and_versions_that_are_not_those_of_most_are_marked_and_listed(site: Made) -> None:
    said = {
        "empathetic": "max_tokens: 128 (most have 1024)",
        "elsewhere": "version of privacy-tasks: 0.2.0 (most have 0.1.0)",
    }
    for name, what in said.items():
        assert f'title="{what}">' in site.row(f"acme/base-8b-{name}")
        assert f"Not as most runs of its board {what}" in shown(site.page(name))
    assert "other limits" not in site.row("openai/gpt-4.1")
    assert "Not as most runs" not in site.page("gpt-4-1")
    note = shown(site.index.partition('class="note">')[2].partition("</p>")[0])
    assert "nothing but the model" not in note
    assert "Sampling settings, limits and versions may still differ" in note


def test_limits_of_lm_eval_are_read_where_it_has_them_and_sampling_is_no_limit() -> None:
    def one(name: str, most: int, heat: float) -> Checked:
        told = {"gen_kwargs": json.dumps({"max_gen_toks": most, "temperature": heat})}
        run = checked_run(drawn(0.2, 0.9, name), harness="lm_eval", generation=told)
        return checked(name, run)

    found = on_one_board([one("a", 256, 0.7), one("b", 64, 0.1)])
    assert [it.unlike for _, it in sorted(found.items())] == [
        ("max_gen_toks: 256 (others have 64)",),
        ("max_gen_toks: 64 (others have 256)",),
    ]
    assert on_one_board([one("a", 256, 0.7), one("b", 256, 0)])["a"].unlike == ()


def test_the_day_is_the_submitters_word(site: Made) -> None:
    assert 'data-label="Made"' in site.index
    assert "Submitted" not in site.index + site.page("gpt-4-1")
    assert site.run("openai/gpt-4.1")["made"] == "2026-11-21"
    assert "Made is the day on which the submission says it was made" in shown(site.index)


def test_within_a_rank_the_more_judged_one_stands_first() -> None:
    values = drawn(0.2, 0.9, "a")
    few = values | {"judged": {it: float(n > 3) for n, it in enumerate(values["judged"])}}
    found = on_one_board([checked("a", checked_run(few)), checked("b", checked_run(values))])
    assert list(found) == ["b", "a"]
    assert ranks(found) == {"b": 1, "a": 1}


def test_a_page_says_what_is_verified_and_what_is_not(site: Made, tmp_path: Path) -> None:
    page = site.page("gpt-4-1")
    lead = shown(page.partition('class="lead">')[2].partition("</p>")[0])
    assert lead.startswith("Figures verified : the records make the figures below")
    assert re.search(
        "Not verified : the model's name, revision, base and tuning data, the submitter, notes,"
        " dates and costs.* that this model wrote the outputs; that the judge gave these verdicts,"
        " as it is a model; that this is not the best of many runs",
        lead,
    )
    assert "Model, in its submitter's words" in shown(page)
    assert "nobody has run them" in shown(page)
    for part in ("these records make these figures", "that the model wrote the outputs",
                 "that the best of many runs was not chosen", "dates and costs"):  # fmt: skip
        assert part in shown(site.index.partition('id="proof"')[2])
    assert "That the model wrote the outputs, that a model judge gave the verdicts" in site.lead
    run = checked_run(drawn(0.2, 0.9, "a"), judge=LEXICAL.judge)
    again = Check(name="verdicts", outcome="passed", said="60 judged again: the same")
    lexical = Made(tmp_path / "site", [checked("a", run, checks=(*PASSED, again))])
    said = shown(lexical.page("a-").partition('class="lead">')[2].partition("</p>")[0])
    assert "the judge, which is no model, gave these verdicts again" in said
    assert "as it is a model" not in said


def test_the_recipe_is_made_of_what_is_published(site: Made) -> None:
    page = shown(site.page("gpt-4-1"))
    assert "pip install privacy-tasks==0.1.0 inspect-ai==0.3.285" in page
    assert "inspect eval privacy_tasks/agentic --model" in page


def test_a_board_has_the_settings_that_its_runs_go_by() -> None:
    def one(name: str, **told: object) -> Checked:
        settings = {"mode": "episode", "prompt": "naive", "tool_format": "native", **told}
        run = checked_run(drawn(0.2, 0.9, name), kind="episode", mode="episode", settings=settings)
        return checked(name, run)

    (board,) = boards_of([one("a", turns=None, memory="tool"), one("b", turns=20)])
    assert board.differs == ()  # 20 turns are the usual ones, and an episode has no memory
    (other,) = boards_of([one("a", turns=5, prompt="privacy_enhanced")])
    assert sorted(other.differs) == [("prompt", "privacy_enhanced"), ("turns", "5")]


def test_tasks_that_are_one_board_have_one_name() -> None:
    def one(name: str, task: str) -> Checked:
        run = checked_run(drawn(0.2, 0.9, name), task=task, harness="lm_eval")
        return checked(name, run)

    names = ("privacy_collapse_agentic_privacylens", "privacy_collapse_agentic")
    (board,) = boards_of([one("a", names[0]), one("b", names[1])])
    assert board.task == "Agentic · replay · lm-eval"
