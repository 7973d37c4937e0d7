"""Writes the whole site, or nothing of it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.checked import Checked
from harness_adapters.leaderboard.packing import Packed, write_document
from harness_adapters.leaderboard.site.admission import admit
from harness_adapters.leaderboard.site.boards import Board, boards_of, slug_of
from harness_adapters.leaderboard.site.exports import MADE_BY, as_csv, as_json
from harness_adapters.leaderboard.site.index import index_page
from harness_adapters.leaderboard.site.pages import SitePages
from harness_adapters.leaderboard.site.ranking import Ranked, ranked
from harness_adapters.leaderboard.site.submission_page import submission_page
from harness_adapters.leaderboard.submission import RECORDS, Submission

_INDEX, _SUBMISSIONS = "index.html", "submissions"
_JSON, _CSV = "leaderboard.json", "leaderboard.csv"
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?")

Places = Mapping[str, Mapping[str, tuple[Board, Ranked]]]
"""Slug of a submission -> key of a run -> its board and its place there."""


def write_site(
    checked: Sequence[Checked],
    folder: Path,
    *,
    title: str,
    url: str | None,
    places: Sequence[Path] = (),
) -> None:
    """Writes a site of verified submissions.

    Args:
        checked: what verification found, of each.
        folder: where to. A site that lies there is replaced; other files in it are left alone.
        title: of the site.
        url: where it will be published, if that is known.
        places: where each submission was read from, in the same order; from there its records are
            copied beside its page. Without it they are left out.

    Raises:
        AdapterError: if one of them cannot be shown, or the folder holds something else.
    """
    if url is not None and not _URL.fullmatch(url):
        raise AdapterError(f"--url {url}: an address such as https://example.org/board/ was meant.")
    admit(checked)
    check_folder(folder)
    names = {one.submission.model.name.casefold() for one in checked if one.submission}
    boards = [(board, ranked(board, names)) for board in boards_of(checked)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".leaderboard-") as scratch:
        made = Path(scratch)
        _write_table(made, boards, len(checked), SitePages(title, url), title, url)
        _write_submissions(made, checked, boards, SitePages(title, url), places)
        _put(made, folder)


def check_folder(folder: Path) -> None:
    """Checks that a site may be written there.

    Raises:
        AdapterError: if there is a file in its place, or files of the same names that are none of a
            leaderboard's.
    """
    if folder.exists() and not folder.is_dir():
        raise AdapterError(f"-o {folder}: that is a file; name a folder.")
    taken = [it for it in (_INDEX, _JSON, _CSV, _SUBMISSIONS) if (folder / it).exists()]
    if taken and not _is_site(folder):
        raise AdapterError(
            f"-o {folder}: it holds {taken[0]!r}, which is not of a leaderboard; name another"
            " folder."
        )


def _is_site(folder: Path) -> bool:
    try:
        found = json.loads((folder / _JSON).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("made_by") == MADE_BY


def _write_table(
    made: Path,
    boards: Sequence[tuple[Board, Sequence[Ranked]]],
    submissions: int,
    pages: SitePages,
    title: str,
    url: str | None,
) -> None:
    _write(made / _INDEX, index_page(pages, boards, submissions))
    _write(made / _JSON, as_json(boards, title, url))
    _write(made / _CSV, as_csv(boards, url))


def _write_submissions(
    made: Path,
    checked: Sequence[Checked],
    boards: Sequence[tuple[Board, Sequence[Ranked]]],
    pages: SitePages,
    places: Sequence[Path],
) -> None:
    by_slug: dict[str, dict[str, tuple[Board, Ranked]]] = {}
    for board, runs in boards:
        for it in runs:
            by_slug.setdefault(it.entry.slug, {})[it.entry.run.key] = (board, it)
    for number, one in enumerate(checked):
        assert one.submission is not None
        slug = slug_of(one.submission)
        folder = made / _SUBMISSIONS / slug
        folder.mkdir(parents=True)
        page = submission_page(pages, one, by_slug[slug], records=bool(places))
        _write(folder / _INDEX, page)
        write_document(one.submission, folder)
        if places:
            _copy_records(one.submission, places[number], folder / RECORDS)


def _copy_records(submission: Submission, place: Path, file: Path) -> None:
    """Copies the records, if they still are those that were verified."""
    digest = hashlib.sha256()
    with Packed(place).opened(RECORDS) as source, file.open("wb") as target:
        while chunk := source.read(2**20):
            digest.update(chunk)
            target.write(chunk)
    if digest.hexdigest() != submission.records.sha256:
        raise AdapterError(f"{place}: its records were changed after it was verified; start again.")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8", newline="")


def _put(made: Path, folder: Path) -> None:
    """Puts a site where it belongs; pages of submissions that are gone go with the old one."""
    folder.mkdir(exist_ok=True)
    if (folder / _SUBMISSIONS).exists():
        shutil.rmtree(folder / _SUBMISSIONS)
    for name in (_SUBMISSIONS, _CSV, _JSON, _INDEX):
        (made / name).replace(folder / name)
