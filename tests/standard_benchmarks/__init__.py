"""Real logs of standard benchmarks, run as shipped against the model server.

inspect_evals lies in a folder of its own, so that only these tests load it: in an environment where
it is installed every `inspect` command loads all of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(sys.prefix) / "standard-benchmarks" / "site-packages"
"""Where `make` puts it, with pip install --target; Inspect knows installed tasks by that name."""

if FOLDER.is_dir() and str(FOLDER) not in sys.path:
    sys.path.append(str(FOLDER))
