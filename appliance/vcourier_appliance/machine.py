# SPDX-License-Identifier: Apache-2.0
"""The machine: address, name, time, proxy, logins, log, updates. Each function writes what it can, and reports what it cannot."""
import ipaddress
import re
import subprocess
from urllib.parse import quote

LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DROPIN = "10-appliance.conf"
LINK = "/etc/systemd/network/10-appliance.network"


def is_host(text):
    """A name or an address, as it may stand in a configuration file."""
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return len(text) <= 253 and re.fullmatch(rf"{LABEL}(\.{LABEL})*\.?", text) is not None


def words(text):
    return text.replace(",", " ").split()


def hosts(values, key):
    good = [w for w in words(values[key]) if is_host(w)]
    for word in set(words(values[key])) - set(good):
        values.tell(key, f"{word[:80]!r} is neither a name nor an address; ignored")
    return good


def interface(values):
    """The address with its prefix. VEBA writes the netmask as "24 (255.255.255.0)"; 255.255.255.0 and an address with /24 are usual, too."""
    text = values["ipaddress"]
    if not text:
        return None
    mask = values.set("netmask").split("(")[0].strip().lstrip("/")
    address, slash, prefix = text.partition("/")
    try:
        if slash:
            return ipaddress.ip_interface(text)
        if not mask:
            given = "64" if ":" in address else "24"
            found = ipaddress.ip_interface(f"{address}/{given}")
            values.tell("netmask", f"is missing: /{given} is assumed")
            return found
        return ipaddress.ip_interface(f"{address}/{mask}")
    except ValueError:
        values.tell("ipaddress", f"{address[:80]!r} with netmask {(prefix or mask)[:80]!r} is no address: DHCP is used")
        return None


def link(values):
    """The text of LINK, systemd.network(5)."""
    fixed = interface(values)
    lines = ["[Match]", "Type=ether", "Kind=!*", "", "[Network]"]  # Kind: not the bridge and the links of containers
    servers = []
    for word in words(values["dns"]):
        try:
            servers.append(str(ipaddress.ip_address(word)))
        except ValueError:
            values.tell("dns", f"{word[:80]!r} is no address; ignored")
    domain = values["domain"] if is_host(values["domain"]) else ""
    if values["domain"] and not domain:
        values.tell("domain", "is no domain; ignored")
    if fixed is None:
        lines.append("DHCP=yes")
    else:
        lines += [f"Address={fixed.with_prefixlen}", "LinkLocalAddressing=ipv6", "IPv6AcceptRA=no"]
        lines += gateway(values, fixed)
        if not servers:
            values.tell("dns", "is missing: names cannot be resolved")
    lines += [f"DNS={server}" for server in servers]
    lines += [f"Domains={domain}"] if domain else []
    return "\n".join(lines) + "\n"


def link_values(text):
    """The properties from which link() made this text."""
    keys = {"Address": "ipaddress", "Gateway": "gateway", "DNS": "dns", "Domains": "domain"}
    found = dict.fromkeys(keys.values(), "")
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key in keys:
            found[keys[key]] = f"{found[keys[key]]} {value}".strip()
    return found


def network(target, values):
    target.write(LINK, link(values))
    time_servers = hosts(values, "ntp")
    path = f"/etc/systemd/timesyncd.conf.d/{DROPIN}"
    if time_servers:
        target.write(path, f"[Time]\nNTP={' '.join(time_servers)}\n")
    else:
        target.remove(path)


def gateway(values, fixed):
    if not values["gateway"]:
        values.tell("gateway", "is missing: only the appliance's own network can be reached")
        return []
    try:
        address = ipaddress.ip_address(values["gateway"])
        if address.version != fixed.version:
            raise ValueError
    except ValueError:
        values.tell("gateway", f"{values['gateway'][:80]!r} is no IPv{fixed.version} address; ignored")
        return []
    if address in fixed.network:
        return [f"Gateway={address}"]
    values.tell("gateway", f"{address} is not in the network {fixed.network}; it is used as if it were on the link")
    return ["", "[Route]", f"Gateway={address}", "GatewayOnLink=yes", "", "[Network]"]


