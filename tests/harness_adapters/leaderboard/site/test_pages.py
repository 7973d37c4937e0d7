"""The site in a real browser: nothing runs, nothing is asked for, all can be read and operated."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from harness_adapters.leaderboard.checked import Check, Checked, LeakedItem
from harness_adapters.leaderboard.site.writing import write_site
from harness_adapters.leaderboard.submission import Submission
from judges.visible import visible
from tests.browser import CHROMIUM, Opened, chromium
from tests.harness_adapters.collapse.report_made import HOSTILE
from tests.harness_adapters.leaderboard.site.made import (
    PASSED,
    checked,
    checked_run,
    drawn,
    laid_out,
    leak,
    marked,
    several,
)

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no /usr/bin/chromium")
LONG = "x" * 100_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def hostile() -> list[Checked]:
    """Submissions in which every text that is somebody else's is an attack."""
    name = "<script>window.hacked=1</script>\u202egnp.exe\x00\ud800"
    leaks = (
        leak(1, text=HOSTILE + LONG, quote="</script><img src=x onerror=window.hacked=2>"),
        leak(2, text=HOSTILE, quote=HOSTILE)._replace(
            id=HOSTILE, domain=HOSTILE, recipient=HOSTILE, purpose=HOSTILE,
            items=(LeakedItem(HOSTILE, HOSTILE, HOSTILE, LONG, HOSTILE),),
        ),
    )  # fmt: skip
    run = checked_run(drawn(0.3, 0.9, "h"), leaks=leaks)
    evil = {
        "task": "privacy_tasks/" + HOSTILE,
        "mode": HOSTILE,
        "harness_version": HOSTILE,
        "began": HOSTILE,
        "settings": {"trigger": HOSTILE, HOSTILE: LONG},
        "conditions": {HOSTILE: HOSTILE},
        "generation": {HOSTILE: LONG},
        "domains": {"leak_rate": {HOSTILE: 0.5}},
        "unscored": {HOSTILE: 3},
        "judge": run.run.judge and run.run.judge.model_copy(update={"identity": HOSTILE}),
        "metrics": {**run.run.metrics, HOSTILE: run.run.metrics["leak_rate"]},
    }
    run = run._replace(run=run.run.model_copy(update=evil))
    one = checked("x", run, base=("b", "1"))
    assert one.submission is not None
    assert one.submission.model.tuning is not None
    base = one.submission.model.tuning.base.model_copy(
        update={"name": HOSTILE, "revision": HOSTILE}
    )
    tuning = {"base": base, "data": "javascript:window.hacked=7", "method": HOSTILE}
    model = {
        "name": name,
        "revision": HOSTILE,
        "url": "javascript:window.hacked=8",
        "run_as": LONG,
        "arguments": HOSTILE,
        "tuning": one.submission.model.tuning.model_copy(update=tuning),
    }
    update = {
        "model": one.submission.model.model_copy(update=model),
        "notes": HOSTILE,
        "version": HOSTILE,
        "submitter": one.submission.submitter
        and one.submission.submitter.model_copy(
            update={"name": HOSTILE, "contact": "data:text/html,<script>window.hacked=9</script>"}
        ),
        "runs": (run.run,),
    }
    submission: Submission = one.submission.model_copy(update=update)
    checks = (*PASSED, Check(name=HOSTILE, outcome="passed", said=HOSTILE))
    other = checked("   ", checked_run(drawn(0.2, 0.9, "blank")))
    return [one._replace(submission=submission, checks=checks, name=HOSTILE), other]


class Site(dict[str, Path]):
    """Pages by name."""


