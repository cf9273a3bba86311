# SPDX-License-Identifier: Apache-2.0
"""Writes YAML for vcourier. The image needs no YAML library for it.

Every text is in single quotes: there a backslash and ${NAME} are text, whatever a property has. A text that must be replaced from the
environment is an Expanded."""


class Expanded(str):
    pass


def scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Expanded):
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def lines(value, indent):
    """Of a mapping or a list that is not empty."""
    pad = " " * indent
    for item in value.items() if isinstance(value, dict) else value:
        head, inner = (f"{pad}{item[0]}:", item[1]) if isinstance(value, dict) else (f"{pad}-", item)
        if isinstance(inner, (dict, list)) and inner:
            yield head
            yield from lines(inner, indent + 2)
        else:
            yield f"{head} {scalar(inner) if not isinstance(inner, (dict, list)) else '[]' if isinstance(inner, list) else '{}'}"


def text(value):
    return "# Written by vcourier-appliance configure.\n" + "\n".join(lines(value, 0)) + "\n"
