# SPDX-License-Identifier: Apache-2.0
"""Stream to HTTP 202, against a bare libcurl multi loop that posts the same body to the same nginx.

Both share two cores with nginx; the dispatcher also shares them with nats-server. The dispatcher's time is from its first
event to the last ack, by the server's clock. Rounds of both alternate. The figures are medians; the ratio is the median of
the rounds' ratios; memory is the largest value.
"""
import os
import subprocess
import time
from statistics import median

from lab.stream import Stream, event
from lab.process import BUILD, Process, free_port, wait_until
from lab.receiver import Answer
from lab.vcenter import milliseconds

EVENTS = int(os.environ.get("BENCH_EVENTS", "40000"))
IN_FLIGHT = (1, 16, 64, 256)
ROUNDS = 3


def nginx(lab):
    port = free_port()
    directory = lab.directory / "nginx"
    directory.mkdir()
    (directory / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {directory}/pid; error_log stderr crit;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {directory}/body; client_body_buffer_size 64k;
  proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 202; }} }} }}
""")
    lab._keep(Process("nginx", ["/usr/sbin/nginx", "-c", directory / "nginx.conf", "-p", directory], directory)).start()

    def listens():
        return subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/"]).returncode == 0
    wait_until(listens, 20, "nginx listens")
    return f"http://127.0.0.1:{port}/"


def bare(url, body, in_flight, n):
    """Requests a second."""
    loop = subprocess.run([BUILD / "bench" / "post_loop", url, body, str(n), str(in_flight)], check=True, capture_output=True,
                          text=True)
    return n / float(loop.stdout)


def measure(lab, stream, url, in_flight, name):
    """Events a second, and resident memory at the end in MiB."""
    config = stream.config(url, name=name, concurrency=in_flight, knative={"encoding": "structured"})
    dispatcher = lab.dispatcher(config, name=name)
    state = {}

    def begun():
        try:
            state.update(stream.consumer(name))
        except Exception:
            return False
        return state["delivered"]["stream_seq"] > 0
    wait_until(begun, 60)
    start, first = time.time(), state["ack_floor"]["stream_seq"]
    stream.idle(name, timeout=300)
    seconds = milliseconds(stream.consumer(name)["ack_floor"]["last_active"]) / 1000 - start
    rss = dispatcher.rss() / 2**20
    dispatcher.stop()
    return (EVENTS - first) / seconds, rss


def run(lab):
    stream = Stream(lab, lab.nats())
    stream.make_stream()
    body = lab.directory / "body.json"
    data = {"FullFormattedMessage": "x" * 1000}
    body.write_bytes(event(1, data=data))
    stream.publish(EVENTS, data=data)
    url = nginx(lab)
    for in_flight in IN_FLIGHT:
        theirs, ours, rss = zip(*((bare(url, body, in_flight, EVENTS if in_flight > 1 else EVENTS // 4),
                                   *measure(lab, stream, url, in_flight, f"bench{in_flight}-{i}")) for i in range(ROUNDS)))
        yield f"bare loop, {in_flight} in flight", median(theirs), "requests/s"
        yield f"dispatcher, {in_flight} in flight", median(ours), "events/s"
        ratio = median(o / t for o, t in zip(ours, theirs))
        yield f"dispatcher, {in_flight} in flight", ratio, "the bare loop", 0.7 if in_flight == 256 else 0
        yield f"resident memory, {in_flight} in flight", max(rss), "MiB"
    yield from slow(lab, stream)


def slow(lab, stream):
    """A backend that takes 200 ms."""
    receiver = lab.receiver(lambda request: Answer(hang=0.2), keep=False)
    lab.dispatcher(stream.config(receiver.url, name="slow", concurrency=256), name="slow")
    wait_until(lambda: receiver.count > 0, 60)
    start, first = time.monotonic(), receiver.count
    wait_until(lambda: receiver.count >= first + 5000, 120)
    rate = (receiver.count - first) / (time.monotonic() - start)
    yield "a backend of 200 ms, 256 in flight", rate, "events/s"
    yield "a backend of 200 ms, 256 in flight", rate / 1000, "1,000 events/s", 1
