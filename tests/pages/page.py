# SPDX-License-Identifier: Apache-2.0
"""The command blocks of a page: the indented blocks below each heading, as a reader copies them."""
import re

from lab.process import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", "HACKING.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")))


class Block:
    """A block of a page. `at` names it in failures: page, heading, number below the heading."""

    def __init__(self, page, heading, number, lines):
        self.page, self.heading, self.number = page, heading, number
        indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
        self.text = "\n".join(line[indent:] for line in lines).rstrip() + "\n"

    @property
    def at(self):
        return f"{self.page}: {self.heading}, block {self.number}"


def blocks(page):
    """All indented blocks of a page, in order. A block that continues a list item belongs to it and has more indentation."""
    found, heading, number, lines = [], "", 0, []
    previous = ""

    def end():
        nonlocal number, lines
        while lines and not lines[-1].strip():
            lines.pop()
        if lines:
            number += 1
            found.append(Block(page, heading, number, lines))
        lines = []
    for line in (ROOT / page).read_text().splitlines():
        depth = len(line) - len(line.lstrip())
        if lines and (not line.strip() or depth >= 4):
            lines.append(line)
        elif depth >= 4 and not previous.strip():
            lines = [line]
        else:
            end()
            if title := re.match(r"#+ (.*)", line):
                heading, number = title[1], 0
        previous = line
    end()
    return found


def block(page, heading, number=1):
    """One block. A page that changed its headings fails here, with the blocks that it has."""
    here = [b for b in blocks(page) if (b.heading, b.number) == (heading, number)]
    assert here, f"no such block: {page}: {heading}, block {number}; the page has {[b.at for b in blocks(page)]}"
    return here[0]
