# SPDX-License-Identifier: Apache-2.0
"""vcourier finds its NATS server, and tells in one line why it cannot: options, variables, files, contexts of the nats CLI."""
import json
import os
import pty
import re
import socket
import subprocess
from pathlib import Path

import pytest

from lab.bususers import SecuredNats
from lab.natsserver import NatsServer
from lab.process import BUILD, free_port
from lab.vcenter import Authority

USAGE, UNREACHABLE, FORBIDDEN, CONFIG = 64, 69, 77, 78  # sysexits.h
PROGRAM = str(BUILD / "vcourier")


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def vcourier(home, *arguments, env=None, **options):
    """Runs it without the variables and the contexts of whoever runs the tests."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("VCOURIER_", "NATS_", "XDG_"))}
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**clean, "HOME": str(home), **(env or {})}, **options)


def fails(home, status, *arguments, **options):
    """The one line on standard error."""
    run = vcourier(home, *arguments, **options)
    lines = run.stderr.splitlines()
    assert run.returncode == status and len(lines) == 1, (run.returncode, run.stderr)
    assert not re.search(r"\(\w+\.c:\d+\)", lines[0]) and lines[0].startswith("vcourier"), lines[0]
    return lines[0]


def context(home, name, selected=False, **settings):
    """A file as the nats CLI writes it."""
    folder = home / ".config/nats/context"
    folder.mkdir(parents=True, exist_ok=True)
    empty = dict.fromkeys(["description", "url", "token", "user", "password", "creds", "nkey", "cert", "key", "ca", "nsc", "jetstream_domain",
                           "jetstream_api_prefix", "jetstream_event_prefix"], "")
    (folder / f"{name}.json").write_text(json.dumps(empty | settings))
    if selected:
        (home / ".config/nats/context.txt").write_text(name)


@pytest.fixture
def secured(lab):
    """A server with the users of a deployment; its streams exist."""
    server = lab._keep(SecuredNats(lab.directory, "--vcenter", "lab", "--dispatcher", "kn")).start()
    admin = server.login("admin")
    for name, subject in (("VC_lab", "vc.lab.>"), ("VCREPLAY", "vcreplay.>"), ("VCDEAD", "vcdead.>"), ("OTHER", "other.>")):
        made = admin.request(f"$JS.API.STREAM.CREATE.{name}", {"name": name, "subjects": [subject], "allow_direct": True}).json()
        assert "error" not in made, made
    for stream in ("VC_lab", "VCREPLAY"):
        admin.request(f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.kn", {"stream_name": stream, "config": {
            "durable_name": "kn", "ack_policy": "explicit"}})
    yield server
    admin.close()


def password_file(server, user):
    return server.directory / "secrets" / user


# ---- ways to connect

def shows_the_streams(run):
    assert run.returncode in (0, 1) and "VC_lab" in run.stdout and "kn" in run.stdout and "OTHER" not in run.stdout, run
    return True


def test_options_alone(home, secured):
    assert shows_the_streams(vcourier(home, "status", "--server", secured.url, "--user", "cli", "--password-file", password_file(secured, "cli")))
    host = secured.url.removeprefix("nats://")  # as the nats CLI accepts it
    assert shows_the_streams(vcourier(home, "status", "--server", host, "--user", "cli", "--password-file", password_file(secured, "cli")))


def test_variables_alone(home, secured):
    env = {"VCOURIER_SERVER": secured.url, "VCOURIER_USER": "cli", "VCOURIER_PASSWORD_FILE": str(password_file(secured, "cli"))}
    assert shows_the_streams(vcourier(home, "status", env=env))
    fails(home, UNREACHABLE, "status", "--server", f"127.0.0.1:{free_port()}", env=env)  # the option counts


def test_a_file_with_a_block_bus_alone(home, tmp_path, secured):
    file = tmp_path / "cli.yaml"
    file.write_text(f"bus: {{urls: ['{secured.url}'], user: cli, passwordFile: {password_file(secured, 'cli')}}}\n")
    assert shows_the_streams(vcourier(home, "status", "-c", file))
    variables = {"VCOURIER_SERVER": "nats://127.0.0.1:1", "VCOURIER_USER": "nobody"}
    assert shows_the_streams(vcourier(home, "status", "-c", file, env=variables)), "after -c no variable counts"


def test_options_replace_credentials_of_a_file_as_a_whole(home, tmp_path, secured):
    """The file's user is unset here, and its password must not go with another user."""
    file = tmp_path / "router.yaml"
    file.write_text(f"bus:\n  urls: ['{secured.url}']\n  user: ${{UNSET_NATS_USER}}\n  password: wrong\n")
    assert "UNSET_NATS_USER is not set" in vcourier(home, "status", "-c", file).stderr
    assert shows_the_streams(vcourier(home, "status", "-c", file, "--user", "cli", "--password-file", password_file(secured, "cli")))


