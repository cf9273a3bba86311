# SPDX-License-Identifier: Apache-2.0
"""XML page to JSON events, one core"""
import re
import subprocess

from lab.process import BUILD, ROOT


def run(lab):
    page = ROOT / "build" / "bench" / "page-1000.xml"
    out = subprocess.run([BUILD / "bench" / "normalize_pages", page], check=True, capture_output=True, text=True).stdout
    found = re.search(r"normalize: (\d+) MB/s, (\d+) k events/s, ratio ([\d.]+)", out)
    yield "page to JSON", float(found[1]), "MB/s"
    yield "page to JSON", float(found[2]) * 1000, "events/s"
    yield "page to JSON", float(found[3]), "bare libxml2 SAX2 parse of the same bytes", 0.5
