# SPDX-License-Identifier: Apache-2.0
"""`make fuzz-coverage`: which lines of each parser the corpus of its fuzz target runs.

parsers.txt lists the parsers. The lines are counted by clang's coverage build, one target at a time: what one target reaches is
not counted for another. Fails when a parser is below 90 %. Arguments: names of targets, default all.
"""
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/coverage"
WANTED = 90


def parsers():
    """[(target, file, {function} or None for all, {function left out})]"""
    found = []
    for line in (HERE / "parsers.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            target, file, *functions = line.split()
            out = {f[1:] for f in functions if f.startswith("-")}
            found.append((target, file, {f for f in functions if not f.startswith("-")} or None, out))
    return found


def run(target):
    """{file: {line: times}} of a target's corpus."""
    program, raw = BUILD / "bin" / target, BUILD / f"{target}.profraw"
    files = sorted(f for f in (HERE / "corpus" / target).iterdir() if f.is_file())
    ran = subprocess.run([program, *files], cwd=ROOT, env={"LLVM_PROFILE_FILE": str(raw)}, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{target}: the corpus fails:\n{ran.stderr[-3000:]}")
    data = raw.with_suffix(".profdata")
    subprocess.run(["llvm-profdata", "merge", "-o", data, raw], check=True)
    lcov = subprocess.run(["llvm-cov", "export", "-format=lcov", f"-instr-profile={data}", program], check=True, capture_output=True,
                          text=True).stdout
    lines, current = {}, None
    for record in lcov.splitlines():
        if record.startswith("SF:"):
            current = lines.setdefault(str(Path(record[3:]).resolve().relative_to(ROOT, )) if str(ROOT) in record else record[3:], {})
        elif record.startswith("DA:"):
            line, times = record[3:].split(",")[:2]
            current[int(line)] = int(times)
    return lines


def functions(file):
    """{name: (first line, last line)}: a definition's name and its closing brace stand in column 0."""
    found, name, start = {}, None, 0
    for n, line in enumerate((ROOT / file).read_text().splitlines(), 1):
        if m := re.match(r"(\w+)\(", line):
            name, start = m[1], n
        elif line == "}" and name:
            found[name], name = (start, n), None
    return found


def ranges(lines):
    text, previous, first = [], None, None
    for n in [*sorted(lines), None]:
        if previous is not None and n != previous + 1:
            text.append(str(first) if first == previous else f"{first}-{previous}")
            first = n
        first = n if first is None else first
        previous = n
        if n is None:
            break
    return " ".join(text)


def main():
    listed = [p for p in parsers() if not sys.argv[1:] or p[0] in sys.argv[1:]]
    targets = sorted({p[0] for p in listed})
    with ThreadPoolExecutor(2) as pool:
        covered = dict(zip(targets, pool.map(run, targets)))
    below = 0
    print(f"{'target':16} {'parser':36} {'lines':>5} {'run':>6}  not run")
    for target, file, only, out in listed:
        where = functions(file)
        if unknown := ((only or set()) | out) - set(where):
            sys.exit(f"parsers.txt: {file} has no {', '.join(sorted(unknown))}")
        spans = [span for name, span in where.items() if (only is None or name in only) and name not in out]
        lines = {n: t for n, t in covered[target].get(file, {}).items() if any(a <= n <= b for a, b in spans)}
        missed = {n for n, t in lines.items() if t == 0}
        share = 100 * (len(lines) - len(missed)) / max(len(lines), 1)
        below += share < WANTED
        print(f"{target:16} {file:36} {len(lines):5} {share:5.1f}%{'!' if share < WANTED else ' '} {ranges(missed)}")
    print(f"{len(listed)} parsers, {below} of them below {WANTED} %")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
