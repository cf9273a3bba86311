# SPDX-License-Identifier: Apache-2.0
"""One readable line for each event, with its delivery time; it fits 80 columns."""
from datetime import datetime


def entity(data):
    """The entity of the event, the most specific one first."""
    for field in ("Vm", "Host", "Ds", "ComputeResource", "Datacenter"):
        if data.get(field):
            return data[field].get("Name", "")
    return data.get("ObjectName") or data.get("UserName") or ""


def milliseconds(event, at):
    """From the event's creation in vCenter to `at`, a unix time."""
    return (at - datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()) * 1000


def line(event, vcenter, at):
    when = datetime.fromtimestamp(at).strftime("%H:%M:%S.%f")[:-3]
    return f"{when}  {vcenter:<8.8}  {event['subject']:<26.26}  {entity(event['data']):<15.15}  {milliseconds(event, at):7.1f} ms"


HEADING = f"{'arrived':<12}  {'vCenter':<8}  {'event':<26}  {'entity':<15}  {'latency':>7}"


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))] if ordered else float("nan")
