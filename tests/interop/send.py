# SPDX-License-Identifier: Apache-2.0
"""Like send.js, with the Python SDK."""
import base64
import json
import sys
import urllib.error
import urllib.request

from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent

MODES = {"structured": to_structured, "binary": to_binary}


def send(url, mode, event):
    data = base64.b64decode(event.pop("data_base64")) if "data_base64" in event else event.pop("data", None)
    marshaller = None if event.get("datacontenttype") == "application/json" else lambda text: text  # the default writes JSON for every type
    headers, body = MODES[mode](CloudEvent(event, data), data_marshaller=marshaller)
    body = body.encode() if isinstance(body, str) else body
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body or b"", headers, method="POST"), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        return answer.code


for line in sys.stdin:
    try:
        print(json.dumps(send(sys.argv[1], **json.loads(line))))
    except Exception as e:
        print(json.dumps({"error": repr(e)}))
