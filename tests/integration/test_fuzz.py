# SPDX-License-Identifier: Apache-2.0
"""What CI fuzzes is the same in each run of a commit, so what passes there once passes again."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def inputs(folder, log):
    """What the target found, in order, without the speed and the memory of the run."""
    subprocess.run([folder / "tests/fuzz/run.sh", "webhook", "2"], check=True, capture_output=True, env=os.environ | {"FUZZ_SEED": "7"})
    lines = [line for line in (folder / log).read_text().splitlines() if re.match(r"#\d+\t(NEW|REDUCE)", line)]
    return [re.sub(r" exec/s: \d+ rss: \d+Mb", "", line) for line in lines]


def test_a_run_with_a_seed_is_repeatable(tmp_path):
    if not (ROOT / "build/fuzz/bin/webhook").exists():
        pytest.skip("the fuzz targets are not built (make VARIANT=fuzz fuzz-programs)")
    if subprocess.run(["setarch", "-R", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("addresses cannot be fixed here")
    runs = []
    for run in range(2):
        folder = tmp_path / str(run)
        for path in ("tests/fuzz/run.sh", "tests/fuzz/dictionaries/webhook", "build/fuzz/bin/webhook"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
        # in another order of creation
        for file in sorted((ROOT / "tests/fuzz/corpus/webhook").iterdir(), reverse=run == 1):
            (folder / "tests/fuzz/corpus/webhook").mkdir(parents=True, exist_ok=True)
            shutil.copy(file, folder / "tests/fuzz/corpus/webhook")
        runs.append(inputs(folder, "build/fuzz/webhook.log"))
    length = min(map(len, runs))  # each ends after a time
    assert length > 20
    assert runs[0][:length] == runs[1][:length]
