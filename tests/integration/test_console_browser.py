# SPDX-License-Identifier: Apache-2.0
"""The console in a real browser, against the real pipeline, at a desk's width and a phone's. Screenshots: build/console/."""
import json
import time

import pytest
from lab.browser import SCREENSHOTS, Browser, need_browser
from lab.console import Console
from lab.process import ROOT, wait_until
from lab.product import knative, provider, router_config
from lab.receiver import Answer
from lab.stream import event, subject

pytestmark = pytest.mark.usefixtures("browser_there")
WIDTHS = (1280, 390)


@pytest.fixture
def browser_there():
    need_browser()


@pytest.fixture
def browser(lab):
    opened = []

    def open_one(**options):
        opened.append(Browser(lab.directory, **options))
        return opened[-1]
    yield open_one
    for b in opened:
        b.close()


def whole(lab):
    """vCenter, collector, a dispatcher whose backend rejects each tenth event, one whose backend is down, and the console."""
    lab.refuse, lab.accepted = True, []

    def answer(request):
        if request.path == "/down":
            return Answer(503)
        if int(request.event()["eventkey"]) % 10 != 0:
            return None
        if lab.refuse:
            return Answer(400, body=b"no such field: Vm.Name")
        lab.accepted.append(request.event()["eventkey"])
        return None
    nats = lab.nats()
    lab.vc = lab.vcenter("-real", "4", "-rate", "4", "-backlog", "100")
    lab.backend = lab.receiver(answer)
    config = router_config(nats, lab.authority.ca, [provider(lab.vc, startFrom="earliest")], [knative(lab.backend.url), knative(lab.backend.url + "/down", "billing")])
    lab.collector(config)
    for name in ("kn", "billing"):
        lab.dispatcher(config, "--name", name, name=name)
    lab.js = lab.jetstream(nats)
    lab.bus = nats
    console = lab._keep(Console(lab.directory, nats, docsUrl="https://docs.example.com/vcourier")).start().wait_ready()
    wait_until(lambda: lab.js.count("VCDEAD") >= 5 and lab.js.count("VC_lab") > 100, 60, "events and dead letters")
    return console


def show(b, console, view, css, text=None):
    b.open(f"{console.url}/#/{view}")
    return b.wait(css, text=text)


def check_page(b, name):
    """Nothing was blocked or failed, and nothing is wider than the screen."""
    b.shot(name)
    assert b.errors() == [] and max(b.is_too_wide()) <= 0, (name, b.is_too_wide())
    assert b.script("const box = document.querySelector('nav.side a[aria-current]').getBoundingClientRect(); return box.left > -1 && box.right < innerWidth + 1"), "where one is, is seen"


