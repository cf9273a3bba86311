# SPDX-License-Identifier: Apache-2.0
"""The eventProcessor: functions in the appliance, Knative, OpenFaaS or EventBridge."""
import re
from urllib.parse import urlsplit

from .machine import is_host, without_proxy

ETC = "/etc/vcourier"


def backend(target, values, proxies):
    """Its entry in config.yaml; None when values are missing, which is reported."""
    kind = values["event_processor_type"]
    if kind == "Knative" and not any(values[k] for k in ("knative_uri", "knative_host", "knative_kubeconfig")) \
            and not target.at(f"{ETC}/kubeconfig").exists():
        values.tell("knative_uri", "is missing, as are knative_host and knative_kubeconfig: the functions of the appliance get the events")
        kind = "Functions"
    name, key, make = {"Functions": ("functions", "functions", functions), "Knative": ("knative", "knative", knative),
                       "OpenFaaS": ("openfaas", "openfaas", openfaas), "AWS EventBridge": ("eventbridge", "awsEventBridge", eventbridge)}[kind]
    target.directory(f"{ETC}/secrets/dispatcher@{name}", 0o700)
    block = make(target, values, proxies)
    return block and {"type": "aws_event_bridge" if name == "eventbridge" else name, "name": name, key: block}


def functions(_target, _values, proxies):
    return {"directory": f"{ETC}/functions", **({"proxy": ""} if proxies else {})}


def url(values, key, text):
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and is_host(parts.hostname) and not re.search(r"\s", text) and (parts.port or 1)
    except ValueError:
        good = False
    if not good:
        values.tell(key, "is no URL (http:// or https://)" if text else "is missing")
        return None
    return text


def proxied(values, proxies, address):
    """With a password in the proxy's URL: each peer has its own option. Otherwise the environment has it."""
    given = proxies.get(urlsplit(address).scheme)
    return {"proxy": "" if without_proxy(values, urlsplit(address).hostname) else given} if given else {}


def knative(target, values, proxies):
    block = {"typeStyle": values["knative_type_style"]}
    if values["knative_uri"] or values["knative_host"]:
        text = values["knative_uri"] or f"{(values['knative_scheme'] or 'http').lower()}://{values['knative_host']}/{values['knative_path'].lstrip('/')}"
        address = url(values, "knative_uri" if values["knative_uri"] else "knative_host", text)
        return address and {"destination": {"uri": address}, **block, "insecureSSL": values.true("knative_disable_tls_verification"),
                            **proxied(values, proxies, address)}
    target.secret(f"{ETC}/kubeconfig", values["knative_kubeconfig"], 0o640, "vcourier")
    namespace, slash, name = values["knative_broker"].partition("/")
    label = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
    if not (slash and re.fullmatch(label, namespace) and re.fullmatch(label, name)):
        values.tell("knative_broker", "is not namespace/name: default/default is used")
        namespace = name = "default"
    return {"destination": {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": name, "namespace": namespace},
                            "kubernetes": {"kubeconfig": f"{ETC}/kubeconfig"}}, **block}


def openfaas(target, values, proxies):
    address = url(values, "openfaas_address", values["openfaas_address"])
    if not address:
        return None
    block = {"address": address, **proxied(values, proxies, address)}
    if target.secret(f"{ETC}/secrets/dispatcher@openfaas/openfaas", values["openfaas_password"]):
        block["auth"] = {"type": "basic_auth", "basicAuth": {"username": values["openfaas_username"], "passwordFile": "secrets_openfaas"}}
    else:
        values.tell("openfaas_password", "is missing: the gateway is called without a password")
    return block


def eventbridge(target, values, proxies):
    missing = [k for k in ("aws_eb_region", "aws_eb_access_key") if not values[k]]
    if not target.secret(f"{ETC}/secrets/dispatcher@eventbridge/aws", values["aws_eb_access_secret"]):
        missing.append("aws_eb_access_secret")
    for key in missing:
        values.tell(key, "is missing")
    if missing:
        return None
    block = {"region": values["aws_eb_region"], "eventBus": values["aws_eb_event_bus"], "auth": {"type": "aws_access_key", "awsAccessKeyAuth": {
        "accessKey": values["aws_eb_access_key"], "secretKeyFile": "secrets_aws"}}, **proxied(values, proxies, "https://events.amazonaws.com")}
    if values["aws_eb_arn"]:
        block["ruleARN"] = values["aws_eb_arn"]
    return block
