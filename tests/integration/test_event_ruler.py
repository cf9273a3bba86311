# SPDX-License-Identifier: Apache-2.0
"""
Our pattern engine and AWS's own (event-ruler from Maven) have the same result on generated patterns and events.

RULER_SEED and RULER_PATTERNS allow other and longer runs. They may find one fault of the library: it may miss matches when
$or branches have the same value on one path, as in {"$or":[{"c":[1]},{"c":[{"anything-but":[0,1]},1]}]} with {"c":"zz"}.
The second branch alone matches.
"""
import json
import os
import random
import subprocess

import pytest

from lab.process import BUILD, ROOT

RULER = ROOT / "build" / "interop" / "event-ruler"
PATTERNS, EVENTS = int(os.environ.get("RULER_PATTERNS", 400)), 12
KEYS = ["a", "b", "c", "a.b", "a-b", "B"]
TEXTS = ["", "x", "xy", "yx", "xyx", "X", "a*b", "\u00e4B", "\u00c4b", "1", "10.0.0.1", "10.0.0.01", "2001:db8::1", "2001:DB8:0::1",
         "\U0001f680", "a\\b", "\"", "x/y/z", "i", "I", "\u0131", "s", "\u017f"]
NUMBERS = ["0", "-0.0", "1", "1.0", "1e0", "100e-2", "2", "-30", "-3e1", "0.1", "0.30000000000000004", "1e400", "1e22", "123456789012345678",
           "12345678901234567890123", "3.14159", "99999999999999999", "0.1234567890123456", "0.12345678901234567"]
CIDRS = ["10.0.0.0/8", "10.0.0.5/24", "10.0.0.0/31", "2001:db8::/32", "2001:db8::1/127", "10.0.0.0/32", "10.0.0/8", "x/8", "10.0.0.0"]
WILDCARDS = ["*", "x*", "*x", "x*y", "*x*", "a\\*b", "*/*/z", "a\\\\*", "**", "a\\x", "", "xy"]


class Draw(random.Random):
    def value(self):
        kind = self.randrange(10)
        if kind < 5:
            return json.dumps(self.choice(TEXTS), ensure_ascii=self.random() < 0.3)
        return self.choice(NUMBERS) if kind < 8 else self.choice(["true", "false", "null"])

    def text(self):
        return json.dumps(self.choice(TEXTS))

    def some(self, draw, empty=0.03):
        return "[" + ",".join(draw() for _ in range(0 if self.random() < empty else self.randint(1, 3))) + "]"

    def numeric(self):
        if self.random() < 0.5:
            return f'["{self.choice(["=", "<", "<=", ">", ">=", "!="])}",{self.choice(NUMBERS)}]'
        return f'["{self.choice([">", ">="])}",{self.choice(NUMBERS)},"{self.choice(["<", "<="])}",{self.choice(NUMBERS)}]'

    def wildcard(self):
        return json.dumps(self.choice(WILDCARDS))

    def but(self):
        name = self.choice(["prefix", "suffix", "equals-ignore-case", "wildcard", None, None, "cidr"])
        one = self.wildcard if name == "wildcard" else self.text
        if name == "equals-ignore-case":
            def one():
                return json.dumps(self.choice(TEXTS[:8]))
        if name:
            return f'{{"{name}":{one() if self.random() < 0.5 else self.some(one, 0)}}}'
        one = self.choice([self.text, lambda: self.choice(NUMBERS), self.value])
        return one() if self.random() < 0.4 else self.some(one)

    def test(self):
        kind = self.randrange(16)
        if kind < 6:
            return self.value()
        if kind == 6:
            return f'{{"exists":{self.choice(["true", "false"])}}}'
        if kind == 7:
            return f'{{"numeric":{self.numeric()}}}'
        if kind == 8:
            return f'{{"cidr":{json.dumps(self.choice(CIDRS))}}}'
        if kind == 9:
            return f'{{"wildcard":{self.wildcard()}}}'
        if kind < 12:
            return f'{{"anything-but":{self.but()}}}'
        name = self.choice(["prefix", "suffix", "equals-ignore-case"])
        if name != "equals-ignore-case" and self.random() < 0.7:
            return f'{{"{name}":{self.text()}}}'
        folded = json.dumps(self.choice([t for t in TEXTS if max(t, default="") < "\U00010000"]))  # event-ruler halves larger ones
        return f'{{"{name}":{{"equals-ignore-case":{folded}}}}}' if name != "equals-ignore-case" else f'{{"{name}":{folded}}}'

    def members(self, depth, leaf, inner, ors):
        parts = {}
        for _ in range(self.randint(1, 3)):
            if ors and depth and self.random() < 0.12:
                parts['"$or"'] = "[" + ",".join(self.members(depth - 1, leaf, inner, False)
                                                for _ in range(self.choice([1, 2, 2, 2, 3]))) + "]"
                continue
            key = json.dumps(self.choice(KEYS if self.random() < 0.3 else KEYS[:3]))
            parts[key] = inner(depth - 1) if depth and self.random() < 0.45 else leaf()
        return "{" + ",".join(f"{k}:{v}" for k, v in parts.items()) + "}"

    def pattern(self, depth=2):
        return self.members(depth, lambda: self.some(self.test), self.pattern, True)

    def event(self, depth=3):
        def leaf():
            if self.random() < 0.6:
                return self.value()
            return self.some(lambda: self.event(depth - 1) if depth > 0 and self.random() < 0.6 else
                             self.some(self.value) if self.random() < 0.1 else self.value(), 0.1)
        return self.members(max(depth, 0), leaf, self.event, False)


def oracle(cases):
    jars = [str(RULER)] + [str(jar) for jar in RULER.glob("*.jar")]
    if not (RULER / "Oracle.class").exists():
        pytest.skip("event-ruler is not installed: `make interop` fetches it (needs a JDK and Maven)")
    lines = "\n".join(json.dumps({"pattern": p, "events": e}) for p, e in cases)
    run = subprocess.run(["java", "-cp", ":".join(jars), "Oracle"], input=lines, text=True, capture_output=True, timeout=600)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.splitlines()


def ours(tmp_path, pattern, events):
    file = tmp_path / "pattern"
    file.write_text(pattern)
    run = subprocess.run([BUILD / "vcourier", "match", "-p", file], input="\n".join(events), text=True, capture_output=True, timeout=60)
    if run.returncode == 78:
        return "invalid " + run.stderr
    return "".join({"match": "m", "nomatch": "n"}.get(line, "e") for line in run.stdout.splitlines())


def test_results_are_the_same_as_those_of_event_ruler(tmp_path):
    draw = Draw(int(os.environ.get("RULER_SEED", 20261122)))
    cases = [(draw.pattern(), [draw.event() for _ in range(EVENTS)]) for _ in range(PATTERNS)]
    valid = matches = 0
    wrong = []
    for (pattern, events), theirs in zip(cases, oracle(cases), strict=True):
        mine = ours(tmp_path, pattern, events)
        valid += not theirs.startswith("invalid")
        matches += theirs.startswith(("m", "n")) and theirs.count("m")
        if theirs.startswith("invalid") != mine.startswith("invalid") or (theirs[0] != "i" and theirs != mine):
            wrong.append((pattern, theirs, mine, [e for e, a, b in zip(events, theirs, mine) if a != b][:1]))
    print(f"{len(cases)} patterns, {valid} valid, {matches} matches")
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(map(str, wrong[:8]))
    assert valid > PATTERNS / 3 and matches > PATTERNS / 10
