# SPDX-License-Identifier: Apache-2.0
"""Like go/receive, with the Python SDK."""
import base64
import json
import sys

from cloudevents.conversion import to_dict
from cloudevents.http import from_http

for line in sys.stdin:
    try:
        request = json.loads(line)
        event = to_dict(from_http(request["headers"], base64.b64decode(request["body"])))
        print(json.dumps(event, default=str))
    except Exception as e:
        print(json.dumps({"error": repr(e)}))
