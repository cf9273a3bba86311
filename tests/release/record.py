#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make interfaces: writes release/interfaces.txt, the list with which later trees are compared (docs/stability.md)."""
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "release")]
from interfaces import interfaces  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import BUILD  # noqa: E402
from lab.output import output_keys  # noqa: E402

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        lab = Lab(scratch)
        try:
            lines = sorted({*interfaces(BUILD), *output_keys(lab)})
        finally:
            lab.close()
    version = (ROOT / "VERSION").read_text().strip()
    (ROOT / "release/interfaces.txt").write_text(f"# Recorded for {version} by `make interfaces`: see docs/stability.md\n" + "\n".join(lines) + "\n")
