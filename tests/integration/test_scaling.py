# SPDX-License-Identifier: Apache-2.0
"""What the scalers in k8s/ ask for exists and is the lag of the dispatcher: by a real Prometheus for the HorizontalPodAutoscaler, by a real
nats-server for KEDA."""
import pytest
import yaml

from lab.bususers import SecuredNats
from lab.process import ROOT, wait_until
from lab.product import knative, provider, router_config
from lab.receiver import Answer

SCALING = ROOT / "k8s" / "components"
HPA = [yaml.safe_load(f.read_text()) for f in sorted(SCALING.glob("scaling-hpa/*/hpa.yaml"))]
RULE, = yaml.safe_load((SCALING / "scaling-hpa/adapter-values.yaml").read_text())["rules"]["external"]
BASE = yaml.safe_load((ROOT / "k8s/base/config.yaml").read_text())
KEDA = [yaml.safe_load(f.read_text()) for f in sorted(SCALING.glob("scaling/*/scaledobject.yaml"))]


def adapter_query(hpa):
    """The query that prometheus-adapter makes of its rule for this HorizontalPodAutoscaler: it adds the namespace to the selector."""
    metric = hpa["spec"]["metrics"][0]["external"]["metric"]
    assert metric["name"] == RULE["name"]["as"]
    matchers = {"namespace": "vcourier", **metric["selector"]["matchLabels"]}
    return RULE["metricsQuery"].replace("<<.LabelMatchers>>", ",".join(f'{k}="{v}"' for k, v in matchers.items()))


@pytest.mark.parametrize("hpa", HPA, ids=lambda h: h["metadata"]["name"])
def test_the_autoscaler_gets_the_lag_once_for_any_number_of_replicas(lab, stream, hpa):
    name = hpa["spec"]["metrics"][0]["external"]["metric"]["selector"]["matchLabels"]["dispatcher"]
    receiver = lab.receiver(lambda request: Answer(503))
    config = stream.config(knative(receiver.url, name=name), retry={"initial": "20ms", "max": "100ms"})
    stream.publish(300)
    replicas = [lab.dispatcher(config, name=f"replica{i}").wait_ready() for i in range(2)]
    prometheus = lab.prometheus(*replicas)
    assert prometheus.query(RULE["seriesQuery"])
    wait_until(lambda: prometheus.query(adapter_query(hpa)) == [({"dispatcher": name}, 300)], 60,
               lambda: f"the lag: {prometheus.query(adapter_query(hpa))}; {prometheus.query(RULE['seriesQuery'])}")


@pytest.mark.parametrize("scaled", KEDA, ids=lambda s: s["metadata"]["name"])
def test_keda_finds_the_consumer(lab, scaled):
    """KEDA's scaler nats-jetstream reads account, stream and consumer from /jsz. They are those of the programs with the names of k8s/base."""
    trigger = scaled["spec"]["triggers"][0]["metadata"]
    source = BASE["eventProvider"]["name"]
    name, = [p["name"] for p in BASE["eventProcessors"] if f"dispatcher-{p['name']}" == scaled["spec"]["scaleTargetRef"]["name"]]
    bus = lab._keep(SecuredNats(lab.directory, "--vcenter", source, "--dispatcher", name)).start()
    config = router_config(bus, lab.authority.ca, [provider(lab.vcenter(), source)], [knative("http://127.0.0.1:9", name=name)])

    def as_user(user):
        return {**config, "bus": {**config["bus"], "user": user, "password": bus.password(user)}}
    lab.collector(as_user(f"collector-{source}")).wait_ready()
    lab.dispatcher(as_user(f"dispatcher-{name}")).wait_ready()
    accounts = bus.jsz("consumers=true")["account_details"]
    streams, = [a["stream_detail"] for a in accounts if a["name"] == trigger["account"]]
    consumers, = [s["consumer_detail"] for s in streams if s["name"] == trigger["stream"]]
    assert trigger["consumer"] == name and [c for c in consumers if c["name"] == name and "num_pending" in c and "num_ack_pending" in c]
