# SPDX-License-Identifier: Apache-2.0
"""vcourier itself: NATS with its users, config.yaml, the secrets of each instance, the console. docs/systemd.md does the same by hand."""
import json
import os
import re
import shutil
from urllib.parse import urlsplit

from . import backends, config_yaml, front
from .config_yaml import Expanded
from .machine import is_host, without_proxy

ETC = "/etc/vcourier"
SECRETS = f"{ETC}/secrets"
FIRST_PORT = 8082  # docs/configuration.md: the first provider has it, each further instance the next one
GIB = 1 << 30
INSTANCES = "/etc/vcourier-appliance/instances.json"


def secret_file(target, values, instance, name, key):
    """The option for a secret of one instance: {...File: its credential}. None when there is no secret."""
    if not target.secret(f"{SECRETS}/{instance}/{name}", values[key]):
        values.tell(key, "is missing")
        return None
    return f"secrets_{name}"


def basic(target, values, instance, prefix, file):
    """An auth block, from PREFIX_username and PREFIX_password. None when one of them is missing."""
    credential = secret_file(target, values, instance, file, f"{prefix}_password")
    if not values[f"{prefix}_username"]:
        values.tell(f"{prefix}_username", "is missing")
        return None
    return credential and {"type": "basic_auth", "basicAuth": {"username": values[f"{prefix}_username"], "passwordFile": credential}}


def server(values, key, path):
    """(URL, host) of a server that is given by its name, by its address or by a URL."""
    text = values[key]
    try:
        url = urlsplit(text if "://" in text else f"https://{text}")
        good = url.scheme in ("https", "http") and url.hostname and is_host(url.hostname) and not url.username and (url.port or 1)
    except ValueError:
        good = False
    if not good:
        values.tell(key, "is missing" if not text else "is neither a name nor a URL")
        return None, None
    where = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{where}{port}{url.path.rstrip('/') or path}", url.hostname


def proxied(values, proxies, host):
    """The option `proxy`, if the proxy has a password."""
    url = proxies.get("https") or proxies.get("http")
    return {"proxy": "" if without_proxy(values, host) else url} if url else {}


def start_from(values):
    """VEBA's age in seconds counts when start_from is not given; 0 was "no replay"."""
    given, age = values.set("start_from"), values["vcenter_checkpointing_age"]
    if given:
        if re.fullmatch(r"now|earliest|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)|(\d+(ms|s|m|h|d))+", given):
            return given
        values.tell("start_from", "is neither now, earliest, a time (2026-01-31T00:00:00Z) nor a duration (1h): now is used")
    elif age:
        if age.isascii() and age.isdigit() and len(age) < 9:
            return f"{int(age)}s" if int(age) else "now"
        values.tell("vcenter_checkpointing_age", "is no number of seconds; ignored")
    return "now"


def vcenter(target, values, proxies):
    url, host = server(values, "vcenter_server", "/sdk")
    auth = basic(target, values, "collector@vcenter", "vcenter", "vcenter")
    if not (url and auth):
        return None
    block = {"address": url, "startFrom": start_from(values), "insecureSSL": values.true("vcenter_disable_tls_verification"),
             "auth": auth, **proxied(values, proxies, host)}
    if values["vcenter_ca"]:
        target.write(f"{ETC}/vcenter-ca.pem", values["vcenter_ca"], 0o640, "vcourier")
    if target.at(f"{ETC}/vcenter-ca.pem").exists() and "vcenter_ca" in values.given:
        block["caFile"] = f"{ETC}/vcenter-ca.pem"
    thumbprint = values["vcenter_thumbprint"].replace(":", "").replace(" ", "")
    if re.fullmatch("[0-9a-fA-F]{64}", thumbprint):
        block["thumbprint"] = thumbprint
    elif thumbprint:
        values.tell("vcenter_thumbprint", "is no SHA-256 thumbprint (64 hexadecimal digits); ignored")
    return block