@pytest.mark.parametrize("width", WIDTHS)
def test_every_view(lab, browser, width):
    """Each view has what it is for; screenshots of all."""
    from selenium.webdriver.common.keys import Keys
    console = whole(lab)
    b = browser(width=width, dark=width == 390)
    b.open(console.url)
    b.wait("#user")
    b.shot("login")
    b.write("#user", "olga")
    b.write("#password", "wrong")
    b.click("button", "Log in")
    b.wait(".notice.bad", text="wrong")
    b.login(console, "olga")

    # events, newest first, live; a fault is on top
    b.wait("#live", text="live")
    b.wait(".row")
    newest = b.texts(".row[data-at='0']")
    wait_until(lambda: b.texts(".row[data-at='0']") != newest, 30, "a new event on top")
    b.wait("#faults", text="billing")
    wait_until(lambda: b.script("return [...document.querySelectorAll('#faults a')].map((e) => e.href)")[-1] ==
               "https://docs.example.com/vcourier/operations.md#vcourierbackendpaused", 30, "the runbook")
    check_page(b, "events")

    # filters, then pause
    b.write("[data-filter=name]", "vmpowered")
    wait_until(lambda: (texts := b.texts(".row")) and all("VmPowered" in t for t in texts), 30, "only VmPowered events")
    b.set("[data-filter=name]", "")
    b.click("summary", "Pattern")
    b.set("[data-filter=pattern]", '{"severity": [{"EXISTS": true}]}')
    b.wait(".notice.bad", text="Unrecognized match type EXISTS")
    wait_until(lambda: any("400 (Bad Request)" in e for e in b.errors()), 20, "the refused pattern in the browser's log")
    b.set("[data-filter=pattern]", '{"severity": ["error"]}')
    wait_until(lambda: (texts := b.texts(".row .sev")) and set(texts) == {"error"}, 30, "only errors")
    b.set("[data-filter=pattern]", "")
    wait_until(lambda: set(b.texts(".row .sev")) - {"error"}, 30, "all events again")
    b.click("summary", "Pattern")
    b.click("#pause")
    b.wait("#live", text="paused")
    held = b.texts(".row[data-at='0']")
    b.wait("#live", text="new")
    assert b.texts(".row[data-at='0']") == held
    b.click("#pause")
    b.wait("#live", text="live")

    # by keyboard alone: to the list, down, open, back
    b.script("document.querySelector('.rows').focus()")
    b.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    b.wait("#generated")
    wait_until(lambda: "#/event/VC_lab/" in b.driver.current_url, 10)

    # an event, and from it to an action
    found = next(m for m in lab.js.read("VC_lab") if b'"subject":"VmPoweredOnEvent"' in m.data)
    name = json.loads(found.data)["data"]["Vm"]["Name"]
    show(b, console, f"event/VC_lab/{found.seq}", "#generated", text="kind: Trigger")
    b.wait(".tree .string", text='"1.0"')
    b.click("button.fold[aria-label=Vm]")
    b.click("[data-path='data.Vm.Name']")
    b.script("const e = document.querySelector('#output'); e.value = 'eventbridge'; e.dispatchEvent(new Event('change'))")
    assert json.loads(b.wait("#generated").text) == {"detail-type": ["VmPoweredOnEvent"], "detail": {"data": {"Vm": {"Name": [name]}}}}
    b.click("#try")
    matched = b.wait("#tried strong", text="events match").text
    assert int(matched.split()[0]) >= 1, matched
    check_page(b, "event")

    # what runs
    show(b, console, "runs", ".runs .badge.bad", text="paused")
    b.wait(".runs td", text="HTTP 503")
    b.wait(".runs .badge.ok", text="reading")
    check_page(b, "runs")

    # dead letters: one, the selected ones, all of a reason; each with a confirmation that says how many
    show(b, console, "dead", "#letters tbody tr")
    lab.refuse = False
    before = lab.js.count("VCDEAD")
    first = b.texts("#letters button.link")[0]
    b.click("#letters button.link", first)
    b.wait("dl.facts dd", text="no such field")
    check_page(b, "dead")
    b.click("[data-do=redrive]", "this one")
    b.wait("dialog p", text="1 dead letter will be sent again")
    b.click("#confirm", "Redrive 1")
    b.wait("#job .notice.ok", text="1 of 1 sent again")
    wait_until(lambda: first not in b.texts("#letters button.link"), 20, "the list is loaded again")
    for box in range(2):
        wait_until(lambda: len(b.all("#letters tbody input:not(:checked)")) > 0, 20)
        b.click("#letters tbody input:not(:checked)")
    b.click("[data-do=drop]", "2 selected")
    b.wait("dialog p", text="2 dead letters will be removed for good")
    b.click("#confirm", "Drop 2")
    b.wait("#job .notice.ok", text="2 of 2 dropped")
    # The page asks with the number that it shows, and the console refuses another one. An event that was refused before becomes a dead letter when another is accepted.
    wait_until(lambda: len(lab.accepted) > 1, 30, "a tenth event was accepted, beside the one that was sent again")

    def shows_all():
        b.driver.refresh()  # the page does not look by itself whether there are more
        b.wait("#letters tbody tr")
        return b.texts("[aria-label='By dispatcher and reason'] td.num") == [str(lab.js.count("VCDEAD"))]
    wait_until(shows_all, 60, "the page shows all dead letters")
    b.click("[data-do=redrive]", "all")
    b.wait("dialog p", text="will be sent again")
    b.click("#confirm")
    wait_until(lambda: lab.js.count("VCDEAD") == 0, 30, f"{before} dead letters are gone")
    b.wait(".notice.ok", text="There are no dead letters")

    # catalogue and replay
    show(b, console, "catalogue", "#kinds tbody tr", text="VmPoweredOnEvent")
    b.wait("tr.never")
    grey = "return getComputedStyle(document.querySelector(arguments[0])).color"
    assert b.script(grey, "tr.never") == b.script(grey, ".dim") != b.script(grey, "#kinds tr:not(.never) td")
    seen = dict(zip(b.texts("#kinds tbody tr:not(.never) td:first-child"), b.texts("#kinds tbody tr:not(.never) td:last-child")))
    assert set(seen.values()) == {"newest"} and seen["VmPoweredOnEvent"]
    check_page(b, "catalogue")
    b.write("#search", "hostconnected")
    wait_until(lambda: [t.split()[0] for t in b.texts("#kinds tbody tr")] == ["HostConnectedEvent"], 20)
    show(b, console, "replay", "#dispatcher option", text="kn")
    b.script("document.querySelector('#dispatcher').value = 'kn'")
    b.set("#pattern", json.dumps({"data": {"Vm": {"Name": [name]}}}))
    b.click("#count")
    b.wait("#job .notice.ok", text="match")
    assert b.wait("#send").is_enabled()
    check_page(b, "replay")
    b.click("#send")
    b.wait("dialog p", text="to kn, and to no other dispatcher")
    def got(path):
        return len([r for r in lab.backend.requests if r.path == path and name.encode() in r.body])
    before = got("/")
    b.click("#confirm")
    b.wait("#job .notice.ok", text="sent again")
    wait_until(lambda: got("/") > before, 30, f"{name} again")

    # the last 10 minutes as lines
    show(b, console, "runs", "svg.spark path")
    assert b.wait("svg.spark[aria-label='stream VC_lab: events a second, last 10 minutes'] path").get_attribute("d").startswith("M")
    check_page(b, "runs")
    b.click("button", "Log out")
    b.click("#confirm")
    b.wait("#user")


