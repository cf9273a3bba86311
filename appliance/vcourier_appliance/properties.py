# SPDX-License-Identifier: Apache-2.0
"""The properties of the appliance, and how their values are checked.

ovf.py writes this table into the OVF descriptor; `vcourier-appliance configure` reads the values. The keys of the VMware Event Broker
Appliance (VEBA) have their names, so that its values can be given again."""
import base64
import binascii
import ipaddress
import re
from collections import namedtuple

TEXT_MAX = 1024          # longer than any name, URL or password; a form has one line
DOCUMENT_MAX = 256 * 1024  # a chain of certificates, a kubeconfig

# kind: text, secret, boolean, choice, pem, secret-pem, document (base64), secret-document
Property = namedtuple("Property", "key kind label default choices required", defaults=("", (), False))

PREFIXES = tuple(f"{n} ({ipaddress.ip_network(f'0.0.0.0/{n}').netmask})" for n in range(30, 7, -1))
BACKENDS = ("Functions", "Knative", "OpenFaaS", "AWS EventBridge")
TYPE_STYLES = ("router", "vsphere", "vsphereUnversioned")

CATEGORIES = [
    ("Networking", [
        Property("hostname", "text", "Host name, with or without domain"),
        Property("ipaddress", "text", "IP address. Empty: DHCP"),
        Property("netmask", "choice", "Network prefix", "24 (255.255.255.0)", PREFIXES),
        Property("gateway", "text", "Gateway"),
        Property("dns", "text", "DNS servers, separated by spaces"),
        Property("domain", "text", "DNS domain"),
        Property("ntp", "text", "NTP servers, separated by spaces")]),
    ("Proxy (optional)", [
        Property("http_proxy", "text", "Proxy for http://, host:port"),
        Property("https_proxy", "text", "Proxy for https://, host:port"),
        Property("proxy_username", "text", "User at the proxy"),
        Property("proxy_password", "secret", "Password at the proxy"),
        Property("no_proxy", "text", "Hosts without proxy, separated by commas")]),
    ("Access to the appliance", [
        Property("root_password", "secret", "Password of root", required=True),
        Property("enable_ssh", "boolean", "Start the SSH server", "False"),
        Property("ssh_authorized_key", "text", "Public SSH key of root. With it, SSH takes no password"),
        Property("endpoint_username", "text", "User of /status, /stats and /metrics, and viewer in the console", "admin"),
        Property("endpoint_password", "secret", "Password of this user"),
        Property("console_password", "secret", "Password of the user operator in the console"),
        Property("automatic_updates", "boolean", "Install Debian's security updates every day", "False")]),
    ("vSphere", [
        Property("vcenter_server", "text", "vCenter: name or IP address"),
        Property("vcenter_username", "text", "User: the role Read-only on the root folder is enough"),
        Property("vcenter_password", "secret", "Password"),
        Property("vcenter_disable_tls_verification", "boolean", "Do not verify vCenter's certificate", "False"),
        Property("vcenter_ca", "pem", "CA certificate of vCenter, PEM or PEM in base64"),
        Property("vcenter_thumbprint", "text", "SHA-256 thumbprint of vCenter's certificate, instead of the CA"),
        Property("start_from", "text", "First events: now, earliest, a time, or a duration such as 1h", "now"),
        Property("vcenter_checkpointing_age", "text", "VEBA's form of the line above, in seconds"),
        Property("vcenter_checkpointing_period", "text", "Accepted without effect: the stream is the checkpoint")]),
    ("Horizon (optional)", [
        Property("horizon", "boolean", "Read the events of Horizon", "False"),
        Property("horizon_server", "text", "Connection Server: name"),
        Property("horizon_domain", "text", "Domain of the user"),
        Property("horizon_username", "text", "User"),
        Property("horizon_password", "secret", "Password"),
        Property("horizon_disable_tls_verification", "boolean", "Do not verify its certificate", "False")]),
    ("Webhook (optional)", [
        Property("webhook", "boolean", "Accept events at https://APPLIANCE/webhook", "False"),
        Property("webhook_username", "text", "User of senders"),
        Property("webhook_password", "secret", "Password of senders")]),
    ("Where events go", [
        Property("event_processor_type", "choice", "Functions run in the appliance; the others are elsewhere", "Functions", BACKENDS),
        Property("knative_uri", "text", "Knative: URL of the broker"),
        Property("knative_kubeconfig", "secret-document", "Knative: kubeconfig in base64, instead of the URL"),
        Property("knative_broker", "text", "Knative: namespace/name of the broker, with a kubeconfig", "default/default"),
        Property("knative_type_style", "choice", "Knative: type of the CloudEvents", "router", TYPE_STYLES),
        Property("openfaas_address", "text", "OpenFaaS: URL of the gateway"),
        Property("openfaas_username", "text", "OpenFaaS: user", "admin"),
        Property("openfaas_password", "secret", "OpenFaaS: password"),
        Property("aws_eb_region", "text", "EventBridge: region"),
        Property("aws_eb_event_bus", "text", "EventBridge: event bus", "default"),
        Property("aws_eb_arn", "text", "EventBridge: ARN of the rule. Empty: every event"),
        Property("aws_eb_access_key", "text", "EventBridge: access key"),
        Property("aws_eb_access_secret", "secret", "EventBridge: secret key")]),
    ("Certificate of the appliance (optional)", [
        Property("custom_tls_private_key", "secret-pem", "Private key, PEM or PEM in base64"),
        Property("custom_tls_ca_cert", "pem", "Certificate and its chain, PEM or PEM in base64")]),
    ("Syslog (optional)", [
        Property("syslog_server_hostname", "text", "Syslog server"),
        Property("syslog_server_port", "text", "Port", "514"),
        Property("syslog_server_protocol", "choice", "Protocol", "tcp", ("tcp", "udp")),
        Property("syslog_server_format", "choice", "Format", "rfc5424", ("rfc5424", "rfc3164"))]),
]
PROPERTIES = {p.key: p for _, properties in CATEGORIES for p in properties}
# VEBA asked for these; they are read, but the form does not show them.
EARLIER = {p.key: p for p in (
    Property("knative_scheme", "text", ""), Property("knative_host", "text", ""), Property("knative_path", "text", ""),
    Property("knative_disable_tls_verification", "boolean", ""))}