def test_contexts_of_the_nats_cli(home, secured):
    password = secured.password("cli")
    context(home, "one", url=secured.url, user="cli", password=password)
    context(home, "two", url=f"nats://cli:{password}@127.0.0.1:{secured.port},nats://127.0.0.1:1", selected=True)
    assert shows_the_streams(vcourier(home, "status", "--context", "one"))
    assert shows_the_streams(vcourier(home, "status", env={"VCOURIER_CONTEXT": "one"}))
    assert shows_the_streams(vcourier(home, "status")), "the selected one"
    elsewhere = home / "xdg"
    elsewhere.mkdir()
    (home / ".config/nats").rename(elsewhere / "nats")
    assert shows_the_streams(vcourier(home, "status", "--context", "two", env={"XDG_CONFIG_HOME": str(elsewhere)}))
    assert password not in vcourier(home, "status", "--context", "two", "--server", "127.0.0.1:1",
                                    env={"XDG_CONFIG_HOME": str(elsewhere)}).stderr


def test_names_come_from_nats_when_no_file_has_them(home, secured):
    run = vcourier(home, "replay", "--all", "--dispatcher", "nobody", "--server", secured.url, "--user", "cli",
                   "--password-file", password_file(secured, "cli"))
    assert run.returncode == USAGE and 'there is no dispatcher "nobody"; there are: kn' in run.stderr


# ---- what goes wrong

def test_nothing_is_given_and_nothing_is_there(home):
    line = fails(home, UNREACHABLE, "status")
    for tried in ("nats://127.0.0.1:4222", "--server", "--context", "/etc/vcourier/cli.yaml", "no selected NATS context"):
        assert tried in line


@pytest.mark.parametrize("arguments, status, words", [
    (["--server", "nats://127.0.0.1:1"], UNREACHABLE, ["nats://127.0.0.1:1: Connection refused"]),
    (["--server", "nats://host.invalid:4222"], UNREACHABLE, ["nats://host.invalid:4222: ", "host.invalid"]),
    (["--server", "http://127.0.0.1:1"], USAGE, ["--server", "nats://host:port"]),
    (["--server", "nats://me:secret@127.0.0.1"], USAGE, ["--password-file"]),
    (["--context", "nope"], CONFIG, ['there is no NATS context "nope"; there is: one']),
    (["--context", "../one"], CONFIG, ["not the name of a context"]),
    (["--context", "one", "-c", "x"], USAGE, ["exclude each other"]),
    (["--user", "a", "--creds", "b"], USAGE, ["exclude each other"]),
    (["--server", "nats://127.0.0.1:99999"], USAGE, ["--server", "up to 65535"]),
    (["--server", "127.0.0.1:1", "--ca", "/no/such/ca.pem"], CONFIG, ["/no/such/ca.pem: No such file or directory; the connection is from"]),
    (["--server", "127.0.0.1:1", "--ca", "/etc/hostname"], CONFIG, ["/etc/hostname: no certificate in PEM"]),
    (["--server", "127.0.0.1:1", "--creds", "/no/such.creds"], CONFIG, ["/no/such.creds: No such file"]),
    (["--server", "127.0.0.1:1", "--creds", "/etc/hostname"], CONFIG, ["/etc/hostname: no NATS credentials"]),
])
def test_where_to_connect_is_wrong(home, arguments, status, words):
    context(home, "one", url="nats://127.0.0.1:1")
    line = fails(home, status, "tail", *arguments)
    assert all(word in line for word in words) and "secret" not in line, line


