# SPDX-License-Identifier: Apache-2.0
"""The rows of benchmarks: how they are printed, kept in a file and compared. A row is (what, figure, unit), or
(what, ratio, against, at least); `what` and the third member together name it."""
import json
import statistics


def number(figure):
    return f"{figure:,.4g}" if abs(figure) < 1000 else f"{figure:,.0f}"


def key(row):
    return f"{row[0]} | {row[2]}"


def text(row, before=None):
    """before: the figure of the last run."""
    what, figure, unit = row[:3]
    mark = ""
    if len(row) == 4:
        unit = f"x {unit} (at least {row[3]})"
        mark = "   BELOW" if figure < row[3] else ""
    last = f"; last run {number(before)}" if before is not None else ""
    return f"  {what:<56} {number(figure):>9}  {unit}{last}{mark}"


def compared(here, there):
    """Lines with the medians of two checkouts. Each argument is a list of rounds, each a list of rows."""
    figures = {}
    for side, rounds in enumerate((here, there)):
        for row in (row for rows in rounds for row in rows):
            figures.setdefault(key(row), (row, [], []))[1 + side].append(row[1])
    for row, ours, theirs in figures.values():
        if not ours or not theirs:  # a row of one checkout only
            continue
        a, b = statistics.median(ours), statistics.median(theirs)
        ratio = f"{a / b:8.3f}" if b else "       -"
        yield f"  {row[0]:<56} {number(a):>9} {number(b):>9} {ratio}  {row[2]}"


def read(file):
    """{benchmark: {key: figure}}; empty if there is no such file."""
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return {}


def keep(file, name, rows):
    """Replaces the figures of one benchmark."""
    found = read(file)
    found[name] = {key(row): row[1] for row in rows}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1) + "\n")