# They have no counterpart. No message for them: VEBA's form gives every one a value.
WITHOUT_EFFECT = {"pod_network_cidr", "docker_network_cidr", "debug", "vcenter_checkpointing_period", "vcenter_veba_ui_username",
                  "vcenter_veba_ui_password", "aws_eb_advanced_options"}


def is_secret(key):
    """Also for a key that the table does not have: it may be a secret of another product's form."""
    known = PROPERTIES.get(key) or EARLIER.get(key)
    return known.kind.startswith("secret") if known else bool(re.search(r"pass|secret|private|token|key", key, re.I))


def is_true(text):
    return text.strip().lower() in ("true", "1", "yes", "on")


class Values:
    """The checked values. A wrong one is reported once, and reads as if it were not given."""

    def __init__(self, given, tell):
        self._tell = tell
        self._value = {}
        self.given = {key for key, value in given.items() if value.strip()}
        for key in sorted(given):
            known = PROPERTIES.get(key) or EARLIER.get(key)
            if known is None:
                if key not in WITHOUT_EFFECT and given[key].strip():
                    tell(key, "unknown property, ignored")
                continue
            try:
                self._value[key] = check(known, given[key])
            except ValueError as error:
                tell(key, f"{error}; ignored")

    def __getitem__(self, key):
        """"" when it is not given or wrong, and the form has no default."""
        known = PROPERTIES.get(key) or EARLIER[key]
        return self._value.get(key) or known.default

    def set(self, key):
        """The value as given, without the form's default."""
        return self._value.get(key, "")

    def true(self, key):
        return is_true(self[key])

    def tell(self, key, text):
        self._tell(key, text)


def check(known, value):
    """The value in its normal form; "" for an empty one. Raises ValueError with the reason."""
    if known.kind.endswith(("pem", "document")):
        return document(known.kind, value)
    if known.kind != "secret":
        value = value.strip()
    if len(value.encode("utf-8", "surrogatepass")) > TEXT_MAX:
        raise ValueError(f"longer than {TEXT_MAX} bytes")
    # C0, DEL, C1, line and paragraph separators, the byte order mark, halves of surrogate pairs, noncharacters
    if re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]", value):
        raise ValueError("has a line break or another control character")
    if known.kind == "boolean" and value and not re.fullmatch("true|false|yes|no|on|off|1|0", value, re.I):
        raise ValueError("is neither True nor False")
    if known.kind == "choice" and value and known.key != "netmask":
        chosen = [c for c in known.choices if c.lower() == value.lower()]
        if not chosen:
            raise ValueError(f"is none of {', '.join(known.choices)}")
        return chosen[0]
    return value


def document(kind, value):
    """PEM or another text, itself or in base64. Forms replace the line breaks of PEM by blanks or \\n, so its lines are made again."""
    if len(value) > DOCUMENT_MAX:
        raise ValueError(f"longer than {DOCUMENT_MAX} bytes")
    if not value.strip():
        return ""
    pem = kind.endswith("pem")
    if not (pem and "-----BEGIN" in value):
        try:
            value = base64.b64decode("".join(value.split()), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise ValueError("is neither PEM nor base64" if pem else "is not text in base64") from error
    if not pem:
        return value
    blocks = re.findall(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", value.replace("\\n", "\n"), re.S)
    if not blocks:
        raise ValueError("has no block of PEM")
    out = []
    for name, body in blocks:
        body = "".join(body.split())
        if not re.fullmatch(r"[A-Za-z0-9+/]+=*", body):
            raise ValueError(f"its PEM block {name} is not base64")
        out += [f"-----BEGIN {name}-----", *(body[i:i + 64] for i in range(0, len(body), 64)), f"-----END {name}-----"]
    return "\n".join(out) + "\n"