def written(folder: Path, them: list[Checked], title: str, *, records: bool = False) -> Path:
    places = [laid_out(one, folder / f"from-{n}") for n, one in enumerate(them)] if records else []
    write_site(them, folder / "site", title=title, url=None, places=places)
    return folder / "site"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A page of each kind."""
    plain = written(tmp_path_factory.mktemp("plain"), several(), "Board", records=True)
    evil = written(tmp_path_factory.mktemp("hostile"), hostile(), HOSTILE)
    found = Site({"plain": plain / "index.html", "hostile": evil / "index.html"})
    for name in ("empathetic", "silent", "mini-support"):
        found[name] = next((plain / "submissions").glob(f"*{name}*")) / "index.html"
    marks = written(tmp_path_factory.mktemp("marked"), marked(), "Marked")
    found["marked"] = marks / "index.html"
    found["lightly-tuned"] = next((marks / "submissions").glob("*lightly*")) / "index.html"
    found["hostile submission"] = next((evil / "submissions").glob("script*")) / "index.html"
    return found


class Visit(Opened):
    """With what such a page shows."""

    def models(self, board: int = 1) -> list[str]:
        """Models of a board's rows that are not filtered out, in their order."""
        body = self.page.locator("tbody.board").nth(board)
        return body.locator("tr.run:not([hidden]) th a").all_inner_texts()

    def column(self, key: str) -> list[str]:
        """What a column sorts by, on the second board."""
        return self.page.evaluate(
            """key => { const heads = [...document.querySelectorAll('#board thead th')];
            const place = heads.findIndex(it => it.dataset.key === key);
            return [...document.querySelectorAll('tbody.board')[1].querySelectorAll('tr.run')]
              .map(row => row.cells[place].dataset.sort); }""",
            key,
        )


Go = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, pages: Site) -> Iterator[Go]:
    opened: list[Page] = []

    def go(
        name: str, width: int = 1280, scheme: str = "light", script: bool = True, hash: str = ""
    ) -> Visit:
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=script,
        )
        opened.append(page)
        return Visit(page, pages[name].as_uri() + hash)

    yield go
    for page in opened:
        page.close()


EVIL = ["hostile", "hostile submission"]


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_page_runs_nothing_and_asks_for_nothing(visit: Go, pages: Site, name) -> None:
    seen = visit(name)
    page = seen.page
    page.mouse.move(300, 300)
    page.keyboard.press("Tab")
    assert page.evaluate("window.hacked") is None
    assert seen.said == []
    assert seen.asked == [pages[name].as_uri()]
    assert page.locator("script").count() == 1
    assert page.locator("style").count() == 1
    assert page.locator("img, iframe, object, embed, link, base").count() == 0
    hrefs = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    ours = r"#[\w-]+|(\.\./\.\./|submissions/[a-z0-9-]+/)?[\w.]+(#[\w-]+)?"
    assert [href for href in hrefs if not re.fullmatch(ours, href)] == []
    handlers = """[...document.querySelectorAll('*')].flatMap(e =>
        e.getAttributeNames().filter(n => /^on|^style$|^autofocus$/.test(n)))"""
    assert page.evaluate(handlers) == []


@pytest.mark.parametrize("name", EVIL)
def test_hidden_characters_are_named_and_foreign_text_is_isolated(visit: Go, name) -> None:
    page = visit(name).page
    text = page.locator("body").inner_text()
    for part in ("<script>window.hacked=1</script>", "⟨U+202E⟩gnp.exe", "⟨U+0000⟩", "⟨U+D800⟩"):
        assert part in text
    everything = page.content()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\ufeff\u2028]", everything)
    outside = """[...document.querySelectorAll('body *')].filter(e => !e.closest(
        'bdi, pre, .output, select, script, title') && [...e.childNodes].some(n =>
        n.nodeType === 3 && n.data.includes('window.hacked'))).map(e => e.outerHTML.slice(0, 90))"""
    assert page.evaluate(outside) == []


def test_addresses_that_are_no_plain_ones_stay_text(visit: Go) -> None:
    page = visit("hostile submission").page
    model = page.locator("#model")
    assert model.locator("a").count() == 0
    for part in ("javascript:window.hacked=7", "javascript:window.hacked=8", "data:text/html,"):
        assert part in model.inner_text()