NAMES = ("VmPoweredOnEvent", "VmPoweredOffEvent", "esx.problem.net.connectivity.lost", "UserLoginSessionEvent")


def publish_some(stream):
    """40 events: of 4 names, 5 VMs, 2 users, 2 severities."""
    for n in range(40):
        name = NAMES[n % 4]
        data = {"Vm": {"Name": f"web-{n % 5}", "Vm": {"Type": "VirtualMachine", "Value": f"vm-{n % 5}"}}, "UserName": f"LAB\\user{n % 2}", "FullFormattedMessage": f"message {n}"}
        stream.publish(1, name, data, severity="error" if name.startswith("esx") else "info")


def all_rows(b, css, texts):
    wait_until(lambda: (found := b.texts(f".row {css}")) and set(found) == set(texts), 30, lambda: f"{css} is {texts}, not {b.texts('.row ' + css)}")


def test_find_events(lab, browser, stream):
    """Each filter by typing, another time, an event's JSON and link, copied, and its id."""
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    publish_some(stream)
    b = browser()
    b.login(console, "vera")
    b.wait(".row")
    assert b.texts(".heads [role=columnheader]")[:6] == ["Time", "Source", "Severity", "Event", "Entity", "User"]
    for key, text, css, shown in (("name", "poweredoff", ".c-name", {"VmPoweredOffEvent"}), ("entity", "web-3", ".c-entity", {"web-3"}), ("user", "user1", ".c-user", {"LAB\\user1"}),
                                  ("text", "message 17", ".c-text", {"message 17"})):
        b.write(f"[data-filter={key}]", text)
        all_rows(b, css, shown)
        b.set(f"[data-filter={key}]", "")
        all_rows(b, ".c-name", NAMES)
    for key, value, css in (("severity", "error", ".sev"), ("source", "lab", ".c-source")):
        b.set(f"[data-filter={key}]", value)
        all_rows(b, css, {value})
        b.set(f"[data-filter={key}]", "")

    # another time; then back
    b.click("summary", "Another time")
    b.click("#past")
    b.wait(".notice.bad", text="From which time on?")
    b.set("#from", "2001-01-01T00:00:00")
    b.set("#until", "2001-01-02T00:00:00")
    b.click("#past")
    b.wait("#live", text="history")
    b.wait(".empty", text="No event of that time matches")
    b.set("#until", "")
    b.click("#past")
    all_rows(b, ".c-name", NAMES)
    b.click("button", "Back to live")
    b.wait("#live", text="live")

    # one event, by the id that log lines have; its JSON and its link
    one = json.loads(next(m for m in stream.js.read("VC_lab", 6)).data)
    show(b, console, f"event/{one['id']}", "h1", text=one["subject"])
    wait_until(lambda: b.driver.current_url.endswith("#/event/VC_lab/6"), 10)
    b.click("button", "Copy JSON")
    b.wait("button", text="Copied")
    assert json.loads(b.copied()) == one
    b.wait("button", text="Copy JSON")
    b.click("button", "Copy link")
    b.wait("button", text="Copied")
    assert b.copied() == b.driver.current_url
    b.wait(".tree button.fold[aria-label=data]")
    assert not b.all("[data-path='data.Vm.Name']"), "folded"
    show(b, console, "event/7-1", ".notice.bad", text="No stored event has the id 7-1")
    assert b.errors() == []


