# SPDX-License-Identifier: Apache-2.0
"""The accounts as a file that nats-server includes; passwords.conf beside it has the passwords."""
import re

from accounts import STREAMS, several_replies


def variable(name):
    """The variable in passwords.conf that holds a user's password."""
    return re.sub("[^A-Za-z0-9]", "_", name)


def listed(words):
    return ", ".join(f'"{word}"' for word in words)


def user_line(account):
    login = f'user: "{account.user}", password: ${variable(account.user)}'
    if account.publish is None:
        return f"      {{ {login} }}"
    answers = ', allow_responses: { max: 100, expires: "1m" }' if account.answers else ""
    lists = [f"{kind}: [\n" + ",\n".join(f'          "{s}"' for s in subjects) + "\n        ]"
             for kind, subjects in zip(("allow", "deny"), account.publish) if subjects]
    return (f"      {{ {login}, permissions: {{\n"
            f"        subscribe: {{ allow: [{listed(account.subscribe)}] }}{answers}\n"
            f'        publish: {{ {", ".join(lists)} }}\n      }} }}')


def account_lines(account):
    quote = "" if account.name == STREAMS else '"'
    yield f"  {quote}{account.name}{quote} {{"
    if account.name == STREAMS:
        yield "    jetstream: enabled"
    yield from ("    users: [", user_line(account), "    ]")
    if account.imports:
        yield "    imports: ["
        for kind, source, subject, local in account.imports:
            source = source if source == STREAMS else f'"{source}"'
            to = f', to: "{local}"' if local else ""
            yield f'      {{ {kind}: {{ account: {source}, subject: "{subject}" }}{to} }}'
        yield "    ]"
    if account.exports:
        yield "    exports: ["
        for (kind, subject), names in account.exports.items():
            replies = ", response_type: stream" if kind == "service" and several_replies(subject) else ""
            yield f'      {{ {kind}: "{subject}"{replies}, accounts: [{listed(names)}] }}'
        yield "    ]"
    yield "  }"


def users_conf(accounts, command):
    """command: how this file is written again, a comment in its first line."""
    lines = [f"# Written by {command}; do not edit.", 'include "secrets/passwords.conf"', "accounts {"]
    for account in accounts:
        lines += account_lines(account)
    return "\n".join([*lines, "}"]) + "\n"