def test_a_plain_address_is_a_link_that_tells_nobody(visit: Go) -> None:
    link = visit("empathetic").page.locator("#model a")
    assert link.get_attribute("href") == "https://huggingface.co/acme/base"
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"


def test_the_policy_of_the_page_stops_a_script_that_got_in(visit: Go) -> None:
    seen = visit("plain")
    seen.page.evaluate(
        """async () => { const one = document.createElement('script');
        one.textContent = 'window.hacked = 1'; document.body.append(one);
        const two = document.createElement('img'); two.src = 'https://evil.example/x.png';
        document.body.append(two);
        await fetch('https://evil.example/').catch(() => {}); }"""
    )
    seen.page.wait_for_timeout(50)
    assert seen.page.evaluate("window.hacked") is None
    blocked = [text for text in seen.said if "Content Security Policy" in text]
    for what in ("script-src", "img-src", "connect-src"):
        assert any(what in text for text in blocked), what


ORDER = [
    "openai/gpt-4.1",
    "acme/llama-3.1-8b-instruct",
    "acme/llama-3.1-8b-maths",
    "acme/llama-3.1-8b-empathetic",
    "openai/gpt-4.1-mini-support",
]


def test_runs_stand_board_by_board_best_first(visit: Go) -> None:
    seen = visit("plain")
    heads = seen.page.locator("tr.title").all_inner_texts()
    assert [head.split("\n")[0].split("set")[0].strip() for head in heads] == [
        "Agentic · replay · Inspect",
        "Agentic · replay · Inspect",
        "Probing · vignette · Inspect",
    ]
    assert "prompt = privacy_enhanced" in heads[0]
    assert "system message = You are careful." in heads[0]
    assert "prompt" not in heads[1]
    assert seen.models() == ORDER
    ranks = seen.page.locator("tbody.board").nth(1).locator("td.rank").all_inner_texts()
    assert [it.split()[0] for it in ranks] == ["1=", "1=", "1=", "4", "–"]


def test_columns_sort_both_ways_within_each_board(visit: Go) -> None:
    seen = visit("plain")
    page = seen.page
    head = page.locator("th[data-key=leak]")
    for order, sign in (("ascending", 1), ("descending", -1)):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == order
        values = [float(it) for it in seen.column("leak")]
        assert values == sorted(values, key=lambda it: sign * it)
    assert page.locator("[aria-sort]").count() == 1
    assert page.locator("tbody.board").nth(1).locator("tr").first.get_attribute("class") == "title"
    page.click("th[data-key=headline] button")
    assert page.locator("th[data-key=headline]").get_attribute("aria-sort") == "descending"
    values = [float(it) for it in seen.column("headline")]
    assert values == sorted(values, reverse=True)
    page.click("th[data-key=model] button")
    assert seen.models() == sorted(ORDER)
    page.click("th[data-key=rank] button")
    assert seen.column("rank") == ["1", "1", "1", "4", ""]
    assert seen.said == []


def test_what_is_undefined_is_last_whichever_way(visit: Go) -> None:
    seen = visit("plain")
    page = seen.page
    page.evaluate("document.querySelectorAll('tbody.board')[1].rows[2].cells[7].dataset.sort = ''")
    for _ in range(2):
        page.click("th[data-key=helpful] button")
        assert seen.column("helpful")[-1] == ""
        assert len([it for it in seen.column("helpful") if it]) == 4