def test_each_output_of_an_event(lab, browser, stream):
    """In both dialects of types; tried at once."""
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    publish_some(stream)
    b = browser()
    b.login(console, "vera")
    show(b, console, "event/VC_lab/1", "#generated")
    b.click("[data-path='data.UserName']")
    for output, text, match in (("trigger", "type: \"com.vmware.vsphere.VmPoweredOnEvent.v0\"", 10), ("openfaas", "topic: \"VmPoweredOnEvent\"", 10), ("eventbridge", "\"UserName\"", 10),
                                ("subject", "vc.*.*.*.*.*.VmPoweredOnEvent", 10), ("filter", "pattern: {\"data\":{\"UserName\"", 10)):
        b.set("#style", "router" if output != "trigger" else "vsphere")
        b.set("#output", output)
        b.wait("#generated", text=text)
        b.click("#try")
        b.wait("#tried strong", text=f"{match} of the last 40 events match")
        b.script("document.querySelector('#tried').replaceChildren()")
    b.set("#style", "router")
    b.set("#output", "trigger")
    b.wait("#generated", text="type: \"com.vmware.event.router/event\"")
    b.wait("#generated ~ p.dim", text="A Trigger sees attributes only")


def test_faults_have_runbooks_without_docs_elsewhere(lab, browser, stream):
    """Without docsUrl the runbook is a view of the console."""
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    b = browser()
    b.login(console, "vera")
    b.wait("#faults", text="source lab")
    b.click("#faults a", "runbook")
    b.wait("h1", text="VcourierProcessDown")
    b.wait(".runbook p", text="the end of its log")
    b.shot("runbook")
    b.click(".runbook a", "VcourierDispatcherMissing")
    b.wait("h1", text="VcourierDispatcherMissing")
    b.wait(".runbook code", text="bus.stream.maxAge")
    b.click("button", "Back")
    b.wait("h1", text="VcourierProcessDown")
    show(b, console, "runbook/nothing", ".runbook", text="There is no such runbook")
    assert b.errors() == [] and max(b.is_too_wide()) <= 0


def test_a_list_that_is_loaded_again_keeps_the_place_of_the_keyboard(lab, browser, stream):
    """Live events go on before the reply with the stored ones comes, which takes long here: as soon as the page says so, keys must work, and go on to."""
    from selenium.webdriver.common.keys import Keys
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    publish_some(stream)
    b = browser()
    b.login(console, "vera")
    b.wait(".row")
    b.script("""const fetch = window.fetch, wait = new Promise((go) => { window.go = go; });
        window.fetch = (url, ...more) => String(url).includes("events") ? wait.then(() => fetch(url, ...more)).finally(() => { window.loaded = true; }) : fetch(url, ...more);""")
    b.click("#pause")
    b.wait("#live", text="paused")
    b.click("#pause")
    b.wait("#live", text="live")
    b.script("document.querySelector('.rows').focus()")
    b.keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    before = b.script("return document.activeElement.innerText")
    assert "message 37" in before
    stream.publish(1, NAMES[0], {"FullFormattedMessage": "a new one"})
    b.script("window.go()")
    wait_until(lambda: b.script("return window.loaded") and "a new one" in "".join(b.texts(".row[data-at='0']")), 30, "the list is loaded again, with the new event")
    assert b.script("return document.activeElement.innerText") == before
    b.keys(Keys.ARROW_DOWN)
    assert "message 36" in b.script("return document.activeElement.innerText")
    b.keys(Keys.ENTER)
    b.wait("#generated")
    assert json.loads(next(m for m in stream.js.read("VC_lab", 37)).data)["data"]["FullFormattedMessage"] == "message 36"
    wait_until(lambda: b.driver.current_url.endswith("#/event/VC_lab/37"), 10)


