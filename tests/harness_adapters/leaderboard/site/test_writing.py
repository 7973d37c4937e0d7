"""The files of a site: what is refused, that they are the same each time, JSON, CSV, downloads."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.checked import Check, Checked
from harness_adapters.leaderboard.site.boards import Board, slug_of
from harness_adapters.leaderboard.site.wording import safe_link
from harness_adapters.leaderboard.site.writing import write_site
from harness_adapters.leaderboard.submission import Submission
from privacy_tasks.metrics import figure_names
from tests.harness_adapters.leaderboard.site.made import (
    PASSED,
    checked,
    checked_run,
    drawn,
    laid_out,
    packed,
    several,
)


def write(submissions: Sequence[Checked], folder: Path, **more: object) -> None:
    write_site(submissions, folder, **({"title": "Board", "url": None} | more))  # type: ignore[arg-type]


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file by its path."""
    return {
        str(it.relative_to(folder)): it.read_bytes() for it in folder.rglob("*") if it.is_file()
    }


def one(name: str = "a", seed: str = "a", **more: object) -> Checked:
    return checked(name, checked_run(drawn(0.2, 0.9, seed)), **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "site"
    write(several(), folder)
    return folder


def test_the_same_submissions_make_the_same_bytes_in_whatever_order(
    site: Path, tmp_path: Path
) -> None:
    write(list(reversed(several())), tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(site)
    assert len(files_of(site)) == 3 + 2 * 6


def test_a_site_is_replaced_and_other_files_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "CNAME").write_text("board.example")
    write([one("gone"), one("stays", "b")], folder)
    write([one("stays", "b")], folder)
    assert [it.name[:5] for it in (folder / "submissions").iterdir()] == ["stays"]
    assert (folder / "CNAME").read_text() == "board.example"
    assert sorted(it.name for it in tmp_path.iterdir()) == ["site"]


@pytest.mark.parametrize("name", ["index.html", "leaderboard.json", "submissions"])
def test_a_folder_with_other_such_files_is_refused(tmp_path: Path, name: str) -> None:
    if name == "submissions":
        (tmp_path / name / "mine").mkdir(parents=True)
    else:
        (tmp_path / name).write_text("{}")
    with pytest.raises(AdapterError, match="is not of a leaderboard"):
        write([one()], tmp_path)
    assert [it.name for it in tmp_path.iterdir()] == [name]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    with pytest.raises(AdapterError, match="that is a file"):
        write([one()], tmp_path / "site")
    assert (tmp_path / "site").read_text() == "mine"


FAILED = Check(name="metrics", outcome="failed", said="leak_rate is 0.7, and 0.1 is claimed")
UNCHECKED = Check(name="released sets", outcome="not checked", said="not to be had here")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (one("bad", checks=(*PASSED, FAILED)), "bad (metrics: leak_rate is 0.7, and 0.1 is"),
        (one("bad", checks=(*PASSED, UNCHECKED)), "bad (released sets: not to be had here)"),
        (one("bad", checks=()), "bad (nothing checked)"),
        (Checked("bad", None, (FAILED,), ()), "bad (metrics"),
        (one("bad")._replace(runs=()), "bad (its records are not those of all its runs)"),
    ],
)
def test_what_is_not_verified_is_named_and_nothing_is_written(
    tmp_path: Path, wrong: Checked, named: str
) -> None:
    with pytest.raises(AdapterError) as error:
        write([one("good", "g"), wrong], tmp_path / "site")
    assert named in str(error.value)
    assert "good" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_all_that_are_not_verified_are_named(tmp_path: Path) -> None:
    bad = [one(f"bad-{n}", str(n), checks=(FAILED,)) for n in range(3)]
    with pytest.raises(AdapterError, match=r"bad-0 .*bad-1 .*bad-2 "):
        write(bad, tmp_path / "site")


def test_an_older_site_stays_where_a_new_one_is_refused(tmp_path: Path) -> None:
    write([one()], tmp_path / "site")
    before = files_of(tmp_path / "site")
    with pytest.raises(AdapterError):
        write([one(), one("bad", "b", checks=(FAILED,))], tmp_path / "site")
    assert files_of(tmp_path / "site") == before