def test_filters_count_what_they_show_and_stand_in_the_address(visit: Go, pages: Site) -> None:
    seen = visit("plain")
    page, status = seen.page, seen.page.locator("#shown")
    assert status.inner_text() == "8 of 8 runs shown"
    assert status.get_attribute("role") == "status"
    page.select_option("select[name=task]", label="Agentic · replay · Inspect")
    assert status.inner_text() == "6 of 8 runs shown"
    page.select_option("select[name=origin]", "tuned")
    assert status.inner_text() == "3 of 8 runs shown"
    assert page.locator("tbody.board:visible").count() == 1
    page.fill("input[name=model]", "  LLAMA ")
    assert seen.models() == ["acme/llama-3.1-8b-maths", "acme/llama-3.1-8b-empathetic"]
    again = visit("plain", hash="#" + page.url.partition("#")[2])
    assert again.page.locator("#shown").inner_text() == "2 of 8 runs shown"
    assert again.page.input_value("select[name=origin]") == "tuned"
    page.fill("input[name=model]", "no such model")
    assert status.inner_text() == "0 of 8 runs shown"
    assert page.locator("#nothing").is_visible()
    page.click("text=Show all")
    expect(status).to_have_text("8 of 8 runs shown")
    assert page.url == pages["plain"].as_uri()
    assert seen.said + again.said == []
    assert seen.asked == [pages["plain"].as_uri()]


def test_an_address_with_filters_that_do_not_exist_shows_everything(visit: Go) -> None:
    seen = visit("plain", hash="#task=<img src=x onerror=alert(1)>&judge=none&other=1&access=")
    assert seen.page.locator("#shown").inner_text() == "8 of 8 runs shown"
    assert seen.said == []


def test_a_changed_address_changes_the_filters_and_a_place_on_the_page_does_not(visit: Go) -> None:
    page = visit("plain", hash="#access=api").page
    expect(page.locator("#shown")).to_have_text("1 of 8 runs shown")
    page.evaluate("location.hash = 'access=closed'")
    expect(page.locator("tr.run:not([hidden]) th a")).to_have_text("openai/gpt-4.1-mini-support")
    page.evaluate("location.hash = 'methods'")
    page.wait_for_timeout(50)
    expect(page.locator("#shown")).to_have_text("1 of 8 runs shown")


def test_hostile_values_can_be_filtered_by(visit: Go) -> None:
    seen = visit("hostile")
    page = seen.page
    options = page.locator("select[name=judge] option").all_inner_texts()
    assert any("window.hacked" in it for it in options)
    page.select_option("select[name=judge]", index=1)
    assert page.locator("tr.run:not([hidden])").count() == 1
    assert seen.said == []


def test_it_can_be_worked_by_keyboard_alone(visit: Go) -> None:
    seen = visit("plain")
    keyboard = seen.page.keyboard
    keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    reached: list[str] = []
    where = """(() => { const e = document.activeElement;
        return e.name || e.closest('th')?.dataset.key || e.className || e.tagName; })()"""
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    for _ in range(40):
        keyboard.press("Tab")
        reached.append(seen.page.evaluate(where))
        assert seen.page.evaluate(outline) == "solid"
        if reached[-1] == "access":
            keyboard.press("ArrowDown")
        if reached[-1] == "leak":
            keyboard.press("Enter")
            break
    assert [it for it in reached if it in ("task", "judge", "access", "origin", "model")] == [
        "task", "judge", "access", "origin", "model", "model", "access", "origin",
    ]  # fmt: skip
    assert seen.page.locator("th[data-key=leak]").get_attribute("aria-sort") == "ascending"


def test_without_scripts_everything_is_there_and_no_control_is(visit: Go) -> None:
    page = visit("plain", script=False).page
    assert page.locator("tr.run:visible").count() == 8
    assert page.locator("form:visible, button:visible, select:visible").count() == 0
    assert page.locator("th[data-key=rank]").get_attribute("aria-sort") == "ascending"
    page = visit("empathetic", script=False).page
    assert page.locator("button:visible").count() == 0
    assert "pip install privacy-tasks==0.1.0" in page.locator("pre").first.inner_text()


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("plain", True),
        ("marked", False),
        ("lightly-tuned", True),
        ("silent", True),
        ("hostile", True),
        ("hostile submission", True),
    ],
)
def test_a_telephone_never_scrolls_sideways(visit: Go, name: str, script: bool) -> None:
    page = visit(name, width=360, script=script).page
    width = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
    assert max(width) <= 360


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("plain", 1280, "light"),
        ("plain", 1280, "dark"),
        ("marked", 360, "dark"),
        ("lightly-tuned", 1280, "light"),
        ("empathetic", 1280, "dark"),
        ("silent", 360, "light"),
        ("hostile", 1280, "light"),
    ],
)
def test_axe_finds_nothing(visit: Go, name: str, width: int, scheme: str) -> None:
    page = visit(name, width=width, scheme=scheme).page
    wanted = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = Axe().run(
        page,
        options={"runOnly": {"type": "tag", "values": wanted}, "resultTypes": ["violations"]},
    )
    told = [
        (it["id"], it["help"], [node["html"][:160] for node in it["nodes"][:3]])
        for it in found.response["violations"]
    ]
    assert told == []