def test_by_keyboard_alone(lab, browser, stream):
    """Log in, go to a view, and log out. What has the focus is seen, and keeps it while the page draws its state again."""
    from selenium.webdriver.common.keys import Keys
    from lab.console import PASSWORDS
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    b = browser()

    def tab_to(text):
        for _ in range(40):
            b.keys(Keys.TAB)
            if b.script("return document.activeElement.innerText").strip().startswith(text):
                return
        raise AssertionError(f"no focus on {text}")
    b.open(console.url)
    b.wait("#user")
    b.keys("vera", Keys.TAB, PASSWORDS["vera"], Keys.ENTER)
    b.wait("#faults a", text="runbook")
    tab_to("Catalogue")
    assert b.script("const s = getComputedStyle(document.activeElement); return s.outlineStyle + ' ' + s.outlineWidth") == "solid 2px"
    b.keys(Keys.ENTER)
    b.wait("h1", text="Catalogue")
    tab_to("runbook")
    b.script("window.drawn = 0; new MutationObserver(() => { window.drawn++; }).observe(document.querySelector('#faults').parentNode, {childList: true})")
    wait_until(lambda: b.script("return window.drawn >= 2"), 60, "the faults are drawn again")
    assert b.script("return document.activeElement.innerText") == "runbook"
    tab_to("Log out")
    b.keys(Keys.ENTER)
    b.wait("dialog")
    b.keys(Keys.ESCAPE)
    wait_until(lambda: not b.all("dialog"), 20)
    assert b.script("return document.activeElement.innerText") == "Log out"
    b.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]})
    assert b.script("return matchMedia('(prefers-reduced-motion: reduce)').matches && getComputedStyle(document.querySelector('main')).scrollBehavior") == "auto"


def publish_dead(stream, count):
    stream.js.create("VCDEAD", {"name": "VCDEAD", "subjects": ["vcdead.>"], "retention": "limits", "storage": "file", "num_replicas": 1, "discard": "new"})
    wire = stream.server.connect()
    for n in range(count):
        wire.publish("vcdead.kn.lab.dc.cluster.info.event.VmPoweredOnEvent", event(n), headers={
            "Vcourier-Dispatcher": "kn", "Vcourier-Reason": "rejected", "Vcourier-Status": "400", "Vcourier-Error": "HTTP 400", "Vcourier-Attempts": "1"})
    wait_until(lambda: stream.js.count("VCDEAD") == count, 30, "the dead letters")


def test_what_is_selected_is_on_the_page(lab, browser, stream):
    """A dead letter that somebody else removed is not selected any more when the list is loaded again."""
    publish_dead(stream, 3)
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    b = browser()
    b.login(console, "olga")
    show(b, console, "dead", "#letters tbody tr")
    for seq in (1, 2):
        b.click(f"[aria-label='Select {seq}']")
    b.wait("[data-do=drop]", text="2 selected")
    stream.js.api("STREAM.MSG.DELETE.VCDEAD", json.dumps({"seq": 1}).encode())
    b.click("button", "Refresh")
    b.wait("[data-do=drop]", text="1 selected")
    b.click("[data-do=drop]", "1 selected")
    b.click("#confirm", "Drop 1")
    b.wait("#job .notice.ok", text="1 of 1 dropped")
    assert [m.seq for m in stream.js.read("VCDEAD")] == [3]


