# SPDX-License-Identifier: Apache-2.0
"""The NATS wire protocol, for tests that need details which a client library hides: -ERR lines, raw replies."""
import base64
import json
import re
import socket
import ssl
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Message:
    sid: int
    subject: str
    reply: str
    headers: bytes
    data: bytes

    def json(self):
        return json.loads(self.data)


def signed(creds, nonce):
    """The options of CONNECT for a credentials file: its JWT, and the nonce signed with its key, by openssl."""
    jwt, seed = (re.sub(r"\s", "", block) for block in re.findall(r"-----BEGIN [^-]*-----\n(.*?)\n-+END", Path(creds).read_text(), re.S))
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))[2:34]  # two bytes of prefix before it, a checksum behind it
    with tempfile.TemporaryDirectory() as folder:
        pem, message = Path(folder) / "key", Path(folder) / "nonce"
        pkcs8 = base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + key).decode()
        pem.write_text(f"-----BEGIN PRIVATE KEY-----\n{pkcs8}\n-----END PRIVATE KEY-----\n")
        message.write_text(nonce)
        signature = subprocess.check_output(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", pem, "-in", message])
    return {"jwt": jwt, "sig": base64.urlsafe_b64encode(signature).decode().rstrip("=")}


class Wire:
    def __init__(self, port, user=None, password=None, timeout=10, host="127.0.0.1", creds=None, tls=None):
        """creds: a credentials file, in place of the password; user then names the inbox alone. tls: the file of an authority."""
        self.timeout = timeout
        self.sock = socket.create_connection((host, port), timeout)
        self.file = self.sock.makefile("rb")
        self.info = json.loads(self.file.readline()[5:])
        if tls:
            self.sock = ssl.create_default_context(cafile=tls).wrap_socket(self.sock, server_hostname=host)
            self.file = self.sock.makefile("rb")
        self.inbox = f"_INBOX_{user}" if user else "_INBOX_test"
        self.errors, self.messages, self.pongs, self.sid = [], [], 0, 0
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "protocol": 1,
                   "lang": "test", "version": "0"}
        if creds:
            options |= signed(creds, self.info["nonce"])
        elif user:
            options |= {"user": user, "pass": password}
        # one piece: a server that refuses the login closes, and bytes that it has not read would discard its reason (RST)
        self.flush(b"CONNECT " + json.dumps(options).encode() + b"\r\n")

    def close(self):
        self.file.close()
        self.sock.close()

    def _send(self, data):
        self.sock.sendall(data)

    def _read(self):
        """Processes one protocol line."""
        line = self.file.readline()
        if not line:
            raise ConnectionError(f"closed by the server: {self.errors}")
        if line.startswith(b"PING"):
            self._send(b"PONG\r\n")
        elif line.startswith(b"PONG"):
            self.pongs += 1
        elif line.startswith(b"-ERR"):
            self.errors.append(line.decode().strip())
        elif line.startswith((b"MSG", b"HMSG")):
            self._message(line.split())

    def _message(self, words):
        with_headers = words[0] == b"HMSG"
        body = self.file.read(int(words[-1]) + 2)[:-2]
        cut = int(words[-2]) if with_headers else 0
        reply = words[3].decode() if len(words) == (6 if with_headers else 5) else ""
        self.messages.append(Message(int(words[2]), words[1].decode(errors="replace"), reply, body[:cut], body[cut:]))

    def flush(self, before=b""):
        """A round trip: afterwards the server has processed everything that was sent before."""
        seen = self.pongs
        self._send(before + b"PING\r\n")
        while self.pongs == seen:
            self._read()

    def take_errors(self):
        """Returns the errors since the last call, after a round trip."""
        self.flush()
        errors, self.errors = self.errors, []
        return errors

    def subscribe(self, subject):
        self.sid += 1
        self._send(f"SUB {subject} {self.sid}\r\n".encode())
        return self.sid

    def unsubscribe(self, sid):
        self._send(f"UNSUB {sid}\r\n".encode())

    def publish(self, subject, data=b"", reply="", headers=None):
        if headers:
            block = b"NATS/1.0\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in headers.items()) + b"\r\n"
            self._send(f"HPUB {subject} {reply} {len(block)} {len(block) + len(data)}\r\n".encode() + block + data + b"\r\n")
        else:
            self._send(f"PUB {subject} {reply} {len(data)}\r\n".encode() + data + b"\r\n")

    def publish_block(self, subject, block, data=b"", reply=""):
        """block: the header block, sent unchanged even if it is invalid; subject: text or bytes."""
        subject = subject if isinstance(subject, bytes) else subject.encode()
        self._send(b"HPUB %s %s %d %d\r\n" % (subject, reply.encode(), len(block), len(block) + len(data)) + block + data + b"\r\n")

    def publish_status(self, subject, status):
        """A message without a body, like the server's "404 Message Not Found"."""
        block = f"NATS/1.0 {status}\r\n\r\n".encode()
        self._send(f"HPUB {subject} {len(block)} {len(block)}\r\n".encode() + block + b"\r\n")

    def next(self, sid):
        """The next message of a subscription. Raises TimeoutError if none arrives, PermissionError if the server refuses."""
        while True:
            for message in self.messages:
                if message.sid == sid:
                    self.messages.remove(message)
                    return message
            if self.errors:
                raise PermissionError(self.errors.pop(0))
            self._read()

    def request(self, subject, data=b"", headers=None):
        """Returns one reply. data: bytes, or a value that is sent as JSON."""
        sid = self.subscribe(f"{self.inbox}.{self.sid + 1}")
        self.publish(subject, data if isinstance(data, bytes) else json.dumps(data).encode(),
                     f"{self.inbox}.{self.sid}", headers)
        message = self.next(sid)
        self.unsubscribe(sid)
        return message
