# SPDX-License-Identifier: Apache-2.0
"""A small file system."""
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_disk(directory, size):
    """A tmpfs at this new directory; size as mount(8) takes it. Needs root."""
    directory.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory], check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True)
