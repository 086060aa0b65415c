"""Who may use the page: this machine's own browsers, and others that have given the PIN once.

A browser sends any site's scripts here if their author wishes, so being on this machine isn't
enough: the `Host` must be a name that only this machine has (another name may have been pointed at
it, DNS rebinding), and what changes anything must come from the page itself (`Origin`).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from eutectic.osc.announce import host_names
from eutectic.osc.server import is_loopback
from eutectic.page.settings import PageSettings

WRONG_PINS, WRONG_PINS_IN_ALL, WRONG_SECONDS = 5, 20, 600.0
"""Wrong PINs within that time from one address, and from all, after which none is looked at."""

COOKIE_SECONDS = 7 * 86_400


class TooManyPins(Exception):
    """There were too many wrong PINs; `seconds` until the next is looked at."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"too many wrong PINs; wait {seconds:.0f} s")
        self.seconds = seconds


class Access:
    """Checks hosts, origins, PINs and tokens; owned by the event loop.

    A token is a number and its signature. It is good for as long as the daemon runs, whichever
    process of the page is asked.
    """

    def __init__(self, settings: PageSettings, now: Callable[[], float] = time.monotonic) -> None:
        self._secret, self._pin = settings.secret.encode(), settings.pin
        self._names = {"localhost", settings.host.lower(), *host_names(settings.osc_port)}
        self._wrong: deque[tuple[float, str]] = deque()
        self._now = now

    def knows_host(self, host: str) -> bool:
        """Whether a `Host` header names this machine: by an address, or a name of its own."""
        name = _name(host)
        return name in self._names or _is_address(name)

    def is_own(self, origin: str | None, host: str, site: str | None) -> bool:
        """Whether a request comes from the page itself, or from no browser.

        `site` is the header Sec-Fetch-Site, which no script can change.
        """
        if site not in (None, "same-origin", "none"):
            return False
        return origin is None or origin.lower() == f"http://{host.lower()}"

    def is_local(self, connection: HTTPConnection) -> bool:
        """Whether a browser runs on this machine."""
        return connection.client is not None and is_loopback(connection.client.host)

    def may(self, connection: HTTPConnection, cookie: str) -> bool:
        """Whether a browser may do more than look at the empty page."""
        return self.is_local(connection) or self._is_valid(connection.cookies.get(cookie, ""))

    def token(self, pin: str, address: str) -> str:
        """A token in exchange for the PIN; empty if it is wrong.

        Raises:
            TooManyPins: it isn't looked at.
        """
        now = self._now()
        while self._wrong and self._wrong[0][0] <= now - WRONG_SECONDS:
            self._wrong.popleft()
        of_this = [when for when, who in self._wrong if who == address]
        for limit, times in (
            (WRONG_PINS, of_this), (WRONG_PINS_IN_ALL, [when for when, _ in self._wrong])
        ):  # fmt: skip
            if len(times) >= limit:
                raise TooManyPins(times[-limit] + WRONG_SECONDS - now)
        if not self._pin or not hmac.compare_digest(pin.strip().encode(), self._pin.encode()):
            self._wrong.append((now, address))
            return ""
        number = secrets.token_hex(16)
        return f"{number}.{self._signature(number)}"

    def _is_valid(self, token: str) -> bool:
        number, _, signature = token.partition(".")
        return hmac.compare_digest(signature.encode(), self._signature(number).encode())

    def _signature(self, number: str) -> str:
        return hmac.new(self._secret, number.encode(), hashlib.sha256).hexdigest()


def is_visit(headers: Mapping[str, str]) -> bool:
    """Whether somebody has opened a link, as far as the browser says; no other site has.

    Over plain HTTP browsers send other machines no Sec-Fetch-…, but what pictures and scripts
    accept is no page.
    """
    return (
        headers.get("sec-fetch-site") in (None, "same-origin", "none")
        and headers.get("sec-fetch-dest") in (None, "document")
        and "text/html" in headers.get("accept", "text/html")
    )


def phone_urls(host: str, port: int) -> list[str]:
    """Where browsers on other machines find the page; nothing if they can't."""
    import psutil

    if host != "0.0.0.0":
        return [] if is_loopback(host) or host == "localhost" else [f"http://{host}:{port}/"]
    own = {
        each.address for some in psutil.net_if_addrs().values() for each in some
        if each.family == socket.AF_INET and not is_loopback(each.address)
    }  # fmt: skip
    return [f"http://{each}:{port}/" for each in sorted(own)]


def _name(host: str) -> str:
    """The name in a `Host` header; empty if it can't be read."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