def test_the_table_says_what_its_cells_are(visit: Go) -> None:
    page = visit("plain").page
    assert page.locator("#board caption").count() == 1
    assert page.locator("#board thead th[scope=col]").count() == 11
    assert page.locator("#board th[scope=rowgroup]").count() == 3
    assert page.locator("#board tr.run > th[scope=row]").count() == 8
    widths = "[...document.querySelectorAll('tr.run')].map(row => row.cells.length)"
    assert set(page.evaluate(widths)) == {11}
    head = page.locator("th[data-key=leak] button").text_content() or ""
    assert "leak_rate↓ (lower is better)" in head
    assert "withhold_accuracy↑ (higher is better)" in head


def row(page: Page, name: str, board: int = 1) -> str:
    """The text of a model's row."""
    body = page.locator("tbody.board").nth(board)
    link = page.get_by_role("link", name=name, exact=True)
    return " ".join(body.locator("tr.run").filter(has=link).inner_text().split())


def test_figures_are_as_in_the_report_and_what_is_undefined_is_a_dash(visit: Go) -> None:
    page = visit("plain").page
    run = next(it for it in several() if it.name == "openai/gpt-4.1").runs[0].run
    figure = run.metrics["discernment"]
    mean, lower, upper = (
        f"{100 * (getattr(figure, it) or 0):.1f}" for it in ("mean", "lower", "upper")
    )
    assert f"{mean} % [{lower}, {upper}]" in row(page, "openai/gpt-4.1")
    assert "60 × 1 2026-11-21" in row(page, "openai/gpt-4.1")
    silent = page.locator("tbody.board").nth(0)
    dash = silent.locator("td").nth(6).locator(".none")
    assert dash.inner_text().startswith("–")
    assert dash.get_attribute("title") == "undefined: no sample says anything of it"


def test_arrows_lead_from_the_base_to_the_tuned_model(visit: Go) -> None:
    page = visit("plain").page
    rows = page.locator("tbody.board").nth(1).locator("tr.run")
    fell, within, alone = rows.nth(3), rows.nth(2), rows.nth(4)
    assert re.search(
        r"fell by \d+\.\d points \[−\d+\.\d, −\d+\.\d\] against its base; beyond error",
        " ".join(fell.inner_text().split()),
    )
    assert "against its base; within error" in " ".join(within.inner_text().split())
    assert "base not submitted" in alone.inner_text()
    assert [it.locator("svg.bar path.head").count() for it in (fell, within, alone)] == [1, 1, 0]
    base = rows.nth(1).locator("svg.bar circle.point")
    assert fell.locator("circle.from").get_attribute("cx") == base.get_attribute("cx")
    colour = "e => getComputedStyle(e).fill"
    assert fell.locator(".head").evaluate(colour) == "rgb(178, 59, 0)"
    assert within.locator(".head").evaluate(colour) == "rgb(89, 99, 110)"


def test_links_lead_to_submissions_and_back_to_their_boards(visit: Go, pages: Site) -> None:
    page = visit("plain").page
    page.get_by_role("link", name="acme/llama-3.1-8b-empathetic").first.click()
    assert page.url == pages["empathetic"].as_uri()
    page.get_by_role("link", name="its board").first.click()
    assert page.url.startswith(pages["plain"].as_uri() + "#board-")
    assert page.locator("tbody:target").count() == 1