def test_many_dead_letters_with_progress_and_a_session_that_ends(lab, browser, stream):
    """How far the job is, also for who had to log in again; the newest 300 are shown, and all are dropped."""
    publish_dead(stream, 3000)
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    b = browser()
    b.login(console, "olga")
    show(b, console, "dead", "#letters tbody tr")
    assert len(b.all("#letters tbody tr")) == 300
    b.wait(".dim", text="the newest 300 of 3,000")
    b.click("[data-do=drop]", "Drop all")
    b.wait("dialog p", text="3,000 dead letters will be removed for good")
    b.keys("\ue00c")  # Escape: nothing happens
    wait_until(lambda: not b.all("dialog"), 20)
    assert stream.js.count("VCDEAD") == 3000
    b.click("[data-do=drop]", "Drop all")
    b.click("#confirm", "Drop 3,000")
    b.wait("#job progress")
    b.driver.delete_all_cookies()  # the session is over
    b.wait(".notice.bad", text="The session is over")
    b.login(console, "olga")
    show(b, console, "dead", "#job .notice", text="drop by olga")
    b.wait("#job .notice.ok", text="3,000 of 3,000 dropped", timeout=60)
    b.wait(".notice.ok", text="There are no dead letters")
    assert stream.js.count("VCDEAD") == 0


HOSTILE = '<script>document.title="owned"</script><img src=x onerror=alert(1)>"\'&'
BIDI = "invoice\u202egnp.exe\u0000\u0007\u2066"


def test_hostile_events_are_text(lab, browser, stream):
    """Markup, bidirectional controls, control characters, a long string: all of it is shown, nothing of it runs."""
    wire = stream.server.connect()
    for i, name in enumerate((HOSTILE, BIDI, "x" * 900_000)):
        body = json.loads(event(i + 1, "VmPoweredOnEvent"))
        body["data"] = {"Vm": {"Name": name, "Vm": {"Type": "VirtualMachine", "Value": "vm-1"}}, "UserName": name[:100], "FullFormattedMessage": name[:1000], "__proto__": {"x": 1}, "constructor": 1}
        wire.publish(subject("VmPoweredOnEvent"), json.dumps(body).encode(), headers={"Content-Type": "application/cloudevents+json"})
    wait_until(lambda: stream.js.count("VC_lab") == 3, 30)
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    b = browser()
    b.login(console, "vera")
    b.wait(".row .c-entity", text="<script>")
    b.wait(".row .c-entity", text="invoice\ufffdgnp.exe")
    assert not any(c in b.text() for c in "\u202e\u2066\u0007\u0000")
    b.shot("hostile")
    for seq in (1, 2, 3):
        show(b, console, f"event/VC_lab/{seq}", "#generated")
        b.click("button.fold[aria-label=Vm]")
        b.click("[data-path='data.Vm.Name']")
        b.script("const e = document.querySelector('#output'); e.value = 'filter'; e.dispatchEvent(new Event('change'))")
        b.wait("#generated", text="pattern:")
        b.click("#try")
        b.wait("#tried p")  # a count; the longest name is too long for a request, and the page says so
    errors = b.errors()
    assert b.driver.title.startswith("Event") and all("api/try" in e for e in errors), errors
    assert b.script("return document.querySelectorAll('main script, main img').length") == 0


def test_nats_and_the_console_go_away_and_come_back(lab, browser, stream):
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    stream.publish(3)
    b = browser()
    b.login(console, "vera")
    b.wait(".row")
    stream.js.close()
    stream.server.kill()
    b.wait("header .badge.bad", text="NATS away")
    b.wait("#faults", text="NATS")
    b.wait("#live", text="no events")
    b.shot("nats-away")
    stream.server.start()
    b.wait("header .badge.ok", text="NATS connected", timeout=60)
    stream.js = lab.jetstream(stream.server)
    b.wait("#live.ok", timeout=60)
    stream.publish(1)
    wait_until(lambda: len(b.all(".row")) == 4, 60, "the new event")
    # the session of a console that was killed is gone; the page says so
    console.kill()
    b.wait("#faults", text="does not answer")
    console.start().wait_ready()
    b.wait("#user", timeout=60)
    b.wait(".notice.bad", text="The session is over")


def test_a_thousand_events_a_second_do_not_freeze_the_page(lab, browser, stream):
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    stream.publish(1)
    b = browser()
    b.login(console, "vera")
    b.wait(".row")
    b.wait("#live.ok")
    b.script("window.longest = 0; let last = performance.now(); const f = () => { const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(f); }; f();")
    end = time.monotonic() + 4
    while time.monotonic() < end:
        stream.publish(1000)
    b.wait("#live", text="left out")
    assert b.script("return document.querySelectorAll('.row').length") < 100
    b.write("[data-filter=entity]", "nothing")  # it still answers
    b.wait(".empty", text="No event matches")
    print(f"longest frame {b.script('return window.longest'):.0f} ms")


