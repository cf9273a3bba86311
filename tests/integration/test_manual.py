# SPDX-License-Identifier: Apache-2.0
"""Manual pages and shell completion, which the build makes from the option tables: valid, complete, and they work in each shell."""
import re
import subprocess

import pytest

from lab.process import BUILD, ROOT

PROGRAM = str(BUILD / "vcourier")


def output(*argv, **options):
    return subprocess.run([*map(str, argv)], capture_output=True, text=True, timeout=60, check=True, **options).stdout


def listed(*group):
    return re.findall(r"^  (\w+(?: \w+)?)  +\S", output(PROGRAM, *group, "--help"), re.M)


def commands():
    groups = ("dead", "function")
    return [c for c in listed() if c not in groups] + [c for group in groups for c in listed(group)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("man")
    for name in output(PROGRAM, "manual").split():
        (folder / name).write_text(output(PROGRAM, "manual", "--date", "2026-11-28", name))
    return folder


def test_there_is_a_page_for_everything(pages):
    wanted = {f"vcourier-{c.replace(' ', '-')}.1" for c in commands()}
    wanted |= {"vcourier.1", "vcourier.yaml.5", "vcourier-collector.8", "vcourier-dispatcher.8"}
    assert {p.name for p in pages.iterdir()} == wanted


def test_mandoc_finds_no_fault(pages):
    """Of any level, style included."""
    files = [*pages.iterdir(), ROOT / "systemd/vcourier-nats-users.8"]
    run = subprocess.run(["mandoc", "-T", "lint", "-W", "style", *files], capture_output=True, text=True)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def shown(page):
    return re.sub(r".\x08", "", output("mandoc", "-T", "utf8", "-O", "width=200", page)).replace("‐", "-")


def test_pages_have_what_the_help_has(pages):
    for command in commands():
        help_text, text = output(PROGRAM, *command.split(), "--help", "all"), shown(pages / f"vcourier-{command.replace(' ', '-')}.1")
        for option in re.findall(r"--[a-z][a-z-]+", help_text):
            assert option in text, (command, option)
        for example in re.findall(r"^  (vcourier .*)$", help_text, re.M):
            assert example in text, (command, example)


def test_the_page_of_the_file_has_every_option(pages):
    text = shown(pages / "vcourier.yaml.5")
    reference = (ROOT / "docs/configuration.md").read_text()
    keys = {m[1] for m in re.finditer(r"^\| `(\w+)`.*\|$", reference, re.M) if not re.search("has no effect|; refused", m[0])}
    assert len(keys) > 60 and not [k for k in keys if not re.search(rf"\b{k}\b", text)]


# ---- completion

def completed(line):
    """What bash offers at the end of a line."""
    words = line.split(" ")
    script = (f"source <('{PROGRAM}' completion bash); COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; "
              "compopt() { :; }; _vcourier; printf '%s\\n' \"${COMPREPLY[@]}\"")
    return set(output("bash", "-c", script, cwd=ROOT).split())


@pytest.mark.parametrize("line, offered", [
    ("vcourier st", {"status"}), ("vcourier dead re", {"redrive"}), ("vcourier dead ", {"ls", "show", "redrive", "drop"}),
    ("vcourier tail --si", {"--since"}), ("vcourier dead drop --al", {"--all"}), ("vcourier convert --style ", {"router", "vsphere"}),
    ("vcourier tail -c README", {"README.md"}), ("vcourier check READ", {"README.md"}), ("vcourier tail --no", set())])
def test_bash_completes(line, offered):
    assert completed(line) == offered


def test_bash_offers_all_commands():
    assert completed("vcourier ") == {c.split()[0] for c in commands()} | {"--help", "--version"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_reads_its_completion(tmp_path, shell):
    file = tmp_path / "completion"
    file.write_text(output(PROGRAM, "completion", shell))
    run = subprocess.run([shell, "-n", file], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    text = file.read_text()
    assert all(command.split()[-1] in text for command in commands()) and "password-file" in text


def test_fish_completes(tmp_path):
    file = tmp_path / "completion"
    file.write_text(output(PROGRAM, "completion", "fish"))
    offered = output("fish", "--no-config", "-c", f"source {file}; complete -C 'vcourier tail --si'; complete -C 'vcourier dead re'")
    # fish 4 also offers what has these letters at other places
    assert re.findall(r"^(--si\S*|re\S*)\t", offered, re.M) == ["--since", "redrive"]


def test_lintian_finds_nothing(tmp_path):
    """In the package: manual pages, permissions, scripts, copyright."""
    run = subprocess.run(["make", "-s", "deb"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    package = ROOT / run.stdout.split()[-1]
    listed = output("dpkg-deb", "--contents", package)
    for name in output(PROGRAM, "manual").split():
        assert f"/usr/share/man/man{name[-1]}/{name}.gz" in listed
    for path in ("bash-completion/completions/vcourier", "zsh/vendor-completions/_vcourier", "fish/vendor_completions.d/vcourier.fish"):
        assert f"/usr/share/{path}" in listed
    run = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", package], capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stdout) == (0, "")