def test_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="No submission"):
        write([], tmp_path / "site")


def test_the_same_run_under_two_names_is_refused(tmp_path: Path) -> None:
    same = {"run_id": "0" * 12}
    runs = [checked_run(drawn(0.2, 0.9, seed), **same) for seed in "ab"]
    with pytest.raises(AdapterError, match=r"first and second both hold run 0{12}"):
        write([checked("first", runs[0]), checked("second", runs[1])], tmp_path / "site")
    other = checked_run(drawn(0.2, 0.9, "b"), task="privacy_tasks/memory", **same)
    write([checked("first", runs[0]), checked("second", other)], tmp_path / "site")


def test_the_same_model_twice_on_a_board_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="both hold a at 9c1f0e7"):
        write([one("a", "1"), one("a", "2", records=b"2")], tmp_path / "site")
    write([one("a", "1"), one("a", "2", records=b"2", revision="other")], tmp_path / "site")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "example.org", "https://a@b.example/", 'https://x/"><script>']
)
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(AdapterError, match="--url"):
        write([one()], tmp_path / "site", url=url)
    assert list(tmp_path.iterdir()) == []


def test_an_address_is_in_the_pages_and_the_tables(tmp_path: Path) -> None:
    write([one()], tmp_path, url="https://acme.example/board")
    slug = next((tmp_path / "submissions").iterdir()).name
    page = f"https://acme.example/board/submissions/{slug}/index.html"
    assert '<link rel="canonical" href="https://acme.example/board/">' in (
        tmp_path / "index.html"
    ).read_text("utf-8")
    assert f'<link rel="canonical" href="{page}">' in (
        tmp_path / "submissions" / slug / "index.html"
    ).read_text("utf-8")
    assert json.loads((tmp_path / "leaderboard.json").read_text())["boards"][0]["runs"][0][
        "page"
    ] == page  # fmt: skip


NAMES = [
    "../../etc/passwd", "/absolute", "..", ".", "C:\\windows", "con", "a/b", "a b", "A/B", "a-b",
    "模型", "\u202eevil", "x" * 200, "-", "\x00", "<script>", "a\nb",
]  # fmt: skip


def test_slugs_stay_in_the_site_and_never_collide() -> None:
    slugs = [slug_of(it.submission) for it in map(one, NAMES) if it.submission]
    assert len(set(slugs)) == len(NAMES)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-[0-9a-f]{12}", it) for it in slugs)
    assert max(map(len, slugs)) <= 73


def test_downloads_lie_beside_the_page_as_they_were_verified(tmp_path: Path) -> None:
    it = one()
    place = laid_out(it, tmp_path / "submitted")
    write([it], tmp_path / "site", places=[place])
    folder = next((tmp_path / "site" / "submissions").iterdir())
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["index.html", "records.jsonl.zst", "submission.json"]
    assert (folder / "records.jsonl.zst").read_bytes() == packed(b"a")
    assert Submission.model_validate_json((folder / "submission.json").read_text()) == it.submission


def test_records_that_changed_since_they_were_verified_are_refused(tmp_path: Path) -> None:
    it = one()
    place = laid_out(it, tmp_path / "submitted")
    (place / "records.jsonl.zst").write_bytes(packed(b"others"))
    with pytest.raises(AdapterError, match="changed after it was verified"):
        write([it], tmp_path / "site", places=[place])
    assert [it.name for it in tmp_path.iterdir()] == ["submitted"]


