# SPDX-License-Identifier: Apache-2.0
"""The format of events, compared with govmomi, our JSON Schemas and the AsyncAPI document."""
import copy
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from lab.process import BUILD, ROOT, Process, wait_until
from lab.product import provider, router_config

SCHEMAS = ROOT / "schemas"
RECORDED = ROOT / "tests" / "data" / "soap"
PAGES = [RECORDED / "read-next-24-classes.xml", RECORDED / "query-events-by-type-id.xml"]
FORMATS = jsonschema.FormatChecker()


def load(name):
    return json.loads((SCHEMAS / name).read_text())


def validator(name):
    schema = load(name)
    store = {s["$id"]: s for s in (load("event.schema.json"), load("event-data.schema.json"))}
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=store)
    return jsonschema.Draft7Validator(schema, resolver=resolver, format_checker=FORMATS)


def convert(*options, files=PAGES):
    run = subprocess.run([BUILD / "vcourier", "convert", *options, *files], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")
    return [json.loads(line) for line in run.stdout.splitlines()]


def make(*arguments):
    return subprocess.run(["make", "--no-print-directory", f"VARIANT={BUILD.name}", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_type_table_is_up_to_date():
    run = make("schemas-check")
    assert run.returncode == 0, "schemas/vsphere.table is stale, run `make schemas`\n" + run.stdout + run.stderr


def test_the_compiled_table_is_small():
    sizes = subprocess.run(["size", BUILD / "gen" / "schemas" / "vsphere_types.o"], capture_output=True, text=True, check=True).stdout
    assert int(sizes.splitlines()[1].split()[3]) < 200_000


def test_random_events_of_every_class_equal_govmomis_json():
    run = make("oracle", "ORACLE_EVENTS=2000")
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-5000:]
    assert "2000 events equal" in run.stdout
    print(run.stdout)


def test_recorded_events_equal_govmomis_json():
    make("build/oracle")
    run = subprocess.run([ROOT / "build" / "oracle", "-convert", f"{BUILD}/vcourier convert --data -", *PAGES],
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr[-5000:]
    assert re.findall(r"(\d+) events equal", run.stdout) == ["23", "1"]  # one of the 24 has a class that govmomi does not have


@pytest.mark.parametrize("name", [p.name for p in sorted(SCHEMAS.glob("*.schema.json"))])
def test_the_schemas_are_valid(name):
    schema = load(name)
    jsonschema.validators.validator_for(schema).check_schema(schema)


@pytest.mark.parametrize("style", ["router", "vsphere"])
def test_recorded_events_are_valid(style):
    events = convert("--style", style)
    assert len(events) == 25
    for event in events:
        validator("event.schema.json").validate(event)
        prefix = "com.vmware.event.router/" if style == "router" else "com.vmware.vsphere."
        assert event["type"].startswith(prefix)


GAP = {"specversion": "1.0", "id": "gap-1795325231440-1795325999000", "source": "https://vc.lab/sdk", "type": "com.vcourier.gap",
       "subject": "EventGap", "time": "2026-11-22T05:40:00Z", "datacontenttype": "application/json", "vcenteruuid": "u",
       "severity": "error", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
       "data": {"From": "2026-11-22T05:27:11Z", "To": "2026-11-22T05:40:00Z", "Reason": "retention"}}


def test_a_gap_record_is_valid():
    validator("event.schema.json").validate(GAP)


@pytest.mark.parametrize("change", [
    lambda e: e.update(id="7"),
    lambda e: e.update(type="com.example"),
    lambda e: e.update(severity="fatal"),
    lambda e: e.update(eventkey=7),
    lambda e: e.update(traceparent="00-x"),
    lambda e: e.pop("subject"),
    lambda e: e["data"].pop("ChangeTag"),
    lambda e: e["data"].update(Key="7"),
    lambda e: e["data"].update(CreatedTime=None),
    lambda e: e["data"].update(Vm={"name": "x"}),
    lambda e: e["data"]["Datacenter"]["Datacenter"].update(Value=1),
])
def test_documents_that_are_not_events_are_refused(change):
    event = copy.deepcopy(convert()[0])
    change(event)
    assert not validator("event.schema.json").is_valid(event)


def without_type_names(value):
    if isinstance(value, dict):
        return {k: without_type_names(v) for k, v in value.items() if k != "_typeName"}
    return [without_type_names(v) for v in value] if isinstance(value, list) else value


def test_events_in_the_stream_are_valid_and_equal_govmomis_json(lab):
    bus, vc = lab.nats(), lab.vcenter("-backlog", "240")
    lab.collector(router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest")]))
    lab.open_ledger(bus, vc).settle()
    truth = {event["Key"]: event for event in vc.json()}
    equal = 0
    for message in lab.jetstream(bus).read("VC_lab"):
        event = message.json()
        validator("event.schema.json").validate(event)
        if "schemaunknown" not in event:
            assert without_type_names(event["data"]) == truth[event["data"]["Key"]]
            equal += 1
    assert equal > 200  # the others have a class that govmomi does not have


# ---- vcourier convert

def test_attributes_from_the_command_line():
    event = convert("--source", "https://vc1.lab/sdk", "--uuid", "52-ab", "--api-version", "8.0.3.0", files=PAGES[1:])[0]
    assert (event["source"], event["vcenteruuid"], event["vsphereapiversion"]) == ("https://vc1.lab/sdk", "52-ab", "8.0.3.0")
    assert (event["type"], event["subject"], event["severity"]) == ("com.vmware.event.router/eventex", "com.vmware.lab.t1", "warning")
    assert list(event)[-1] == "data"


def test_many_valid_and_invalid_replies_in_one_run():
    good, page = PAGES[1].read_bytes(), PAGES[0].read_bytes()
    cut, fault = page[:len(page) // 2], (RECORDED / "fault-NotAuthenticated.xml").read_bytes()
    headers = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n"
    run = subprocess.run([BUILD / "vcourier", "convert", "--data", "-"], input=good + headers + page + cut + fault + b"\n" + good,
                         capture_output=True, timeout=60)
    assert len(run.stdout.splitlines()) == 1 + 24 + 1
    assert run.returncode == 1
    errors = run.stderr.decode().splitlines()
    assert len(errors) == 2
    assert errors[0].startswith("vcourier: stdin: reply 3: the reply was cut after ")
    assert errors[1].startswith("vcourier: stdin: reply 4: SOAP fault NotAuthenticated")


@pytest.mark.parametrize("arguments, text, status, error", [
    (["-"], "<!DOCTYPE html><html>", 1, "stdin: reply 1: the reply is an HTML page, no SOAP"),
    (["-"], "nothing", 1, "the file has no reply"),
    (["-"], "", 1, "the file has no reply"),
    (["--style", "tanzu", "-"], "", 64, "is none of router, vsphere"),
    (["/none/such"], "", 78, "/none/such: No such file or directory"),
    ([], "", 64, "usage: vcourier convert"),
])
def test_bad_input(arguments, text, status, error):
    run = subprocess.run([BUILD / "vcourier", "convert", *arguments], input=text, capture_output=True, text=True, timeout=60)
    assert run.returncode == status and error in run.stderr


# ---- AsyncAPI

def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_the_asyncapi_document_is_consistent():
    document = load("asyncapi.json")
    for reference in references(document):
        file, _, pointer = reference.partition("#")
        target = load(Path(file).name) if file else document
        for part in filter(None, pointer.split("/")):
            target = target[part]
    for channel in document["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])
    assert {o["action"] for o in document["operations"].values()} == {"send", "receive"}


def test_the_asyncapi_document_is_valid():
    specification = ROOT / "build" / "interop" / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
    if not specification.exists():
        pytest.skip("@asyncapi/specs is not here: make interop")
    jsonschema.Draft7Validator(json.loads(specification.read_text())).validate(load("asyncapi.json"))


def test_the_asyncapi_parser_accepts_the_document():
    """The parser of the AsyncAPI project: no error and no warning (severity 0 and 1), and the channels of all streams."""
    modules = ROOT / "build" / "interop" / "node_modules"
    if not (modules / "@asyncapi" / "parser").exists() or not shutil.which("node"):
        pytest.skip("@asyncapi/parser or node is not here: make interop")
    run = subprocess.run(["node", ROOT / "tests/interop/asyncapi.js", ROOT / "schemas/asyncapi.json"], capture_output=True, text=True,
                         timeout=300, env={**os.environ, "NODE_PATH": str(modules)})
    parsed = json.loads(run.stdout)
    assert [d for d in parsed["diagnostics"] if d["severity"] < 2] == []
    protocol = (ROOT / "lib/bus/protocol.h").read_text()
    protocol += (ROOT / "lib/event/subject.h").read_text()
    dead, replay, source = (re.search(rf'#define {name}_PREFIX "(\w+)"', protocol)[1] for name in ("DEAD", "REPLAY", "SOURCE_SUBJECT"))
    vcenter = "{vcenter}.{datacenter}.{cluster}.{severity}.{eventclass}.{name}"
    assert sorted(parsed["addresses"]) == sorted(
        [f"vc.{vcenter}", f"{source}.{{source}}.{{type}}", *(f"{p}.{{dispatcher}}.{rest}" for p in (dead, replay) for rest in (vcenter, "{source}.{type}"))])
    assert len(parsed["operations"]) == 2 * len(parsed["addresses"])


def objects(process):
    return [json.loads(line) for line in process.text().splitlines()]


def test_a_generated_client_reads_events(lab):
    """The AsyncAPI generator makes a client of the document, with types by Modelina. A program compiled with it reads each event of a collector
    once, continues where it stopped, selects by the parameters of the address, and reads both modes of an own event."""
    modules = ROOT / "build" / "interop" / "node_modules"
    if not (modules / "@asyncapi" / "generator").exists() or not shutil.which("node"):
        pytest.skip("@asyncapi/generator or node is not here: make interop")
    (lab.directory / "node_modules").symlink_to(modules)
    template, client = lab.directory / "template", lab.directory / "client"
    shutil.copytree(ROOT / "tests/interop/asyncapi-template", template)  # the generator writes into it
    env = {**os.environ, "NODE_PATH": str(modules)}

    def node(*arguments):
        run = subprocess.run(["node", *arguments], capture_output=True, text=True, timeout=300, env=env)
        assert run.returncode == 0, run.stdout + run.stderr

    node(ROOT / "tests/interop/asyncapi-generate.js", template, client, SCHEMAS / "asyncapi.json")
    program = Path(shutil.copy(ROOT / "tests/interop/asyncapi-read.ts", client / "read.ts"))
    node(modules / "typescript/bin/tsc", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs", "--moduleResolution", "node", program)
    names = re.findall(r"^export (?:interface|type) (\w+)", (client / "models.ts").read_text(), re.M)
    assert "VCenterEventData" in names and not [n for n in names if "Anonymous" in n or "Slash" in n], names

    bus, vc = lab.nats(), lab.vcenter("-backlog", "60")
    lab.collector(router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest")]))
    lab.open_ledger(bus, vc).settle()

    def read(name, count, *arguments):
        process = lab._keep(Process(name, ["node", client / "read.js", bus.url, *arguments], lab.directory, env)).start()
        wait_until(lambda: not process.running() or len(objects(process)) >= count, 60, process.text)
        stream = ("VC_" if arguments[1] == "vcenter" else "CE_") + arguments[2]
        wait_until(lambda: not process.running() or js.consumer(stream, arguments[0])["num_ack_pending"] == 0, 60, process.text)
        process.kill()
        return objects(process)

    js = lab.jetstream(bus)
    stored = [(m.subject.split(".", 6), m.json()) for m in js.read("VC_lab")]
    got = read("all", len(stored), "everything", "vcenter", "lab")
    assert [(o["id"], o["severity"], o["key"], o["vm"], o["moref"]) for o in got] == [
        (e["id"], e["severity"], e["data"]["Key"], *((e["data"]["Vm"]["Name"], e["data"]["Vm"]["Vm"]["Value"]) if e["data"]["Vm"] else (None, None)))
        for _, e in stored]
    assert [list(o["parameters"].values()) for o in got] == [s[1:] for s, _ in stored]
    severity, name = stored[-1][0][4], stored[-1][0][6]
    wanted = [e["id"] for s, e in stored if s[4] == severity and s[6] == name]
    got = read("selected", len(wanted), "some", "vcenter", "lab", f"severity={severity}", f"name={name}")
    assert [o["id"] for o in got] == wanted

    js.create("CE_shop", {"name": "CE_shop", "subjects": ["ce.shop.>"]})
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.example.paid"}
    js.wire.publish("ce.shop.com.example.paid", json.dumps(event).encode(), headers={"Content-Type": "application/cloudevents+json"})
    js.wire.publish("ce.shop.com.example.paid", b"8", headers={"Content-Type": "application/json", **{f"ce-{k}": v for k, v in (event | {"id": "2"}).items()}})
    parameters = {"source": "shop", "type": "com.example.paid"}
    assert read("own-1", 2, "own", "source", "shop") == [{"id": "1", "structured": True, "parameters": parameters},
                                                         {"id": "2", "structured": False, "parameters": parameters}]
    js.wire.publish("ce.shop.com.example.paid", json.dumps(event | {"id": "3"}).encode(), headers={"Content-Type": "application/cloudevents+json"})
    assert [o["id"] for o in read("own-2", 1, "own", "source", "shop")] == ["3"]


def test_subjects_agree_with_the_document():
    address = load("asyncapi.json")["channels"]["events"]["address"]
    text = (ROOT / "lib/event/subject.h").read_text()
    assert re.sub(r"[{}]", "", address).split(".")[1:] == ["vcenter", "datacenter", "cluster", "severity", "eventclass", "name"]
    assert "<prefix>.<vcenter>.<datacenter>.<cluster>.<severity>.<class>.<EventName>" in text