SEEN = """const table = document.querySelector("[aria-rowcount]"); window.seen = {};
new MutationObserver(() => requestAnimationFrame(() => { for (let n = Number(table.getAttribute("aria-rowcount")); n > 0 && !(n in window.seen); n--) window.seen[n] = Date.now(); }))
  .observe(table, { attributes: true, attributeFilter: ["aria-rowcount"] });"""


def test_first_paint_and_the_time_to_the_screen(lab, browser, stream):
    """From the PubAck to the frame that shows the event. The figures are printed, and written to build/console/measured.json; a busy machine has others."""
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    stream.publish(1)
    b = browser()
    b.login(console, "vera")
    b.open(f"{console.url}/#/")
    b.driver.refresh()
    b.wait(".row")
    b.wait("#live.ok")
    paint = wait_until(lambda: b.script("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"), 30, "the browser tells of its first paint")
    b.script(SEEN)
    wire, acked = stream.server.connect(), []
    for n in range(2, 102):
        reply = wire.request(subject("VmPoweredOnEvent"), event(n), {"Content-Type": "application/cloudevents+json", "Nats-Msg-Id": f"uuid/{n}/1700000000000"})
        acked.append(time.time() * 1000)
        assert reply.json()["seq"] == n
    wait_until(lambda: b.script("return 101 in window.seen"), 30, "the last event is on the screen")
    seen = b.script("return window.seen")
    took = sorted(seen[str(n)] - at for n, at in enumerate(acked, 2))
    measured = {"first paint, ms": round(paint), "PubAck to screen p50, ms": round(took[49]), "PubAck to screen p95, ms": round(took[94])}
    (SCREENSHOTS / "measured.json").parent.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / "measured.json").write_text(json.dumps(measured, indent=1))
    print(measured)


VIEWS = {"events": ".row", "event/VC_lab/1": "#generated", "runs": ".runs .badge.bad", "dead": "#letters tbody tr", "catalogue": "#kinds tbody tr", "replay": "#dispatcher option",
         "runbook/vcourierbackendpaused": ".runbook p"}
AXE = """const done = arguments[0];
axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations), (e) => done([{id: String(e), impact: 'critical', nodes: []}]));"""


def test_axe_finds_nothing(lab, browser, stream):
    """https://github.com/dequelabs/axe-core over every view, in both colour schemes and at both widths. The report: build/console/axe.json."""
    axe = ROOT / "build/interop/node_modules/axe-core/axe.min.js"
    if not axe.exists():
        pytest.skip("axe-core is not there: `make interop` fetches it")
    console, found = whole(lab), {}
    b = browser()
    b.driver.set_script_timeout(60)

    def look(name):
        for theme in ("light", "dark"):
            b.script("document.documentElement.dataset.theme = arguments[0]", theme)
            b.script(axe.read_text())
            result = b.driver.execute_async_script(AXE)
            found[f"{name}, {b.width}, {theme}"] = [{"id": v["id"], "impact": v["impact"], "nodes": [n["html"][:200] for n in v["nodes"]][:5]} for v in result]
    for width in WIDTHS:
        b.resize(width)
        b.driver.delete_all_cookies()
        b.open("about:blank")
        b.open(console.url)
        b.wait("#user")
        look("login")
        b.login(console, "olga")
        for view, css in VIEWS.items():
            show(b, console, view, css)
            look(view.split("/")[0])
        show(b, console, "dead", "#letters tbody tr")
        b.click("[data-do=drop]", "all")
        b.wait("dialog p")
        look("a confirmation")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / "axe.json").write_text(json.dumps(found, indent=1))
    assert len(found) == 2 * 2 * 9 and {view: v for view, v in found.items() if v} == {}


def test_a_viewer_cannot_change_anything(lab, browser, stream):
    console = lab._keep(Console(lab.directory, stream.server)).start().wait_ready()
    b = browser()
    b.login(console, "vera")
    show(b, console, "dead", "h1", text="Dead letters")
    assert not b.all("[data-do]")
    show(b, console, "replay", ".notice", text="Only an operator")
