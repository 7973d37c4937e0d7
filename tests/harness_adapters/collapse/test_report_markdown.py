"""The Markdown report: as GitHub shows it, hostile text is text."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from harness_adapters.collapse.comparison import Comparison
from harness_adapters.collapse.report.markdown import write_markdown
from tests.harness_adapters.collapse.report_made import HOSTILE, TUNED, empty, hostile, made


def written(comparison: Comparison, folder: Path) -> str:
    write_markdown(comparison, folder / "report.md")
    return (folder / "report.md").read_text(encoding="utf-8")


def tokens(text: str) -> list[Token]:
    """All tokens, inline ones too, with HTML and tables let in."""
    parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    return [one for token in parsed for one in (token, *(token.children or ()))]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(hostile(), tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("good")
    return written(made(tuned=TUNED), folder), folder


def test_nothing_hostile_becomes_an_element(bad: str) -> None:
    found = tokens(bad)
    types = {token.type for token in found}
    assert not types & {"html_block", "html_inline", "link_open", "s_open", "hr", "code_block"}
    images = [str(token.attrs["src"]) for token in found if token.type == "image"]
    assert images
    assert all(re.fullmatch(r"report_files/[a-z0-9-]+\.svg", image) for image in images)
    headings = [token for token in found if token.type == "heading_open"]
    titles, verdicts, parts, charts, cases = 1, 2, 5, 4, 6
    assert len(headings) == titles + verdicts + parts + charts + cases


def test_tables_keep_their_shape(bad: str) -> None:
    found = tokens(bad)
    rows: list[int] = []
    widths: list[int] = []
    for token in found:
        if token.type == "table_open":
            widths = []
        elif token.type == "tr_open":
            rows.append(0)
        elif token.type in ("td_open", "th_open"):
            rows[-1] += 1
        elif token.type == "tr_close":
            widths.append(rows[-1])
        elif token.type == "table_close":
            assert len(set(widths)) == 1
    assert len([token for token in found if token.type == "table_open"]) == 4 + 16 + 3


def test_addresses_do_not_become_links_on_github(bad: str) -> None:
    outside = re.sub(r"^(`{3,})text\n.*?\n\1$", "", bad, flags=re.DOTALL | re.MULTILINE)
    assert len(outside) < len(bad)
    assert not re.search(r"https?://|www\.|\w@\w|javascript:", outside)


def test_the_fence_of_an_output_is_longer_than_any_in_it(bad: str) -> None:
    fences = [token for token in tokens(bad) if token.type == "fence"]
    assert len(fences) == 6 * 3
    assert all(token.markup == "````" for token in fences)
    assert all("⟨U+202E⟩gnp.exe" in token.content for token in fences)
    assert "# Heading\n" in fences[0].content


def test_text_comes_back_as_it_was_but_for_hidden_characters(bad: str) -> None:
    shown = " ".join("".join(t.content for t in tokens(bad) if t.type == "text").split())
    assert "<script>window.hacked=1</script></script><img src=x onerror=window.hacked=2>" in shown
    assert "${7*7} $\\frac{1}{2}$ ⟨U+202E⟩gnp.exe⟨U+202C⟩" in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\ufeff\u2028]", bad)
    assert "\ud800" in HOSTILE


def test_figures_stand_in_the_tables(good: tuple[str, Path]) -> None:
    cells = [token.content for token in tokens(good[0]) if token.type == "text"]
    for part in (
        "+33.3 points [26.1, 40.5]",
        "21.4 % [15.4, 27.4]",
        "44 worse, 6 better; p < 0.001",
    ):
        assert part in cells
    assert "43 scenarios have a leak; 12 of them are shown here." in good[0]
    assert "1,234 more characters are not shown." in good[0]


def test_charts_stand_beside_as_files_that_need_nothing(good: tuple[str, Path]) -> None:
    text, folder = good
    named = set(re.findall(r"\]\((report_files/[^)]+)\)", text))
    assert named == {f"report_files/{file.name}" for file in (folder / "report_files").iterdir()}
    for name in named:
        svg = (folder / name).read_text(encoding="utf-8")
        root = Xml.fromstring(svg)
        assert root.attrib["width"]
        assert root[0].attrib == {"width": "100%", "height": "100%", "fill": "#ffffff"}
        assert "var(" not in svg
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", svg)


def test_a_name_of_a_file_with_spaces_is_still_linked(tmp_path: Path) -> None:
    write_markdown(made(cases=1), tmp_path / "my report (2).md")
    text = (tmp_path / "my report (2).md").read_text(encoding="utf-8")
    assert (tmp_path / "my report (2)_files" / "forest.svg").exists()
    images = [str(token.attrs["src"]) for token in tokens(text) if token.type == "image"]
    assert "my%20report%20%282%29_files/forest.svg" in images


def test_a_comparison_without_figures_is_still_written(tmp_path: Path) -> None:
    text = written(empty(), tmp_path)
    assert "| — |" in text
    assert "No scenario has a leak in any arm." in text
    assert not list((tmp_path / "report_files").iterdir())


def test_the_same_comparison_makes_the_same_files(good: tuple[str, Path], tmp_path: Path) -> None:
    assert written(made(tuned=TUNED), tmp_path) == good[0]
    for file in (good[1] / "report_files").iterdir():
        assert (tmp_path / "report_files" / file.name).read_bytes() == file.read_bytes()