def test_a_context_when_there_is_none(home):
    assert 'there is no NATS context "nope", and no other' in fails(home, CONFIG, "status", "--context", "nope")


def test_what_answers_is_another_server(home, lab, secured):
    """The server speaks first in NATS, so a server of another kind says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        line = fails(home, UNREACHABLE, "status", "--server", f"nats://127.0.0.1:{other.getsockname()[1]}")
    assert "Timeout: is it a NATS server?" in line
    assert vcourier(home, "status", "--server", lab.nats().url).stdout.endswith("\nno stream, collector or dispatcher here\n"), "not ours"
    assert "the server offers no TLS" in fails(home, UNREACHABLE, "status", "--server", secured.url.replace("nats:", "tls:"))


@pytest.mark.parametrize("text, why", [("[]", "not a JSON object"), ("{", "not a JSON object"), ('{"nkey": "/x"}', '"nkey", which'),
                                       ('{"nsc": "nsc://a/b/c"}', '"nsc", which'), ('{"url": "nats://a/b"}', "nats://host:port")])
def test_a_context_that_cannot_be_used(home, text, why):
    context(home, "one")
    (home / ".config/nats/context/one.json").write_text(text)
    assert why in fails(home, CONFIG, "status", "--context", "one")


def test_a_file_without_a_connection(home, tmp_path):
    file = tmp_path / "x.yaml"
    for text, why in (("buss: {}\n", "neither a block bus"), ("bus: {}\nbuss: {}\n", 'did you mean "bus"?')):
        file.write_text(text)
        run = vcourier(home, "status", "-c", file)
        assert run.returncode == CONFIG and why in run.stderr and run.stderr.startswith(f"{file}:"), run.stderr
    assert vcourier(home, "status", "-c", tmp_path / "none").returncode == CONFIG


def test_wrong_password_and_no_user(home, tmp_path, secured):
    (tmp_path / "wrong").write_text("wrong")
    line = fails(home, FORBIDDEN, "status", "--server", secured.url, "--user", "cli", "--password-file", tmp_path / "wrong")
    assert "(user cli)" in line and "uthorization" in line
    assert "(no user is given)" in fails(home, FORBIDDEN, "status", "--server", secured.url)
    assert "none: No such file" in fails(home, CONFIG, "status", "--server", secured.url, "--user", "cli", "--password-file", tmp_path / "none")


def test_a_user_that_may_not(home, lab):
    """NATS drops the request and tells why; a timeout alone would hide it."""
    users = 'authorization { users: [ { user: weak, password: weak, permissions: { publish: [x], subscribe: [">"] } } ] }'
    server = lab._keep(NatsServer(lab.directory, extra=users)).start()
    file = Path(lab.directory) / "weak"
    file.write_text("weak")
    where = ["--server", server.url, "--user", "weak", "--password-file", file]
    for command in (["tail"], ["dead", "ls"], ["status"]):
        line = fails(home, FORBIDDEN, *command, *where)
        assert "not permitted to user weak" in line and "$JS.API." in line, line


def expired(directory):
    """An authority whose server certificate has expired."""
    authority = Authority(directory)
    has_dates = b"-not_after" in subprocess.run(["openssl", "x509", "-help"], capture_output=True).stderr  # OpenSSL 3.4 and later, which refuse -1
    dates = ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"] if has_dates else ["-days", "-1"]
    authority._openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", *dates,
                       "-extfile", "san", "-out", "server.pem")
    return authority


def test_certificates(home, lab):
    good, old = Authority(lab.directory / "good"), expired(lab.directory / "old")
    tls = 'tls {{ cert_file: "{0.cert}", key_file: "{0.key}" }}'
    server = lab._keep(NatsServer(lab.directory, "fresh", extra=tls.format(good))).start()
    stale = lab._keep(NatsServer(lab.directory, "stale", extra=tls.format(old))).start()
    url = server.url.replace("nats:", "tls:")
    assert vcourier(home, "dead", "ls", "--server", url, "--ca", good.ca).returncode == 0
    assert "certificate" in fails(home, UNREACHABLE, "dead", "ls", "--server", url, "--ca", old.ca)
    line = fails(home, UNREACHABLE, "dead", "ls", "--server", stale.url.replace("nats:", "tls:"), "--ca", old.ca)
    assert "certificate has expired" in line, line


# ---- the command line

@pytest.mark.parametrize("arguments, words", [
    (["subject", "--event", ""], ["--event: the value is empty"]), ([], ["the command is missing"]), (["stat"], ['did you mean "status"?']), (["dead", "lst"], ['did you mean "dead ls"?']),
    (["dead"], ["which command is missing"]), (["xyzzy"], ["unknown command"]), (["-c", "x", "tail"], ["the command comes before the options"]),
    (["tail", "--cuont", "3"], ["--cuont: unknown option, did you mean --count?"]), (["tail", "-n"], ["--count needs a value: N"]),
    (["tail", "-n", "0"], ['"0" is not a number from 1 on']), (["tail", "--since", "soon"], ["neither a time", "nor a duration"]),
    (["tail", "a", "b"], ['unexpected argument "b"', "usage: vcourier tail [OPTIONS] [SUBJECT]"]), (["replay"], ["--dispatcher NAME is missing"]),
    (["dead", "drop"], ["SEQ, a filter or --all"]), (["dead", "drop", "1", "--all"], ["exclude each other"]),
    (["dead", "show", "x"], ['"x" is not the sequence']), (["check"], ["FILE is missing"]), (["match"], ["--pattern PATTERN is missing"]),
    (["match", "-p", '{"a":1}'], ["Event pattern is not valid"]),
    (["replay", "-d", "kn"], ["where to begin is missing: --since TIME, --from-seq SEQ or --all; --dry-run counts first"]),
    (["replay", "-d", "kn", "--since", "1h", "--all"], ["--since, --from-seq and --all exclude each other"]),
    (["replay", "-d", "kn", "--since", "1h", "--from-seq", "7"], ["exclude each other"]),
    (["tail", "--json=1"], ["--json takes no value"]), (["tail", "-x"], ["-x: unknown option"]), (["completion", "csh"], ["none of bash, zsh, fish"])])
def test_usage_errors_name_what_is_wrong(home, arguments, words):
    run = vcourier(home, *arguments)
    assert run.returncode == USAGE and all(word in run.stderr.splitlines()[0] for word in words), run.stderr


@pytest.mark.parametrize("kind", ["missing", "directory", "unreadable"])
@pytest.mark.parametrize("arguments", [
    ["check", "FILE"], ["import", "FILE"], ["convert", "FILE"], ["convert", "FILE", os.devnull], ["match", "-p", "FILE"], ["match", "-p", '{"a": [1]}', "FILE"],
    ["replay", "-d", "kn", "--all", "-p", "FILE"], ["status", "-c", "FILE"], ["tail", "-c", "FILE"], ["restore", "--server", "URL", "FILE"],
    *(["status", "--server", "127.0.0.1:1", *words] for words in (
        ["--user", "a", "--password-file", "FILE"], ["--creds", "FILE"], ["--ca", "FILE"], ["--cert", "FILE", "--key", "FILE"]))], ids=" ".join)
def test_a_file_that_cannot_be_read(home, lab, tmp_path, arguments, kind):
    """One rule for all commands and all kinds of files: 78, and a line that names the file."""
    file = tmp_path / kind
    if kind == "directory":
        file.mkdir()
    elif kind == "unreadable":
        file.symlink_to(file)  # root may read every file; ELOOP is an error for root, too
    url = lab.nats().url if "URL" in arguments else None
    run = vcourier(home, *({"FILE": file, "URL": url}.get(a, a) for a in arguments), stdin=subprocess.DEVNULL)
    assert run.returncode == CONFIG and str(file) in run.stderr, (run.returncode, run.stderr)


@pytest.mark.parametrize("program", ["vcourier-collector", "vcourier-dispatcher", "vcourier-console"])
def test_a_configuration_that_a_daemon_cannot_read(tmp_path, program):
    run = subprocess.run([BUILD / program, "--config", tmp_path / "missing"], capture_output=True, text=True, timeout=60)
    assert run.returncode == CONFIG and f"{tmp_path / 'missing'}: No such file" in run.stderr, run


def test_a_pattern_is_wrong_in_its_file_or_on_the_command_line(home, tmp_path):
    (tmp_path / "rule.json").write_text('{"a": 1}')
    assert vcourier(home, "match", "-p", tmp_path / "rule.json").returncode == CONFIG
    assert vcourier(home, "match", "-p", '{"a": 1}').returncode == USAGE


GROUPS = ("dead", "function")


def listed(home, *group):
    return [line.split() for line in re.findall(r"^  (\w+(?: \w+)?)  +\S", vcourier(home, *group, "--help").stdout, re.M)]


def commands(home):
    """All of them; the list has a line for each group, whose help lists its commands."""
    top = listed(home)
    assert len(top) >= 12 and all([group] in top for group in GROUPS)
    return [c for c in top if c[0] not in GROUPS] + [c for group in GROUPS for c in listed(home, group)]


def screen(argv, columns, rows=24):
    """What a program prints on a terminal of this size."""
    main, side = pty.openpty()
    subprocess.run(["stty", "rows", str(rows), "cols", str(columns)], stdin=side, check=True)
    process = subprocess.Popen(argv, stdout=side, stderr=side, stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})
    os.close(side)
    text = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    process.wait(30)
    os.close(main)
    return text.decode().replace("\r\n", "\n").splitlines()


def test_help_fits_a_screen(home):
    helps = [[PROGRAM, *c, "--help"] for c in [[], *([g] for g in GROUPS), *commands(home)]]
    helps += [[str(BUILD / f"vcourier-{d}"), "--help"] for d in ("collector", "dispatcher")]
    for argv in helps:
        lines = screen(argv, 80)
        assert len(lines) <= 24 and max(map(len, lines)) <= 80, argv
        assert lines[0].startswith("usage: ")


def test_help_on_a_terminal_of_40_columns(home):
    for command in ([], *([g] for g in GROUPS), *commands(home)):
        lines = screen([PROGRAM, *command, "--help", *(["all"] if command and command not in [[g] for g in GROUPS] else [])], 40)
        long = [line for line in lines if len(line) > 40 and not line.startswith(("usage:", "  vcourier ", "      --", "  -"))]
        assert not long and lines, command


def test_a_letter_means_the_same_everywhere(home):
    meaning = {}
    for command in commands(home):
        for letter, name in re.findall(r"^  -(\w), --([\w-]+)", vcourier(home, *command, "--help", "all").stdout, re.M):
            meaning.setdefault(letter, set()).add(name)
    assert meaning["c"] == {"config"} and meaning["n"] == {"count"} and meaning["p"] == {"pattern"}
    # as with kubectl, for those who come from it: `apply -f FILE`, `logs -f`
    assert meaning.pop("f") == {"filter", "filename", "follow"}
    assert not {letter: names for letter, names in meaning.items() if len(names) > 1}


def test_a_pattern_is_json_or_a_file(home, tmp_path):
    (tmp_path / "rule.json").write_text('{"a":[1]}')
    for pattern in ('{"a":[1]}', ' {"a":[1]}', str(tmp_path / "rule.json")):
        assert vcourier(home, "match", "-p", pattern, input='{"a":1}\n{"a":2}\n').stdout == "match\nnomatch\n"


@pytest.mark.parametrize("arguments", [["--help"], ["config", "--reference"], ["completion", "zsh"]])
def test_output_that_nobody_reads_or_that_finds_no_room(home, arguments):
    with subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as closed:
        closed.stdout.close()
        assert closed.stderr.read() == b"" and closed.wait(30) == 0
    with open("/dev/full", "w") as full:
        run = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
    assert run.returncode == 1 and run.stderr == "vcourier: standard output: No space left on device\n"