def name(target, values):
    """The full name of the machine; vcourier without one."""
    host = values["hostname"].rstrip(".")
    if host and (not is_host(host) or ":" in host or host.split(".")[-1].isdigit()):
        values.tell("hostname", "is no host name (letters, digits, hyphens and dots): vcourier is used")
        host = ""
    host = (host or "vcourier").lower()
    domain = values["domain"].strip(".").lower()
    if "." not in host and domain and is_host(domain):
        host = f"{host}.{domain}"
    short = host.split(".")[0]
    target.write("/etc/hostname", host + "\n")
    own = f"127.0.1.1 {host} {short}" if host != short else f"127.0.1.1 {host}"
    target.write("/etc/hosts", f"127.0.0.1 localhost\n{own}\n::1 localhost ip6-localhost ip6-loopback\n")
    return host


def proxy_url(values, key):
    """None without one. With a user name the URL has a password: it must not get into an environment."""
    text = values[key]
    if not text:
        return None
    scheme, rest = text.split("://", 1) if "://" in text else ("http", text)
    host = rest.rstrip("/")
    where = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:/@\s]+)(:\d{1,5})?", host)
    if scheme not in ("http", "https", "socks5") or not where or not is_host(where[1].strip("[]")):
        values.tell(key, "is not host:port; ignored")
        return None
    user = values["proxy_username"]
    login = f"{quote(user, safe='')}:{quote(values['proxy_password'], safe='')}@" if user else ""
    return f"{scheme}://{login}{host}"


def proxy(target, values):
    """{scheme: URL} of a proxy with a password, which config.yaml gets. Without one the environment has it, as usual."""
    urls = {key: proxy_url(values, key) for key in ("http_proxy", "https_proxy")}
    if values["proxy_username"] and not values["proxy_password"]:
        values.tell("proxy_password", "is missing")
    none = [w for w in words(values["no_proxy"]) if re.fullmatch(r"[\w.*:/-]+", w, re.ASCII)]
    if len(none) < len(words(values["no_proxy"])):
        values.tell("no_proxy", "has an entry that is no host, domain or network; ignored")
    with_login = bool(values["proxy_username"])
    lines = [] if with_login else [f"{key.upper()}={url}" for key, url in urls.items() if url]
    lines += [f"NO_PROXY={','.join(none)}"] if none else []
    target.write("/etc/default/vcourier", "".join(line + "\n" for line in lines), 0o640)
    apt = "".join(f'Acquire::{key.split("_")[0]}::Proxy "{url}";\n' for key, url in urls.items() if url)
    if apt:
        target.write("/etc/apt/apt.conf.d/90appliance-proxy", apt, 0o600)
    else:
        target.remove("/etc/apt/apt.conf.d/90appliance-proxy")
    return {key.split("_")[0]: url for key, url in urls.items() if url} if with_login else {}


def without_proxy(values, host):
    """Whether no_proxy names this host: itself, its domain, or its network."""
    for entry in words(values["no_proxy"]):
        try:
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
        except ValueError:
            pass
        domain = entry.lstrip("*").lstrip(".").lower()
        if entry == "*" or host.lower() == domain or (domain and host.lower().endswith("." + domain)):
            return True
    return False


SSH = "/etc/ssh/sshd_config.d/10-appliance.conf"


def login(target, values):
    password = values["root_password"]
    if not password and target.at("/etc/shadow").is_file() and locked(target):
        values.tell("root_password", "is missing: nobody can log in at the console")
    if password:
        target.set_password("root", password, True, lambda: set_shadow(target, crypt(target, password)))
    key = values["ssh_authorized_key"]
    if key and not re.fullmatch(r"(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]+( .*)?", key, re.ASCII):
        values.tell("ssh_authorized_key", "is no public key (ssh-ed25519 AAAA...); ignored")
        key = ""
    if key:
        target.directory("/root/.ssh", 0o700)
        target.write("/root/.ssh/authorized_keys", key + "\n", 0o600)
    elif "ssh_authorized_key" not in values.given:
        target.remove("/root/.ssh/authorized_keys")
    rules = "PermitRootLogin prohibit-password\nPasswordAuthentication no\n" if key else "PermitRootLogin yes\n"
    target.write(SSH, rules + "X11Forwarding no\nAllowTcpForwarding local\n")
    wanted = values.true("enable_ssh")
    if wanted and not list(target.at("/etc/ssh").glob("ssh_host_*_key")):
        target.run("ssh-keygen", "-A", *([] if target.live else ["-f", target.root]))
    target.enable("ssh.service", wanted)


def locked(target):
    for line in target.at("/etc/shadow").read_text().splitlines():
        if line.startswith("root:"):
            return not line.split(":")[1].startswith("$")
    return True


