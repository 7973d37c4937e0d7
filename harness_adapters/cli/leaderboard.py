"""`privacy-tasks leaderboard`: a static web site of verified submissions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from harness_adapters.cli.data_option import data_option, given_data, labels_option
from harness_adapters.cli.judge_option import cards_option, known_cards
from harness_adapters.cli.output import examples, json_option, out, print_json, progress


@click.command(
    epilog=examples(
        "privacy-tasks leaderboard submissions/* -o site",
        "privacy-tasks leaderboard submissions/* -o site --title 'Privacy of acme models' --url"
        " https://acme.github.io/privacy/",
        "privacy-tasks leaderboard submissions/* -o site --data privacylens:data/privacylens.json",
    )
)
@click.argument(
    "submissions",
    nargs=-1,
    required=True,
    metavar="DIR…",
    type=click.Path(path_type=Path),
)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="SITE",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write; a leaderboard that lies there is replaced.",
)
@click.option(
    "--title", default="Contextual privacy", show_default=True, help="What the site is called."
)
@click.option("--url", help="Where it will be published, for links that others can follow.")
@data_option
@labels_option
@cards_option
@json_option
def leaderboard(
    submissions: Sequence[Path],
    folder: Path,
    title: str,
    url: str | None,
    data: Sequence[str],
    labels: Path | None,
    cards: Path | None,
    as_json: bool,
) -> None:
    """A web site of submissions: ranked table, a page for each, JSON and CSV.

    Every submission is verified first; if one of them is not what it claims, nothing is written.
    The site is plain files that ask nobody for anything: open index.html, or publish the folder.
    The same submissions make the same bytes.
    """
    from harness_adapters.leaderboard.site.writing import check_folder, write_site
    from harness_adapters.leaderboard.verifying.verification import verify

    check_folder(folder)
    given = given_data(data, labels)
    known = known_cards(cards)
    checked = []
    for place in submissions:
        progress().print(f"Verifying {place} …", markup=False)
        checked.append(verify(place, given, known))
    write_site(checked, folder, title=title, url=url, places=submissions)
    written = sorted(str(it.relative_to(folder)) for it in _files(folder))
    if as_json:
        print_json({"folder": str(folder), "submissions": len(checked), "written": written})
    else:
        out().print(
            f"{folder / 'index.html'}: {len(checked)} verified submissions, {len(written)} files.",
            markup=False,
        )


def _files(folder: Path) -> list[Path]:
    own = [folder / name for name in ("index.html", "leaderboard.csv", "leaderboard.json")]
    return own + [it for it in (folder / "submissions").rglob("*") if it.is_file()]
