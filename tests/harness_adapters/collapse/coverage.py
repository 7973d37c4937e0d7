"""The whole table of simulated studies, of which `test_paired.py` has some cells with fewer.

`python -m tests.harness_adapters.collapse.coverage 2000` takes a quarter of an hour.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product

from tests.harness_adapters.collapse.studies import Design, cell


def designs() -> Iterator[Design]:
    """Two shapes of the core set, rates of the base arm, effects, seeds with and without spread."""
    for (groups, size), base, rise, runs, seed in product(
        ((61, 2), (14, 14)), (0.02, 0.1, 0.3), (0.0, 0.03, 0.1, 0.4), (1, 2, 3, 5), (0.0, 0.15)
    ):
        yield Design(groups, size, base, rise, (runs, runs), seed)


def main(studies: int) -> None:
    """Prints a line for each design."""
    print(
        "shape base rise runs seed  covered relative  base tuned  p<.05 above below"
        "  width z-ratio z-covered"
    )
    for design in designs():
        it = cell(design, studies)
        print(
            f"{design.groups}x{design.size} {design.base:.2f} {design.rise:.2f} {design.runs[0]}"
            f" {design.seed:.2f}  {it.covered:.3f} {it.relative:.3f}  {it.levels[0]:.3f}"
            f" {it.levels[1]:.3f}  {it.rejected:.3f} {it.above:.3f} {it.below:.3f}"
            f"  {it.width:.3f} {it.unpaired:.2f} {it.unpaired_covered:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
