"""Every Eval Ever's own validator, which `make` puts into a folder of its own.

The package declares Python 3.12 and many dependencies; its validator needs pydantic alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(sys.prefix) / "every-eval-ever" / "site-packages"
SCHEMA = FOLDER / "every_eval_ever" / "schemas" / "eval.schema.json"


def validated(root: Path, files: list[Path]) -> list[dict[str, Any]]:
    """The reports of `every_eval_ever validate` on files of a datastore."""
    done = subprocess.run(
        [sys.executable, "-m", "every_eval_ever.validator.cli", "--format", "json",
         *(str(file.relative_to(root)) for file in files)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    return reports