def crypt(target, password):
    return target.run("openssl", "passwd", "-6", "-stdin", text=password + "\n").strip()


def set_shadow(target, hashed):
    """The file, and not chpasswd: its input is a line with a name, and it needs a root of its own elsewhere."""
    text = target.at("/etc/shadow").read_text()
    new = re.sub(r"^root:[^:]*:", lambda _: f"root:{hashed}:", text, count=1, flags=re.M)
    target.write("/etc/shadow", new, 0o640, "shadow")


def log(target, values):
    """The journal has a bound. Its lines go to a syslog server, if there is one, through a queue with a bound."""
    server = hosts(values, "syslog_server_hostname")[:1]
    port = values["syslog_server_port"]
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        values.tell("syslog_server_port", f"{port[:20]!r} is no port: 514 is used")
        port = "514"
    forward = "ForwardToSyslog=yes\n" if server else ""
    target.write(f"/etc/systemd/journald.conf.d/{DROPIN}",
                 f"[Journal]\nStorage=persistent\nSystemMaxUse=256M\nRuntimeMaxUse=32M\nMaxRetentionSec=30day\n{forward}")
    template = {"rfc5424": "RSYSLOG_SyslogProtocol23Format", "rfc3164": "RSYSLOG_TraditionalForwardFormat"}[values["syslog_server_format"]]
    if server:
        target.write("/etc/rsyslog.conf", f'''module(load="imuxsock")
global(workDirectory="/var/spool/rsyslog")
*.info action(type="omfwd" target="{server[0]}" port="{port}" protocol="{values['syslog_server_protocol']}" template="{template}"
	queue.type="LinkedList" queue.size="10000" queue.filename="forward" queue.maxDiskSpace="64m" queue.saveOnShutdown="on"
	action.resumeRetryCount="-1" action.resumeInterval="10")
''', 0o640)
    target.enable("rsyslog.service", bool(server))


def updates(target, values):
    wanted = values.true("automatic_updates")
    flag = "1" if wanted else "0"
    target.write("/etc/apt/apt.conf.d/20auto-upgrades",
                 f'APT::Periodic::Update-Package-Lists "{flag}";\nAPT::Periodic::Unattended-Upgrade "{flag}";\n')
    target.write("/etc/apt/apt.conf.d/52appliance-upgrades", '''Unattended-Upgrade::Origins-Pattern { "origin=Debian,codename=${distro_codename},label=Debian-Security"; };
Unattended-Upgrade::Automatic-Reboot "false";
''')
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        mask = f"/etc/systemd/system/{timer}"
        if wanted:
            target.remove(mask)
        elif not target.at(mask).is_symlink():
            target.directory("/etc/systemd/system")
            target.at(mask).symlink_to("/dev/null")
            target.changed.append(mask)


def firewall(target, values):
    """Default deny. Containers of functions reach the network, and their host's DNS; nothing outside reaches them."""
    ssh = "\t\ttcp dport 22 ct state new limit rate 30/minute burst 30 packets accept\n" if values.true("enable_ssh") else ""
    target.write("/etc/nftables.conf", f'''#!/usr/sbin/nft -f
# Written by vcourier-appliance configure.
table inet appliance
delete table inet appliance
table inet appliance {{
	chain input {{
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iif "lo" accept
		icmp type {{ echo-request, destination-unreachable, time-exceeded, parameter-problem }} accept
		icmpv6 type {{ echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert }} accept
		udp dport {{ 68, 546 }} accept
		tcp dport 443 accept
{ssh}		iifname "podman*" meta l4proto {{ tcp, udp }} th dport 53 accept
	}}
	chain forward {{
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname "podman*" accept
	}}
}}
''', 0o600)
    target.enable("nftables.service")


SECTIONS = (network, login, log, updates, firewall)


def attempt(target, section, *arguments):
    """What fails in one section stops no other."""
    try:
        return section(target, *arguments)
    except subprocess.CalledProcessError as error:
        target.tell("", f"{section.__name__}: {error.cmd[0]}: {(error.stderr or '').strip()[-300:] or error.returncode}")
    except OSError as error:
        target.tell("", f"{section.__name__}: {error.filename}: {error.strerror}" if error.filename else f"{section.__name__}: {error}")
    except (LookupError, ValueError, subprocess.TimeoutExpired) as error:
        target.tell("", f"{section.__name__}: {error}")
    target.complete = False
    return None
