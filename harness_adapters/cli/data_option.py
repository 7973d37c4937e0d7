"""The options `--data` and `--labels`: sets that somebody has on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness_adapters.errors import AdapterError

if TYPE_CHECKING:
    from harness_adapters.leaderboard.asked import Given

data_option = click.option(
    "--data",
    metavar="NAME:PATH",
    multiple=True,
    help="Where a set lies that does not come with this package: privacylens:main_data.json, say."
    " Its hash is checked. May be repeated.",
)

labels_option = click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="For profile files of CIMemories without labels, the file that has them.",
)


def given_data(data: Sequence[str], labels: Path | None) -> Given:
    """The sets that a command was given.

    Raises:
        AdapterError: if one has no path, or none is there.
    """
    from harness_adapters.leaderboard.asked import Given

    found: dict[str, Path] = {}
    for one in data:
        name, colon, path = one.partition(":")
        if not (colon and name and path):
            raise AdapterError(f"--data {one!r} is to be NAME:PATH, such as privacylens:FILE.json.")
        if not Path(path).expanduser().exists():
            raise AdapterError(f"--data {one}: there is no {path}.")
        if name in found:
            raise AdapterError(f"--data names {name} twice.")
        found[name] = Path(path).expanduser()
    return Given(found, labels)