def horizon(target, values, proxies):
    url, host = server(values, "horizon_server", "")
    auth = basic(target, values, "collector@horizon", "horizon", "horizon")
    if not values["horizon_domain"]:
        values.tell("horizon_domain", "is missing")
    if not (url and auth and values["horizon_domain"]):
        return None
    return {"address": url, "insecureSSL": values.true("horizon_disable_tls_verification"), "startFrom": start_from(values), "auth": {
        "type": "active_directory", "activeDirectoryAuth": {"domain": values["horizon_domain"], **auth["basicAuth"]}}, **proxied(values, proxies, host)}


def webhook(target, values, _):
    block = {"bindAddress": f"127.0.0.1:{front.WEBHOOK_PORT}", "path": "webhook"}
    if not values["webhook_username"] and not values["webhook_password"]:
        values.tell("webhook_username", "is missing: everybody who reaches the appliance may send events")
        return block
    auth = basic(target, values, "collector@webhook", "webhook", "webhook")
    return auth and {**block, "auth": auth}


def providers(target, values, proxies):
    """Those that are asked for and complete."""
    found = {"vcenter": vcenter(target, values, proxies)}
    for name, make in (("horizon", horizon), ("webhook", webhook)):
        if values.true(name):
            found[name] = make(target, values, proxies)
    return [{"type": name, "name": name, name: block} for name, block in found.items() if block]


