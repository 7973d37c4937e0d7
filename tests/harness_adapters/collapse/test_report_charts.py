"""The charts hold the figures they are given, and text that is nothing but text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from harness_adapters.collapse.comparison import Comparison, Interval
from harness_adapters.collapse.report.charts import chart_sections
from harness_adapters.collapse.report.drawing.canvas import shorten, text_width
from harness_adapters.collapse.report.drawing.chart import Chart
from harness_adapters.collapse.report.drawing.palette import BASE, VARIABLES, tuned_looks
from harness_adapters.collapse.report.wording import p_value, points, rate, signed
from harness_adapters.pages.passages import passages
from tests.conftest import REPO
from tests.harness_adapters.collapse.report_made import BASE as BASE_NAME
from tests.harness_adapters.collapse.report_made import TUNED, hostile, made

SVG = "{http://www.w3.org/2000/svg}"


def charts_of(comparison: Comparison) -> dict[str, Chart]:
    return {chart.name: chart for part in chart_sections(comparison) for chart in part.charts}


@pytest.fixture(scope="module")
def charts() -> dict[str, Chart]:
    return charts_of(made())


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in Xml.fromstring(svg).iter(f"{SVG}text")]


def marks(svg: str, colour: str) -> list[tuple[float, float]]:
    """Where the points of an arm are, in units."""
    found = [one for one in Xml.fromstring(svg).iter(f"{SVG}use") if one.get("fill") == colour]
    return [(float(one.attrib["x"]), float(one.attrib["y"])) for one in found]


def ticks(svg: str) -> dict[float, float]:
    """Of a chart with one axis along x: figure at a tick -> place."""
    root = Xml.fromstring(svg)
    return {
        float("".join(text.itertext())): float(text.attrib["x"])
        for text in root.iter(f"{SVG}text")
        if re.fullmatch(r"\d+", "".join(text.itertext())) and text.get("text-anchor") == "middle"
    }


def test_the_forest_has_a_row_for_each_task_and_benchmark(charts: dict[str, Chart]) -> None:
    written = texts(charts["forest"].svg)
    for part in ("agentic, replay", "+33.3 [26.1, 40.5]", "mmlu_pro", "+0.4 [−1.4, 2.2]",
                 "points, more leaks →", "points, worse →", "points, better →",
                 "band ±τ = ±5 points", "band ±ε = ±3 points"):  # fmt: skip
        assert part in written
    rows = {row[0]: row for row in charts["forest"].table.rows}
    assert rows["agentic, replay"][3] == "+33.3 points [26.1, 40.5]"
    assert rows["agentharm"][5] == "worse →"
    assert len(marks(charts["forest"].svg, tuned_looks(TUNED)[TUNED[0]].colour)) == 6


def test_marks_stand_where_their_figures_say(charts: dict[str, Chart]) -> None:
    scale = ticks(charts["twin-1"].svg)
    unit = (scale[100] - scale[0]) / 100
    legend, point = marks(charts["twin-1"].svg, BASE.colour)
    assert point[0] == pytest.approx(scale[0] + 12.84 * unit, abs=0.1)
    tuned = marks(charts["twin-1"].svg, tuned_looks(TUNED)[TUNED[0]].colour)[1]
    assert tuned[0] == pytest.approx(scale[0] + 32.82 * unit, abs=0.1)
    assert point[1] - tuned[1] == pytest.approx(5 * unit, abs=0.1)  # share_rate 83 % and 88 %
    assert legend[0] < scale[0]


def test_groups_show_each_arm_in_each_group(charts: dict[str, Chart]) -> None:
    comparison = made()
    group = comparison.tasks[0].by_domain[0]
    rows = charts["domain-1"].table.rows
    assert rows[0] == ("health", BASE_NAME, rate(group.rates[0].rate), str(group.rates[0].n))
    assert len(rows) == 12
    scale = ticks(charts["domain-1"].svg)
    value = group.rates[0].rate.value
    assert value is not None
    place = scale[0] + value * (scale[100] - scale[0])
    assert marks(charts["domain-1"].svg, BASE.colour)[1][0] == pytest.approx(place, abs=0.1)


def test_types_are_of_items_and_domains_of_scenarios(charts: dict[str, Chart]) -> None:
    assert charts["type-1"].table.columns[2:] == ("item_leak_rate", "Items to withhold")
    assert charts["domain-1"].table.columns[2:] == ("leak_rate", "Scenarios")
    assert "item_leak_rate, %" in texts(charts["type-1"].svg)


def test_probes_are_drawn_by_what_they_measure(charts: dict[str, Chart]) -> None:
    assert charts["twin-3"].table.rows[0][1:] == (
        "11.6 % [5.6, 17.6]", "12.7 % [6.7, 18.7]", "79.0 % [73.0, 85.0]", "81.0 % [75.0, 87.0]",
    )  # fmt: skip
    assert "1 − withhold_accuracy, %, worse →" in texts(charts["twin-3"].svg)
    assert "withhold_accuracy, %, better ↑" in texts(charts["trade-off-3"].svg)


def test_without_utility_benchmarks_privacy_stands_beside_sharing() -> None:
    chart = charts_of(made(benchmarks=False))["trade-off-1"]
    assert chart.table.rows[0][2:4] == ("83.0 % [77.0, 89.0]", "88.0 % [82.0, 94.0]")
    assert "there is no utility benchmark" in chart.description


def test_arms_differ_in_colour_and_in_shape() -> None:
    looks = tuned_looks([str(number) for number in range(12)])
    assert len({look.marker for look in looks.values()} | {BASE.marker}) == 13
    assert len({look.colour for look in list(looks.values())[:5]} | {BASE.colour}) == 6
    assert {look.colour for look in looks.values()} <= set(VARIABLES)


def test_hostile_names_are_text_and_nothing_else() -> None:
    for chart in charts_of(hostile()).values():
        root = Xml.fromstring(chart.svg)
        tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert tags <= {"svg", "g", "path", "defs", "use", "text", "title", "desc", "clipPath",
                        "rect"}  # fmt: skip
        for element in root.iter():
            assert not {name for name in element.attrib if name.startswith("on")}
            assert element.get("href", "#").startswith("#")
            assert "style" not in element.attrib
        assert not re.search("[\u202a-\u202e\x00-\x08\x0b-\x1f\ud800]", chart.svg)


def test_dollars_are_no_mathematics() -> None:
    plain = made()
    named = plain.tasks[0].model_copy(update={"label": r"$\alpha$ & $x_1$"})
    chart = charts_of(plain.model_copy(update={"tasks": (named,)}))["forest"]
    assert r"$\alpha$ & $x_1$" in texts(chart.svg)


def test_long_names_are_visibly_shortened_in_the_middle() -> None:
    name = "organisation/" + "very-" * 30 + "long-seed7"
    short = shorten(name, 200)
    assert text_width(short) <= 200
    assert short.startswith("organisation/")
    assert "…" in short
    assert short.endswith("seed7")
    assert shorten("名" * 40, 200).count("名") < 20
    assert shorten("short", 200) == "short"


def test_settings_of_the_reader_change_no_chart(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\naxes.grid: True\n")
    program = (
        "from tests.harness_adapters.collapse.report_made import made\n"
        "from harness_adapters.collapse.report.charts import chart_sections\n"
        "print(chart_sections(made())[0].charts[0].svg, end='')"
    )
    env = {**os.environ, "MATPLOTLIBRC": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, env=env, capture_output=True, check=True
    )
    assert done.stdout.decode() == charts_of(made())["forest"].svg


@pytest.mark.parametrize(
    ("output", "quote", "marked"),
    [
        ("she has a rare\n  disease now", "rare disease", "rare\n  disease"),
        ("it’s “on leave” – ill", 'it\'s "on leave" - ill', "it’s “on leave” – ill"),
        ("she is p\u200bregnant", "pregnant", "p⟨U+200B⟩regnant"),
        ("body: she is ill", "body: she is ill", "body: she is ill"),
        ("Dear X, she is ill", "body: she is ill", "she is ill"),
        ("a.c abc", "a.c", "a.c"),
        ("pillow", "ill", ""),
        ("nothing of it", "she is ill", ""),
        ("x", "", ""),
    ],
)
def test_a_quote_is_found_as_the_judge_finds_it(output: str, quote: str, marked: str) -> None:
    parts = passages(output, [quote])
    assert "".join(part.text for part in parts if part.quoted) == marked
    assert "".join(part.text for part in passages(output, [quote, quote, "x"]))


def test_quotes_that_overlap_are_one_passage() -> None:
    parts = passages("one two three four", ["two three", "three four"])
    assert [(part.text, part.quoted) for part in parts] == [
        ("one ", False),
        ("two three four", True),
    ]


def test_figures_are_written_alike() -> None:
    known = Interval(value=-0.0001, lower=-0.0312, upper=0.2)
    assert points(known) == "+0.0 points [−3.1, 20.0]"
    assert points(Interval(value=None, lower=0.0, upper=1.0)) == "—"
    assert points(Interval(value=float("nan"), lower=0.0, upper=1.0)) == "—"
    assert rate(Interval(value=0.5, lower=None, upper=None)) == "50.0 %"
    assert rate(None) == "—"
    assert signed(-0.123) == "−12.3"
    assert [p_value(value) for value in (None, 0.0, 0.0123, 1.0)] == [
        "—",
        "< 0.001",
        "0.012",
        "1.000",
    ]


def test_of_many_types_the_largest_are_drawn_and_the_chart_says_so() -> None:
    comparison = made()
    task = comparison.tasks[0]
    (group, *_) = task.by_type
    many = tuple(
        group.model_copy(
            update={
                "name": f"type {number:02}",
                "rates": tuple(it.model_copy(update={"n": 100 - number}) for it in group.rates),
            }
        )
        for number in range(30)
    )
    tasks = (task.model_copy(update={"by_type": many}), *comparison.tasks[1:])
    chart = charts_of(comparison.model_copy(update={"tasks": tasks}))["type-1"]
    shown = [text for text in texts(chart.svg) if text.startswith("type ")]
    assert shown == [f"type {number:02}" for number in range(20)]
    assert "20 of 30 with the most items to withhold" in chart.description