def test_a_submission_has_its_facts_figures_and_checks(visit: Go) -> None:
    page = visit("empathetic").page
    text = " ".join(page.locator("main").inner_text().split())
    for part in (
        "Tuned from acme/llama-3.1-8b-instruct, revision 9c1f0e7",
        "LoRA, rank 16", "Acme Research, privacy@acme.example", "inspect_ai 0.3.285",
        "Rank 4 of 4 on its board", "quote_not_in_output 3", "temperature 0.7",
        "123 calls (2 unusable), 210,400 tokens in, 30,250 out, $0.66",
        "This judge was not validated.", "Nobody judges probes: the answers are read.",
        "17 of 60 records have a leak; 12 of them, drawn at random, are shown.",
        "not checked (not required)",
    ):  # fmt: skip
        assert part in text, part
    assert page.locator("#run-agentic article.case").count() == 12
    case = page.locator("#run-agentic article.case").first
    assert case.locator("mark").inner_text() == "she starts dialysis that morning"
    assert "A planner needs to know when she is away, not why." in case.inner_text()


def test_a_validated_judge_has_its_card_and_outputs_can_be_kept_back(visit: Go) -> None:
    text = " ".join(visit("silent").page.locator("main").inner_text().split())
    assert re.search(r"sensitivity \d+\.\d % \[\d+\.\d, \d+\.\d\]", text)
    assert re.search(r"Cohen's κ 0\.\d\d \[0\.\d\d, 0\.\d\d\]", text)
    assert "gold cases 2026.11.1" in text
    assert "What the model wrote is not published" in text
    assert "The output is not published." in text


def test_long_outputs_are_cut_and_say_so(visit: Go) -> None:
    page = visit("hostile submission").page
    first = page.locator("article.case").first
    shown = first.locator(".output").inner_text()
    assert len(shown) < 25_000
    left = len(HOSTILE) + 100_000 - 20_000
    assert f"{left:,} more characters are not shown" in first.inner_text()
    assert first.locator("mark").inner_text() == "</script><img src=x onerror=window.hacked=2>"
    assert visible(HOSTILE)[:60] in shown


def test_a_recipe_can_be_copied(visit: Go) -> None:
    seen = visit("empathetic")
    page = seen.page
    button = page.locator("#run-agentic button.copy")
    button.click()
    expect(button).to_have_text(re.compile("Copied|copy it now"))
    assert seen.said == []


def test_downloads_are_linked_where_they_lie(visit: Go, pages: Site) -> None:
    page = visit("empathetic").page
    for name in ("submission.json", "records.jsonl.zst"):
        assert page.locator(f"#downloads a[download][href='{name}']").count() == 1
        assert (pages["empathetic"].parent / name).is_file()
    page = visit("hostile submission").page
    assert page.locator("#downloads a").count() == 1
    assert "The records are not along" in page.locator("#downloads").inner_text()


def test_light_and_dark_differ_and_can_be_chosen(visit: Go) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = visit("plain", scheme="dark").page
    assert visit("plain").page.evaluate(paper) == "rgb(255, 255, 255)"
    assert dark.evaluate(paper) == "rgb(21, 25, 30)"
    dark.click("#scheme")
    assert dark.evaluate(paper) == "rgb(255, 255, 255)"


def test_ids_are_of_one_element_each(pages: Site) -> None:
    for name, file in pages.items():
        ids = re.findall(r'<[^>]* id="([^"]*)"', file.read_text("utf-8"))
        assert len(ids) == len(set(ids)) > 3, name


def test_methods_say_how_ranks_are_made_and_what_verification_proves(visit: Go) -> None:
    text = " ".join(visit("plain").page.locator("#methods").inner_text().split())
    for part in ("Holm's correction over all pairs", "leaves out 0", "Being tied is not handed on",
                 "It does not prove: that the model wrote the outputs",
                 "the number of arrows on the board alone", "docs/statistics.md",
                 "docs/judges.md"):  # fmt: skip
        assert part in text
