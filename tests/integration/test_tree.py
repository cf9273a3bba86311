# SPDX-License-Identifier: Apache-2.0
"""The rules of HACKING.md that a compiler does not check."""
import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fuzz"))
import fuzz_coverage  # noqa: E402

PRODUCT = ("lib", "schemas", "collector", "processors", "dispatcher", "operator", "console", "cli")
FILES = []
if shutil.which("git"):
    FILES = [ROOT / f for f in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()]
if not FILES:  # an archive without git
    FILES = [f for folder in (*PRODUCT, "tests", "compose", "k8s", "docs", "systemd", "release", "appliance") for f in (ROOT / folder).rglob("*") if f.is_file()]
SOURCES = [f for f in FILES if f.suffix in (".c", ".h") and f.relative_to(ROOT).parts[0] in PRODUCT]
C_FILES = [f for f in FILES if f.suffix in (".c", ".h") and "examples" not in f.parts and f.exists()]

# the files that may include the headers of a library
LIBRARIES = {
    "nats/": r"lib/bus/bus\w*\.[ch]$",
    "curl/": r"lib/http/http\w*\.[ch]$",
    "yaml.h": r"lib/config/config_tree\.c$",
    "microhttpd.h": r"(lib/daemon/status\w*|console/server\w*|collector/webhook_(server|http)\w*)\.[ch]$",
    "crypt.h": r"console/users\.c$",
    "libxml/": r"collector/(soap|normalize\w*|scalar|members)\.[ch]$",
}
# the same for protocols of one source of events (collector/source.h): the loop knows none of them
PROTOCOLS = {
    "vim.h": r"collector/(vim\w*|vcenter_\w+)\.[ch]$|cli/connect_source\.c$",
    "horizon_api.h": r"collector/horizon_\w+\.[ch]$|cli/connect_source\.c$",
    "soap.h": r"collector/(soap|vim\w*|normalize\w*)\.[ch]$|cli/sample_xml\.c$",
    "normalize.h": r"collector/(soap|normalize\w*|vim\w*|vcenter_\w+|envelope)\.[ch]$|cli/(convert|emit\w*)\.c$",
}
BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atol|system|popen|tmpnam|mktemp)\s*\("


def named(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("header", LIBRARIES)
def test_only_certain_files_include_a_library(header):
    users = [named(f) for f in SOURCES if re.search(rf"#include <{re.escape(header)}", f.read_text())]
    assert users and not [u for u in users if not re.search(LIBRARIES[header], u)]


@pytest.mark.parametrize("header", PROTOCOLS)
def test_the_loop_knows_no_protocol_of_a_source(header):
    users = [named(f) for f in SOURCES if f'#include "{header}"' in f.read_text()]
    assert users and not [u for u in users if not re.search(PROTOCOLS[header], u)]


def test_texts_of_others_are_printed_by_one_function():
    """The text of an error may be that of a peer or of a file: printable.h."""
    raw = [f"{named(f)}: {' '.join(found.split())}" for f in SOURCES if f.suffix == ".c"
           for found in re.findall(r"\bf?printf\([^;]*\b(?:err|why)(?:\.|->)text[^;]*;", f.read_text())]
    assert raw == []


def test_every_server_with_tls_sets_the_versions():
    """Version 1.2 at least. The handshakes are in test_tls.py."""
    servers = {named(f) for f in SOURCES if re.search(r"MHD_USE_TLS\b", f.read_text())}
    assert servers == {"console/server.c", "collector/webhook_server.c"}, "each of them has a handshake in test_tls.py"
    assert not [f for f in servers if "STATUS_HTTP_TLS_PRIORITIES" not in (ROOT / f).read_text()]


def test_files_are_short():
    assert not [named(f) for f in C_FILES if f.suffix == ".c" and f.read_text().count("\n") > 400]


def test_functions_are_short():
    """From one brace in column 0 to the next: the format has no other braces there."""
    long = []
    for f in SOURCES:
        for body in re.finditer(r"^(\w+)\([^;{]*\)\n\{\n(.*?)^\}", f.read_text(), re.M | re.S):
            if body[2].count("\n") > 60:
                long.append(f"{named(f)}: {body[1]}: {body[2].count(chr(10))} lines")
    assert not long


def test_no_banned_functions():
    found = [f"{named(f)}: {m[1]}" for f in SOURCES for m in re.finditer(BANNED, re.sub(r"/\*.*?\*/", "", f.read_text(), flags=re.S))]
    assert not found


def code(path):
    """The text of a source without comments."""
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


# callbacks of libraries, which choose the parameters
FOREIGN = {"lib/daemon/status.c: on_request", "console/server.c: on_request", "collector/webhook_http.c: on_request",
           "collector/normalize_parse.c: on_start", "collector/soap.c: count_nodes"}


def test_functions_have_few_parameters():
    long = []
    for f in SOURCES:
        for m in re.finditer(r"^(\w+)\(([^;{}]*?)\)\n\{", code(f), re.M | re.S):
            inner = re.sub(r"\([^()]*\)", "", m[2])  # parameters of a function pointer
            if inner.count(",") >= 5 and f"{named(f)}: {m[1]}" not in FOREIGN:
                long.append(f"{named(f)}: {m[1]}")
    assert not long


def test_each_struct_tag_has_one_meaning():
    homes = {}
    for f in SOURCES:
        for m in re.finditer(r"\b(?:struct|enum|union) (\w+)\s*\{", code(f)):
            homes.setdefault(m[1], []).append(named(f))
    assert not {tag: files for tag, files in homes.items() if len(files) > 1}


def test_names_of_the_bus_are_in_one_place():
    """Streams, subjects, buckets and headers: lib/bus/protocol.h, and lib/event/subject.h for streams of events."""
    literal = re.compile(r'"(?:Vcourier-|VCDEAD|VCREPLAY|vcdead|vcreplay|vcourier\.status|KV_|\$KV|Nats-|VC_|CE_)[^"\n]*"')
    homes = ("lib/bus/protocol.h", "lib/event/subject.h")
    found = [f"{named(f)}: {m[0]}" for f in SOURCES if named(f) not in homes
             for m in literal.finditer(code(f))]
    assert not found


def test_headers_are_described_for_other_programs():
    names = re.findall(r'#define HEADER_\w+ "(Vcourier-[\w-]+)"', (ROOT / "lib/bus/protocol.h").read_text())
    described = (ROOT / "schemas/asyncapi.json").read_text()
    assert names and not [n for n in names if f'"{n}"' not in described]


def test_licence_in_each_source():
    missing = [named(f) for f in FILES if f.suffix in (".c", ".h", ".go") and "SPDX-License-Identifier: Apache-2.0" not in f.read_text()[:300]]
    assert not missing


def test_no_comments_mark_unfinished_work():
    words = "TO" + "DO|FIX" + "ME"
    found = [named(f) for f in FILES if f.suffix in (".c", ".h", ".go", ".py", ".sh", ".mk") and re.search(rf"\b({words})\b", f.read_text())]
    assert not found


def test_clang_format_changes_nothing():
    """make format; clang-format 14 (Debian 12) and 19 (Debian 13) agree."""
    if not shutil.which("clang-format"):
        pytest.skip("clang-format is not installed")
    run = subprocess.run(["clang-format", "--dry-run", "--Werror", *C_FILES], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[:3000]


def test_lines_are_short():
    """96 columns. A string may be longer, because a message that is split is not found by grep; and so may a URL."""
    long = [f"{named(f)}:{n}" for f in C_FILES for n, line in enumerate(f.read_text().splitlines(), 1)
            if len(line.expandtabs(8).rstrip("\\").rstrip()) > 96 and '"' not in line and "://" not in line]
    assert not long


def symbols():
    """{object file: (exported symbols, undefined symbols)}, of the release build."""
    found = {}
    for f in SOURCES:
        obj = ROOT / "build/release" / f.relative_to(ROOT).with_suffix(".o")
        if f.suffix != ".c" or f.stem == "main" or not obj.exists():
            continue
        lines = [line.split() for line in subprocess.run(["nm", obj], capture_output=True, text=True, check=True).stdout.splitlines()]
        found[named(f)] = ({x[2] for x in lines if len(x) == 3 and x[1] in "TDBRV"}, {x[1] for x in lines if len(x) == 2 and x[0] == "U"})
    return found


def test_exports_carry_the_name_of_their_file():
    """foo.c and foo_bar.c export foo*. A backend exports its descriptor."""
    wrong = []
    for file, (exports, _) in symbols().items():
        stem = Path(file).stem
        parts = stem.split("_")
        allowed = tuple("_".join(parts[:i]) for i in range(1, len(parts) + 1)) + (stem.removesuffix("s"), f"processor_{stem}")
        wrong += [f"{file}: {s}" for s in exports if not s.startswith(allowed)]
    assert not wrong




def cycles(uses):
    """Groups of files that depend on each other (Tarjan's strongly connected components)."""
    index, low, stack, found = {}, {}, [], []

    def visit(file):
        index[file] = low[file] = len(index)
        stack.append(file)
        for other in uses[file]:
            if other not in index:
                visit(other)
                low[file] = min(low[file], low[other])
            elif other in stack:
                low[file] = min(low[file], index[other])
        if low[file] == index[file]:
            at = stack.index(file)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]
    for file in uses:
        if file not in index:
            visit(file)
    return found


def test_calls_run_one_way():
    """There is no cycle between the files of a folder. The Makefile checks the order of the folders."""
    found = symbols()
    home = {s: file for file, (exports, _) in found.items() for s in exports}
    uses = {file: {home[s] for s in taken if s in home and home[s] != file} for file, (_, taken) in found.items()}
    assert cycles(uses) == []


def test_what_static_analysis_leaves_out_is_explained():
    """A check that .clang-tidy switches off is named in its comment; a NOLINT names its check and says why."""
    config = (ROOT / ".clang-tidy").read_text()
    comment = "".join(line for line in config.splitlines(True) if line.startswith("#"))
    off = re.findall(r"^  -([\w.-]+),?$", config, re.M)
    assert off and not [check for check in off if not re.search(rf"(#|,) {re.escape(check)}[,:\n]", comment)]
    suppressed = [f"{named(f)}: {m[0]}" for f in SOURCES for m in re.finditer(r"NOLINT.*", f.read_text())
                  if not re.match(r"NOLINT(NEXTLINE|BEGIN)?\([\w.-]+\): \w|NOLINTEND\([\w.-]+\)", m[0])]
    assert not suppressed


def test_hacking_names_files_that_exist():
    """Each path or file name in its code spans. `foo` and `x` are placeholders; a bare name is looked for in every folder."""
    text = (ROOT / "HACKING.md").read_text()
    spans = [w for span in re.findall(r"`([^`\n]+)`", text) for w in re.findall(r"[\w.*/-]*(?:\w/|\.(?:c|h|md|py|json|yaml|conf|sh|mk|go))(?![\w.])", span)]
    names = {named(f) for f in FILES}
    missing = [w for w in spans if not re.search(r"foo|NAME|test_x\.py", w) and not list(ROOT.glob(w.rstrip("/"))) and not (ROOT / "tests" / w).is_dir()
               and not any(fnmatch.fnmatch(name, f"*/{w}") for name in names)]
    assert len(spans) > 30 and not missing


def hacking_lists(section, name):
    """The files of a section of HACKING.md, `foo` replaced."""
    steps = (ROOT / "HACKING.md").read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    paths = re.findall(r"`([\w./-]*foo[\w./-]*\.\w+|[\w/]+/foo/)`", steps)
    return sorted({path.replace("foo", name) for path in paths if "/" in path})


def missing(section, files, places):
    """What a new part lacks. places: a file, and the text in it."""
    lacks = [path for path in files if not (ROOT / path).exists()]
    lacks += [f"{words.strip()} in {place}" for place, words in places.items() if words not in (ROOT / place).read_text().lower()]
    return f'HACKING.md, "{section}", lists what is missing: {", ".join(lacks)}' if lacks else ""


@pytest.mark.parametrize("name", re.findall(r"^PROCESSOR\((\w+)\)", (ROOT / "processors/list.h").read_text(), re.M))
def test_each_backend_has_all_that_hacking_lists(name):
    files = hacking_lists("Add a backend", name)
    assert len(files) == 6, files
    lacks = missing("Add a backend", files, {
        "README.md": f"docs/{name}.md", "tests/run.py": f'"{name}_test"', "tests/integration/test_check.py": name.lower(),
        "k8s/base/config.yaml": name, "compose/nats/users.conf": f"dispatcher-{name}"})
    assert not lacks, lacks


@pytest.mark.parametrize("name", re.findall(r"&(\w+)_source\b", (ROOT / "collector/source_choice.c").read_text()))
def test_each_source_has_all_that_hacking_lists(name):
    """The pages and tests of vCenter are not in files of its name."""
    files = hacking_lists("Add a source of events", name)
    assert len(files) == 4, files
    places = {"tests/integration/test_check.py": f'\n    "{name}": {{', "cli/connect_source.c": f"&{name}_source",
              "helm/vcourier/values.schema.json": f'"{name}"'}
    if name == "vcenter":
        files = [path for path in files if path.startswith("collector/")]
    else:
        places["README.md"] = f"docs/{name}.md"
    lacks = missing("Add a source of events", files, places)
    assert not lacks, lacks


def test_every_fuzz_target_has_inputs_and_words():
    """libFuzzer ignores a word of more than 64 bytes without a message."""
    for target in (f.name.removesuffix("_fuzz.c") for f in (ROOT / "tests/fuzz").glob("*_fuzz.c")):
        assert list((ROOT / "tests/fuzz/corpus" / target).iterdir()), target
        words = re.findall(r'^"(.+)"$', (ROOT / "tests/fuzz/dictionaries" / target).read_text(), re.MULTILINE)
        lengths = [len(re.sub(r"\\(x[0-9a-f]{2}|.)", "_", word).encode()) for word in words]
        assert words and max(lengths) <= 64, (target, words[lengths.index(max(lengths))])


def test_the_list_of_parsers_is_up_to_date():
    """Each fuzz target has parsers whose lines `make fuzz-coverage` counts, and each file and function in the list exists."""
    listed = fuzz_coverage.parsers()
    targets = {f.name.removesuffix("_fuzz.c") for f in (ROOT / "tests/fuzz").glob("*_fuzz.c")}
    assert {target for target, *_ in listed} == targets
    for _, file, only, out in listed:
        assert (ROOT / file).exists(), file
        assert not ((only or set()) | out) - set(fuzz_coverage.functions(file)), file
