# SPDX-License-Identifier: Apache-2.0
"""
The accounts as commands of nsc, for a NATS in operator mode. The differences to users.conf:
- All exports are private: an account uses a subject only with an activation token for it. A JWT must not have exports that
  contain each other, so the exports are wide and stay the same; the tokens are exact, and the server compares them with the imports.
- The permissions are the defaults of the account, whose only user has none of its own. So `nsc push` is sufficient after a
  change, and a credentials file stays valid.
- Names of accounts begin with vcourier-, because an operator has other accounts too.
- Guests have no second name for the API.
"""
from accounts import STREAMS
from permissions import API

REPLY_LIMIT = ("--allow-pub-response=100", "--response-ttl", "1m")
# What the account with the streams shares; "stream" means several replies.
SHARED = {f"{API}.{call}": "" for call in (
    "INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.CREATE.*", "STREAM.INFO.*", "STREAM.MSG.GET.*", "STREAM.MSG.DELETE.*", "DIRECT.GET.*",
    "CONSUMER.CREATE.>", "CONSUMER.DURABLE.CREATE.*.*", "CONSUMER.DELETE.*.*", "CONSUMER.INFO.*.*", "CONSUMER.NAMES.*", "CONSUMER.LIST.*")}
SHARED |= {f"{API}.CONSUMER.MSG.NEXT.*.*": "stream", "$JS.ACK.>": "", "$KV.>": "", "vc.>": "", "ce.>": "", "vcdead.>": "", "vcreplay.>": ""}

HEAD = """\
#!/bin/sh
# Written by {command}
# Creates the accounts and users in the current operator of nsc, and a credentials file of each user in the folder creds. It can
# run again, for example with more names: what exists stays, and so do credentials files. Then run `nsc push --all`.
set -eu
umask 077
mkdir -p creds
token=$(mktemp)
trap 'rm -f "$token"' EXIT

# has exports|imports ACCOUNT SUBJECT
has() {{
	nsc describe account "$2" --json --field "nats.$1" 2>/dev/null | sed 's/\\\\u003e/>/g' | tr -d ' \\n' | grep -qF "\\"subject\\":\\"$3\\""
}}
account() {{
	nsc describe account "$1" >/dev/null 2>&1 || nsc add account --name "$1"
}}
# share ACCOUNT SUBJECT OPTION...: what other accounts may use with an activation token
share() {{
	has exports "$1" "$2" || ( account=$1 subject=$2; shift 2; nsc add export --account "$account" --private --subject "$subject" "$@" )
}}
# permit ACCOUNT SUBJECT OF: the account may use this subject of another account
permit() {{
	has imports "$1" "$2" && return
	nsc generate activation --account "$3" --target-account "$1" --subject "$2" --output-file "$token"
	nsc add import --account "$1" --token "$token"
}}
# user ACCOUNT NAME
user() {{
	nsc describe user --account "$1" --name "$2" >/dev/null 2>&1 || nsc add user --account "$1" --name "$2"
	nsc generate creds --account "$1" --name "$2" --output-file "creds/$2.creds"
}}

nsc describe account {streams} >/dev/null 2>&1 || {{
	nsc add account --name {streams}
	nsc edit account --name {streams} --js-disk-storage -1 --js-mem-storage -1
}}
"""


def named(account):
    return account if account == STREAMS else f"vcourier-{account}"


def contains(wide, subject):
    """Whether every subject that the second one matches is matched by the first one."""
    wide, subject = wide.split("."), subject.split(".")
    if wide[-1] == ">" and len(subject) >= len(wide):
        wide, subject = wide[:-1], subject[:len(wide) - 1]
    return len(wide) == len(subject) and all(w in ("*", s) and s != ">" for w, s in zip(wide, subject))


def imports(account):
    """(account, subject) of what it uses. The server refuses imports that contain each other."""
    found = [(kind, source, subject) for kind, source, subject, local in account.imports if local is None]
    return [(source, subject) for kind, source, subject in found
            if not any((kind, source) == other[:2] and subject != other[2] and contains(other[2], subject) for other in found)]


def exports(account):
    """(subject, options) of what it shares: answers to requests, and of a collector all events, of which tokens select some."""
    found = {}
    for kind, subject in account.exports:
        if kind == "service":
            found[subject] = "--service --response-type Stream"
        else:
            found[".".join([*subject.split(".")[:2], ">"])] = ""
    return found.items()


def permissions(account):
    yield from ("--allow-pub", ",".join(account.publish[0]), "--allow-sub", ",".join(account.subscribe))
    if account.publish[1]:
        yield from ("--deny-pub", ",".join(account.publish[1]))
    if account.answers:
        yield from REPLY_LIMIT


def nsc_commands(accounts, command, quoted):
    """command: how these commands are written again. quoted: a function that quotes a word for a shell."""
    lines = [f"account {named(account.name)}" for account in accounts[1:]]
    for subject, replies in SHARED.items():
        lines.append(f"share {STREAMS} {quoted(subject)} --service{' --response-type Stream' if replies else ''}")
    for account in accounts[1:]:
        lines += [f"share {named(account.name)} {quoted(subject)} {options}".rstrip() for subject, options in exports(account)]
    for account in accounts[1:]:
        lines += [f"permit {named(account.name)} {quoted(subject)} {named(source)}" for source, subject in imports(account)]
        if account.publish:
            lines.append(f"nsc edit account --name {named(account.name)} {' '.join(quoted(w) for w in permissions(account))}")
    lines += [f"user {named(account.name)} {account.user}" for account in accounts]
    return HEAD.format(command=command, streams=STREAMS) + "\n".join(lines) + "\n"