def test_json_has_everything_of_the_table_in_full(site: Path) -> None:
    whole = json.loads((site / "leaderboard.json").read_text("ascii"))
    assert [len(board["runs"]) for board in whole["boards"]] == [1, 5, 2]
    them = {it.submission.model.name: it for it in several() if it.submission}
    for run in whole["boards"][1]["runs"]:
        own = them[run["model"]].runs[0].run
        for name in ("discernment", "leak_rate", "share_rate", "helpful_rate", "judged"):
            figure = own.metrics[name]
            found = [run[name], *(run[key] for key in figure_names(name)[1:])]
            assert found == [figure.mean, figure.stderr, figure.lower, figure.upper]
        assert run["records_sha256"] == them[run["model"]].submission.records.sha256  # type: ignore[union-attr]
        assert (run["run_id"], run["set_hash"]) == (own.run_id, own.data.hash)
        assert (site / run["page"]).is_file()
    tuned = {run["model"]: run for run in whole["boards"][1]["runs"]}
    fell = tuned["acme/llama-3.1-8b-empathetic"]
    assert fell["from_base_beyond_error"] is True
    assert fell["from_base_lower"] < fell["from_base"] < fell["from_base_upper"] < 0
    assert tuned["openai/gpt-4.1"]["from_base"] is None


def test_csv_has_a_row_for_each_run_and_its_numbers_are_numbers(site: Path) -> None:
    text = (site / "leaderboard.csv").read_bytes().decode("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    whole = json.loads((site / "leaderboard.json").read_text())
    runs = [run for board in whole["boards"] for run in board["runs"]]
    assert [row["model"] for row in rows] == [run["model"] for run in runs]
    numbers = [(row[key], run[key]) for row, run in zip(rows, runs, strict=True) for key in run
               if isinstance(run[key], float)]  # fmt: skip
    assert len(numbers) > 100
    assert all(float(cell) == value for cell, value in numbers)
    assert any(cell.startswith("-") for cell, _ in numbers)
    assert [row["helpful_rate"] for row in rows if row["model"] == "reference/silent"] == [""]


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1+cmd", "@SUM(A1)", "\t=1+1", "\r=1", " =1", "＝1", "\n@x",
     '=HYPERLINK("https://evil.example","x")'],
)  # fmt: skip
def test_no_cell_of_the_csv_is_a_formula(tmp_path: Path, name: str) -> None:
    write([one(name, revision=name)], tmp_path / "site")
    text = (tmp_path / "site" / "leaderboard.csv").read_bytes().decode("utf-8")
    (row,) = csv.DictReader(text.splitlines(keepends=True))
    assert row["model"].startswith("'")
    assert row["revision"].startswith("'")
    assert json.loads((tmp_path / "site" / "leaderboard.json").read_text())["boards"][0]["runs"][
        0
    ]["model"] == name  # fmt: skip


@pytest.mark.parametrize(
    ("address", "followed"),
    [
        ("https://huggingface.co/acme/base", True),
        ("http://acme.example:8080/a?b=c#d", True),
        ("https://acme.example", True),
        ("javascript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("JAVASCRIPT://x", False),
        ("data:text/html,x", False),
        ("//evil.example", False),
        ("https://user:word@evil.example/", False),
        ("https://evil.example\u202e/x", False),
        ("https://exаmple.org/", False),
        ("https://evil.example/ x", False),
        ("https://evil.example/\n", False),
        ("mailto:a@b.example", False),
        (None, False),
    ],
)
def test_only_plain_addresses_of_the_web_become_links(address: str | None, followed: bool) -> None:
    assert safe_link(address) == (address if followed else None)


def test_hashes_of_a_site_do_not_hang_on_this_machine(site: Path) -> None:
    everything = b"".join(content for _, content in sorted(files_of(site).items()))
    for word in (str(site).encode(), b"/tmp", b"/home"):
        assert word not in everything
    assert len(hashlib.sha256(everything).hexdigest()) == 64


def test_a_heading_does_not_repeat_what_is_usual() -> None:
    usual = ("shots", "0"), ("shots as turns", "False"), ("system instruction", "none")
    told = (*usual, ("version", "2026.11.1"), ("chat template", "yes"))
    key = tuple((f"condition {name}", value) for name, value in told)

    assert Board(key, "b", ()).differs == ()
    other = (*key[:-1], ("condition chat template", "no"), ("condition shots", "3"))
    assert Board(other, "b", ()).differs == (("chat template", "no"), ("shots", "3"))