def storage(target, sources):
    """(max_file_store of NATS, maxBytes of each stream of events), in bytes, from the size of the file system. Dead letters reserve 1 GiB."""
    place = target.at("/var/lib/private/vcourier-nats")
    while not place.is_dir():
        place = place.parent
    size = shutil.disk_usage(place).total
    store = max(size * 85 // 100, 2 * GIB) >> 20 << 20
    return store, max(min(8 * GIB, (store - GIB - GIB // 2) // max(sources, 1)), 64 << 20) >> 20 << 20


def nats(target, sources, dispatchers, store):
    names = [w for s in sources for w in ("--vcenter" if s == "vcenter" else "--source", s)] + [w for d in dispatchers for w in ("--dispatcher", d)]
    home = f"{ETC}/nats"
    target.directory(home, 0o750, "vcourier-bus")
    target.directory(f"{home}/secrets", 0o750, "vcourier-bus")
    target.write(f"{home}/users.conf", target.run("vcourier-nats-users", *names), 0o640, "vcourier-bus")
    users = [f"collector-{s}" for s in sources] + [f"dispatcher-{d}" for d in dispatchers] + ["cli", "console", "console-operator"]
    there = target.at(f"{home}/secrets")
    if not all((there / f).is_file() and (there / f).stat().st_size for f in (*users, "admin", "passwords.conf")):
        target.run("vcourier-nats-users", *names, "--passwords", there)
        target.changed.append(f"{home}/secrets")
    os.chmod(there, 0o750)
    text = target.at("/usr/share/vcourier/nats.conf").read_text()
    text = re.sub(r"\n  #.*", "", text)  # these comments are about the limit of the package
    # every message is on the disk before it is confirmed (docs/nats.md)
    text = re.sub(r"max_file_store: .*", f"max_file_store: {store}\n  sync_interval: always", text)
    target.write(f"{home}/nats.conf", text, 0o640, "vcourier-bus")
    for user in users[:-3]:
        kind, _, name = user.partition("-")
        target.directory(f"{SECRETS}/{kind}@{name}", 0o700)
        target.write(f"{SECRETS}/{kind}@{name}/{user}", (there / user).read_text(), 0o600)
    target.directory(f"{ETC}/cli", 0o750, "vcourier")
    target.write(f"{ETC}/cli/password", (there / "cli").read_text(), 0o640, "vcourier")
    target.directory(f"{SECRETS}/console", 0o700)
    for file, user in (("nats", "console"), ("nats-operator", "console-operator")):
        target.write(f"{SECRETS}/console/{file}", (there / user).read_text(), 0o600)


def console(target, values, names):
    """The names are those under which browsers reach the front."""
    users, path = {}, f"{ETC}/console.users"
    for line in target.at(path).read_text().splitlines() if target.at(path).exists() else []:
        users[line.split(":")[0]] = line

    def set_user(name, role, password):
        hashed = target.run("vcourier-console", "--hash", text=password + "\n").strip()
        users[name] = f"{name}:{role}:{hashed}"
        target.write(path, "".join(users[n] + "\n" for n in sorted(users)), 0o640, "vcourier")
    viewer = values["endpoint_username"]
    if values["endpoint_password"] and ":" not in viewer and viewer != "operator":
        target.set_password(f"console {viewer}", values["endpoint_password"], viewer in users,
                            lambda: set_user(viewer, "viewer", values["endpoint_password"]))
    if values["console_password"]:
        target.set_password("console operator", values["console_password"], "operator" in users,
                            lambda: set_user("operator", "operator", values["console_password"]))
    if not target.at(path).exists():
        values.tell("console_password", "is missing: nobody can log in to the console")
        target.write(path, "", 0o640, "vcourier")
    target.write(f"{ETC}/console.yaml", config_yaml.text({
        "bus": {"urls": ["nats://127.0.0.1:4222"], "user": "console", "passwordFile": "secrets_nats"},
        "operator": {"user": "console-operator", "passwordFile": "secrets_nats-operator"},
        "usersFile": path, "listen": f"127.0.0.1:{front.CONSOLE_PORT}", "hosts": names}), 0o640, "vcourier")


def console_names(target, more):
    """Adds names to the list at the end of console.yaml."""
    path = f"{ETC}/console.yaml"
    if target.at(path).exists():
        text = target.at(path).read_text()
        target.write(path, text + "".join(f"  - '{name}'\n" for name in more if f"  - '{name}'\n" not in text), 0o640, "vcourier")


def configuration(sources, backend, max_bytes):
    return {"apiVersion": "event-router.vmware.com/v1alpha1", "kind": "RouterConfig", "metadata": {"name": "appliance"},
            "bus": {"urls": ["nats://127.0.0.1:4222"], "user": Expanded("${NATS_USER:-cli}"), "passwordFile": Expanded("secrets_${NATS_USER:-cli}"),
                    "stream": {"maxBytes": max_bytes}},
            "eventProviders": sources, "eventProcessors": [backend]}


def instances(sources, dispatcher):
    """What runs, with the port of its metrics: the front and the screen read it."""
    names = [("collector", s) for s in sources] + [("dispatcher", dispatcher)]
    return [{"kind": kind, "name": name, "unit": f"vcourier-{kind}@{name}.service", "port": FIRST_PORT + i} for i, (kind, name) in enumerate(names)]


def courier(target, values, proxies):
    """What runs. Nothing when no source of events is complete: then there is no configuration, and the units stay off."""
    target.directory(ETC, 0o750, "vcourier")
    target.directory(SECRETS, 0o700)
    target.directory(f"{ETC}/functions", 0o750, "vcourier")
    sources = providers(target, values, proxies)
    backend = backends.backend(target, values, proxies)
    if not sources or not backend:
        target.tell("", "vcourier is not configured: " + " and ".join(
            ["it has no complete source of events"] * (not sources) + ["the backend lacks values"] * (not backend)))
        return []
    store, max_bytes = storage(target, len(sources))
    names = [s["name"] for s in sources]
    nats(target, names, [backend["name"]], store)
    text = config_yaml.text(configuration(sources, backend, max_bytes))
    keep_edited(target, f"{ETC}/config.yaml", text)
    target.write(f"{ETC}/config.yaml", text, 0o640, "vcourier")
    running = instances(names, backend["name"])
    target.write(INSTANCES, json.dumps(running, indent=1) + "\n")
    return running


def keep_edited(target, path, text):
    """A file that differs may have changes by hand."""
    place = target.at(path)
    if place.exists() and place.read_text() != text:
        target.write(f"{path}.old", place.read_text(), 0o640, "vcourier")
        target.tell("", f"{path} was replaced; the one before is {path}.old")


def units(target, running):
    wanted = {i["unit"] for i in running}
    for unit in ("vcourier-nats.service", "vcourier-console.service"):
        target.enable(unit, bool(running))
    enabled = target.at("/etc/systemd/system/multi-user.target.wants")
    for link in [*enabled.glob("vcourier-collector@*"), *enabled.glob("vcourier-dispatcher@*")] if enabled.is_dir() else []:
        if link.name not in wanted:
            target.enable(link.name, False)
    for unit in sorted(wanted):
        target.enable(unit)
