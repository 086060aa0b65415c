"""OSCQuery for tests: a daemon's port, and HTTP requests to it."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any

from daemons import until
from eutectic.client.daemon_process import Daemon


def query_port(running: Daemon) -> int:
    """Read from its log, whose thread may be later than the line on stdout."""
    pattern = r"OSCQuery on http://[^:]*:(\d+)/"
    until(lambda: re.search(pattern, running.log) is not None)
    return int(re.findall(pattern, running.log)[-1])


def get(port: int, target: str, method: str = "GET") -> tuple[int, Any]:
    """The status and the JSON of an answer; None if it has no body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, target)
    response = connection.getresponse()
    body = response.read()
    if body:
        assert response.headers["Content-Type"].startswith("application/json")
    connection.close()
    return response.status, json.loads(body) if body else None
