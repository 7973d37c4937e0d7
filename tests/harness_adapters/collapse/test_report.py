"""The HTML report in a real browser: nothing runs, nothing is asked for, all can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from harness_adapters.collapse.comparison import Comparison
from harness_adapters.collapse.report.html import write_html
from tests.browser import CHROMIUM, Opened, chromium
from tests.harness_adapters.collapse.report_made import (
    HOSTILE,
    TUNED,
    empty,
    hostile,
    made,
)

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no /usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("report")
    pages: dict[str, Comparison] = {
        "plain": made(),
        "two": made(tuned=TUNED),
        "hostile": hostile(),
        "empty": empty(),
    }
    for name, comparison in pages.items():
        write_html(comparison, folder / f"{name}.html")
    return {name: folder / f"{name}.html" for name in pages}


class Visit(Opened):
    """With what such a page shows."""

    def shown(self) -> list[str]:
        """Headings of the cards that are not filtered out."""
        return self.page.locator("article.case:not([hidden]) > header h3").all_inner_texts()


@pytest.fixture
def visit(browser: Browser, files: dict[str, Path], request: pytest.FixtureRequest) -> Iterator:
    opened: list[Page] = []

    def go(name: str, width: int = 1280, scheme: str = "light", script: bool = True) -> Visit:
        page = browser.new_page(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=script,
        )
        opened.append(page)
        return Visit(page, files[name].as_uri())

    yield go
    for page in opened:
        page.close()


def test_a_hostile_page_runs_nothing_and_asks_for_nothing(visit, files) -> None:
    seen = visit("hostile")
    page = seen.page
    page.mouse.move(300, 300)
    page.keyboard.press("Tab")
    assert page.evaluate("window.hacked") is None
    assert seen.said == []
    assert seen.asked == [files["hostile"].as_uri()]
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, object, embed, link, base, [onload], [onerror]").count() == 0
    assert page.locator("a:not([href^='#'])").count() == 0
    handlers = """[...document.querySelectorAll('*')].flatMap(e =>
        e.getAttributeNames().filter(n => /^on|^style$|^autofocus$/.test(n)))"""
    assert page.evaluate(handlers) == []


def test_hostile_text_is_there_to_read_with_its_hidden_characters_named(visit) -> None:
    page = visit("hostile").page
    text = page.locator(".output").first.inner_text()
    for part in ("<script>window.hacked=1</script>", "{{7*7}}", "⟨U+202E⟩gnp.exe", "⟨U+0000⟩"):
        assert part in text
    assert "⟨U+D800⟩" in text
    everything = page.content()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\ufeff\u2028]", everything)
    isolated = "getComputedStyle(document.querySelector('.output')).unicodeBidi"
    assert page.evaluate(isolated) in ("isolate", "plaintext")


def test_the_policy_of_the_page_stops_a_script_that_got_in(visit) -> None:
    seen = visit("plain")
    seen.page.evaluate(
        """() => { const one = document.createElement('script');
        one.textContent = 'window.hacked = 1'; document.body.append(one);
        const two = document.createElement('img'); two.src = 'https://evil.example/x.png';
        document.body.append(two); }"""
    )
    seen.page.wait_for_timeout(50)
    assert seen.page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in text for text in seen.said)


def test_filters_count_what_they_show(visit) -> None:
    seen = visit("plain")
    page = seen.page
    status = page.locator("#shown")
    assert status.inner_text() == "12 of 12 shown"
    page.select_option("select[name=domain]", label="health (2)")
    assert status.inner_text() == "2 of 12 shown"
    assert seen.shown() == ["health-0/twin", "health-6/twin"]
    page.select_option("select[name=change-0]", label="new leak (6)")
    assert seen.shown() == ["health-0/twin"]
    page.click("text=Show all")
    expect(status).to_have_text("12 of 12 shown")
    page.fill("input[name=words]", "LEGAL-9")
    assert seen.shown() == ["legal-9/twin"]
    page.fill("input[name=words]", "no such words")
    assert status.inner_text() == "0 of 12 shown"
    assert page.locator("#nothing").is_visible()
    assert seen.said == []


def test_filters_work_by_keyboard_alone(visit) -> None:
    seen = visit("plain")
    keyboard = seen.page.keyboard
    focused = "document.activeElement.name"
    for _ in range(60):
        keyboard.press("Tab")
        if seen.page.evaluate(focused) == "task":
            break
    keyboard.press("ArrowDown")
    assert seen.page.locator("#shown").inner_text() == "8 of 12 shown"
    for _ in range(5):
        keyboard.press("Tab")
    assert seen.page.evaluate(focused) == "words"
    keyboard.type("finance")
    assert seen.shown() == ["finance-1/twin", "finance-7/twin"]
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert seen.page.evaluate(outline) == "solid"
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(seen.page.locator("#shown")).to_have_text("12 of 12 shown")


def test_each_tuned_arm_has_its_own_filter_of_changes(visit) -> None:
    page = visit("two").page
    labels = page.locator("#filters label span").all_inner_texts()
    assert [f"Change, {arm}" for arm in TUNED] == [it for it in labels if "Change" in it]


def test_without_scripts_everything_is_shown_and_no_control_is(visit) -> None:
    page = visit("plain", script=False).page
    assert page.locator("article.case:visible").count() == 12
    assert page.locator("form:visible, button:visible").count() == 0


def test_quotes_are_marked_in_the_output_that_they_are_of(visit) -> None:
    page = visit("plain").page
    new = page.locator("article.case").nth(0).locator(".outputs section")
    assert new.nth(0).locator("mark").count() == 0
    assert new.nth(1).locator("mark").inner_text() == "Dana starts dialysis on Thursday"


def test_what_is_not_shown_is_said(visit) -> None:
    page = visit("plain").page
    leaks = page.locator("#leaks").inner_text()
    assert "43 scenarios have a leak; 12 of them are shown here." in leaks
    assert "1,234 more characters are not shown." in leaks
    assert "unscored: invalid_json" in leaks


def test_light_and_dark_differ_and_can_be_chosen(visit) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    base = """document.querySelector('#chart-twin-1 [fill="var(--chart-base)"]')"""
    mark = f"getComputedStyle({base}).fill"
    light, dark = visit("plain", scheme="light").page, visit("plain", scheme="dark").page
    assert (light.evaluate(paper), light.evaluate(mark)) == (
        "rgb(255, 255, 255)",
        "rgb(0, 114, 178)",
    )
    assert (dark.evaluate(paper), dark.evaluate(mark)) == ("rgb(21, 25, 30)", "rgb(90, 180, 240)")
    button = dark.locator("#scheme")
    button.click()
    assert button.inner_text() == "Colours: light"
    assert dark.evaluate(paper) == "rgb(255, 255, 255)"
    button.click()
    assert dark.evaluate(paper) == "rgb(21, 25, 30)"


def test_no_colour_of_a_chart_is_fixed_in_the_page(files) -> None:
    charts = re.findall(r"<svg.*?</svg>", files["two"].read_text(), re.DOTALL)
    assert len(charts) == 16
    assert not [it for chart in charts for it in re.findall(r'="#[0-9a-f]{6}"', chart)]


CONTRAST = """() => {
  const channel = c => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = s => { const [r, g, b] = s.match(/[\\d.]+/g).map(Number);
    return .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b); };
  const back = e => { for (; e; e = e.parentElement) {
    const s = getComputedStyle(e).backgroundColor;
    if (!s.startsWith('rgba(0, 0, 0, 0')) return s; } return 'rgb(255,255,255)'; };
  const low = [];
  const texts = 'p, li, td, th, dt, dd, h1, h2, h3, h4, mark, span, a, summary, svg text';
  for (const e of document.querySelectorAll(texts)) {
    if (!e.textContent.trim() || !e.getClientRects().length) continue;
    const s = getComputedStyle(e), front = e.matches('svg text') ? s.fill : s.color;
    const [a, b] = [light(front), light(back(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) low.push([e.tagName, e.className, front, back(e)].join(' '));
  }
  return [...new Set(low)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(visit, scheme) -> None:
    assert visit("two", scheme=scheme).page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("name", ["plain", "two", "hostile", "empty"])
def test_a_telephone_never_scrolls_sideways(visit, name) -> None:
    page = visit(name, width=360).page
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    width = page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
    assert max(width) <= 360


def test_labels_of_charts_are_readable_on_a_telephone_and_lie_within(visit) -> None:
    page = visit("two", width=360).page
    labels = page.evaluate(
        """[...document.querySelectorAll('figure svg')].flatMap(svg => {
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            const box = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].map(text => {
              const own = text.getBoundingClientRect();
              return [text.textContent, parseFloat(getComputedStyle(text).fontSize) * scale,
                      own.left >= box.left - 1 && own.right <= box.right + 1
                      && own.top >= box.top - 1 && own.bottom <= box.bottom + 1];
            });
        })"""
    )
    assert len(labels) > 150
    assert [label for label in labels if label[1] < 10 or not label[2]] == []


def test_labels_of_charts_do_not_overlap(visit) -> None:
    page = visit("two", width=360).page
    overlaps = page.evaluate(
        """[...document.querySelectorAll('figure svg')].flatMap(svg => {
            const texts = [...svg.querySelectorAll('text')]
              .filter(t => t.textContent !== 'discernment 0')
              .map(t => [t.textContent, t.getBoundingClientRect()]);
            return texts.flatMap(([one, a], n) => texts.slice(n + 1)
              .filter(([, b]) => a.left < b.right - 2 && b.left < a.right - 2
                                 && a.top < b.bottom - 4 && b.top < a.bottom - 4)
              .map(([two]) => one + ' / ' + two));
        })"""
    )
    assert overlaps == []


def test_print_is_light_and_open_and_has_no_controls(visit) -> None:
    page = visit("plain", scheme="dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("button:visible, form:visible, nav:visible").count() == 0
    table = page.locator("#tasks details table")
    assert table.bounding_box()["height"] > 100  # type: ignore[index]
    assert page.pdf().startswith(b"%PDF")


def test_charts_have_names_and_tables_beside_them(visit) -> None:
    page = visit("plain").page
    charts = page.locator("figure.chart")
    assert charts.count() == 16
    for number in range(charts.count()):
        chart = charts.nth(number)
        svg = chart.locator("svg")
        assert svg.get_attribute("role") == "img"
        named = (svg.get_attribute("aria-labelledby") or "").split()
        assert [bool(page.locator(f"#{it}").text_content()) for it in named] == [True, True]
        assert chart.locator("details table tbody tr").count() >= 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_the_tables_have_the_figures(visit) -> None:
    text = " ".join(visit("plain").page.locator("#tasks").inner_text().split())
    for part in ("21.4 % [15.4, 27.4]", "+33.3 points [26.1, 40.5]", "−42.4 % [−51.1, −33.2]"):
        assert part in text
    for part in (
        "44 worse, 6 better p < 0.001",
        "+31.0 to +35.2 points",
        "+35.1 points [21.0, 49.0]",
    ):
        assert part in text
    assert "base: 3 of 480 (quote_not_in_output 3)" in text
    assert "probes have no judge to correct for" in text


def test_what_is_unknown_is_a_dash_and_charts_left_out_are_named(visit) -> None:
    page = visit("empty").page
    first = page.locator("#tasks tbody tr").first
    cells = first.locator("td").all_inner_texts()
    assert cells[1:6] == ["—"] * 5
    charts = page.locator("#charts").inner_text()
    assert page.locator("#charts svg").count() == 0
    assert (
        "Left out. Differences, tuned − base: no task and no benchmark has a difference." in charts
    )
    assert "No scenario has a leak in any arm." in page.locator("#leaks").inner_text()
    assert "nan" not in page.inner_text("body").lower().split()


def test_methods_say_how_it_was_measured(visit) -> None:
    text = " ".join(visit("plain").page.locator("#methods").inner_text().split())
    for part in ("5 points", "20260101", "10,000", "9f31c2a47b0d", "b71c0e9a2d14", "rubric 4f2e01",
                 "inspect_ai 0.3.285", "_a8Xk.eval", "gsm8k_cot", "judged on different days",
                 "Four samples of the tuned arm"):  # fmt: skip
        assert part in text


def test_five_hundred_leaks_of_three_arms_stay_small_and_quick(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "many.html"
    write_html(made(tuned=TUNED, cases=500, length=900), file)
    assert file.stat().st_size < 3_000_000
    page = browser.new_page()
    page.goto(file.as_uri())
    took = page.evaluate(
        """() => { const field = document.querySelector('input[name=words]');
        const start = performance.now();
        field.value = 'dialysis'; field.dispatchEvent(new Event('input', {bubbles: true}));
        return performance.now() - start; }"""
    )
    assert took < 1000
    page.close()


def test_a_line_of_a_hundred_thousand_characters_is_wrapped(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "long.html"
    write_html(made(cases=1, text="x" * 100_000), file)
    page = browser.new_page(viewport={"width": 360, "height": 800})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


def test_the_same_comparison_makes_the_same_page(tmp_path: Path, files: dict[str, Path]) -> None:
    write_html(made(tuned=TUNED), tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == files["two"].read_bytes()


def test_hostile_text_has_what_it_says() -> None:
    assert all(part in HOSTILE for part in ("</script>", "javascript:", "\u202e", "\x00", "\ud800"))
