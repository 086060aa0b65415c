"""Who may use the page: names, origins, PINs and tokens, and what other machines may not send."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from daemons import daemon, make_clips, until
from eutectic.client.daemon_process import Daemon
from eutectic.osc.spec import PREFIX
from eutectic.page.access import (
    WRONG_PINS,
    WRONG_PINS_IN_ALL,
    WRONG_SECONDS,
    Access,
    TooManyPins,
)
from eutectic.page.app import NEEDS_PIN, STATIC
from pages import PIN, ask, cookie_for, own_address, page_alone, page_port, settings, tab

pytestmark = pytest.mark.process

LARGEST_PAGE_BYTES = 60_000
"""Of all files together, as they are sent."""


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def port(tmp_path: Path) -> Generator[int]:
    """A page's process, reached from everywhere; no daemon."""
    with page_alone(settings(tmp_path)) as port:
        yield port


@pytest.fixture
def elsewhere() -> str:
    return own_address()


# Without a process


def test_a_wrong_pin_is_looked_at_five_times_from_an_address(tmp_path: Path) -> None:
    clock = Clock()
    access = Access(settings(tmp_path), clock)
    for _ in range(WRONG_PINS):
        assert access.token("111111", "10.0.0.1") == ""
        clock.seconds += 1
    with pytest.raises(TooManyPins) as refused:
        access.token(PIN, "10.0.0.1")
    assert refused.value.seconds == WRONG_SECONDS - WRONG_PINS
    assert access.token(PIN, "10.0.0.2")
    clock.seconds = WRONG_SECONDS
    assert access.token(PIN, "10.0.0.1")


def test_many_addresses_have_no_more_attempts_in_all(tmp_path: Path) -> None:
    clock = Clock()
    access = Access(settings(tmp_path), clock)
    for host in range(WRONG_PINS_IN_ALL):
        assert access.token("111111", f"10.0.0.{host}") == ""
    with pytest.raises(TooManyPins):
        access.token(PIN, "10.0.0.99")
    clock.seconds = WRONG_SECONDS
    assert access.token(PIN, "10.0.0.1")


def test_no_pin_is_right_where_there_is_none(tmp_path: Path) -> None:
    access = Access(settings(tmp_path, pin=""))
    assert access.token("", "10.0.0.1") == ""


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        ("127.0.0.1:9722", True), ("localhost:9722", True), ("LOCALHOST", True), ("[::1]:1", True),
        ("192.168.1.20:9722", True), ("evil.example:9722", False), ("evil.local", False),
        ("127.0.0.1.evil.example", False), ("localhost.evil.example", False), ("", False),
        ("[", False), ("127.0.0.1@evil.example", False), ("2130706433.nip.io", False),
    ],
)  # fmt: skip
def test_a_host_is_known_by_addresses_and_names_of_its_own(
    tmp_path: Path, host: str, is_known: bool
) -> None:
    assert Access(settings(tmp_path)).knows_host(host) is is_known


# Over the network


def test_the_page_s_files_are_small_and_name_no_other_host(port: int) -> None:
    files = [path for path in STATIC.iterdir() if path.is_file()]
    sent = [ask(port, "GET", f"/{path.name}", Accept_Encoding="gzip")[1] for path in files]
    assert sum(map(len, sent)) < LARGEST_PAGE_BYTES
    for path in files:
        response, body = ask(port, "GET", f"/{path.name}")
        assert response.status == 200
        lines, own = body.decode().split("\n"), path.read_text().split("\n")
        assert len(lines) == len(own)
        left_out = [each.strip() for line, each in zip(lines, own, strict=True) if line != each]
        assert all(each.startswith(("//", "/*", "*")) for each in left_out), path.name
        policy = response.getheader("content-security-policy") or ""
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert response.getheader("x-content-type-options") == "nosniff"
        plain = body.decode().replace("http://www.w3.org/", "")
        assert "http://" not in plain and "https://" not in plain, path.name
    assert ask(port, "GET", "/")[1] == (STATIC / "index.html").read_bytes()
    assert ask(port, "GET", "/../settings.py")[0].status == 404
    assert ask(port, "GET", "/%2e%2e/settings.py")[0].status == 404


@pytest.mark.parametrize("target", ["/", "/index.html", "/phone.svg", "/?pin=" + PIN])
def test_a_name_that_was_pointed_here_is_refused(port: int, target: str) -> None:
    """DNS rebinding: the browser believes that it still talks to evil.example."""
    response, body = ask(port, "GET", target, Host=f"evil.example:{port}")
    assert response.status == 403 and body.count(b"\n") == 1
    assert response.getheader("set-cookie") is None


def refused_tab(port: int, host: str = "127.0.0.1", **headers: str) -> int:
    with pytest.raises(InvalidStatus) as refused, tab(port, host, **headers):
        pass
    return refused.value.response.status_code


def test_another_site_opens_no_websocket_and_sends_no_file(port: int, tmp_path: Path) -> None:
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        f"https://127.0.0.1:{port}",
    ):
        assert refused_tab(port, Origin=origin) == 403
        response, _ = ask(port, "POST", "/upload?name=a.wav", b"x", Origin=origin)
        assert response.status == 403
        assert ask(port, "POST", "/pin", f"pin={PIN}", Origin=origin)[0].status == 403
    assert refused_tab(port, Sec_Fetch_Site="cross-site") == 403
    assert refused_tab(port, Sec_Fetch_Site="same-site") == 403
    assert not list((tmp_path / "uploads").glob("*"))
    with tab(port, Origin=f"http://127.0.0.1:{port}", Sec_Fetch_Site="same-origin") as own:
        assert own.of("/page/info")[1] == 1


def test_from_elsewhere_nothing_goes_without_the_pin(
    port: int, tmp_path: Path, elsewhere: str
) -> None:
    assert ask(port, "GET", "/", host=elsewhere)[0].status == 200
    for headers in ({}, {"Cookie": f"eutectic-{port}=1.2"}, {"Cookie": f"eutectic-{port}=."}):
        with tab(port, elsewhere, **headers) as one:
            assert one.closed() == NEEDS_PIN
    assert ask(port, "POST", "/upload?name=a.wav", b"x", elsewhere)[0].status == 401
    assert ask(port, "GET", "/phone.svg", host=elsewhere)[0].status == 403
    assert not list((tmp_path / "uploads").glob("*"))


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [("POST", "/pin", f"pin={PIN}"), ("POST", "/pin", f'{{"pin": "{PIN}"}}'),
     ("GET", f"/?pin={PIN}", None)],
)  # fmt: skip
def test_the_pin_gives_a_token_for_this_browser(
    port: int, elsewhere: str, method: str, target: str, body: str | None
) -> None:
    response, _ = ask(port, method, target, body, elsewhere)
    assert (response.status, response.getheader("location")) == (303, "/")
    cookie = response.getheader("set-cookie") or ""
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    with tab(port, elsewhere, Cookie=cookie.partition(";")[0]) as one:
        assert one.of("/page/info") == ["/page/info", 0, [], ""]


def test_the_laptop_s_page_shows_what_a_phone_needs(port: int, elsewhere: str) -> None:
    with tab(port) as one:
        _, is_local, urls, pin = one.of("/page/info")
    assert (is_local, pin) == (1, PIN) and f"http://{elsewhere}:{port}/" in urls
    response, code = ask(port, "GET", "/phone.svg")
    assert response.getheader("content-type") == "image/svg+xml" and code.startswith(b"<svg")


def test_after_five_wrong_pins_even_the_right_one_waits(port: int, elsewhere: str) -> None:
    for number in range(WRONG_PINS):
        target = "/pin" if number else "/?pin=999999"
        response, _ = ask(port, "POST" if number else "GET", target, "pin=111111", elsewhere)
        assert response.status == (403 if number else 303)
        assert response.getheader("set-cookie") is None
    response, body = ask(port, "POST", "/pin", f"pin={PIN}", elsewhere)
    assert response.status == 429 and int(response.getheader("retry-after") or 0) > 500
    assert body.count(b"\n") == 1
    assert ask(port, "POST", "/pin", "pin=" + "1" * 10_000, elsewhere)[0].status == 413
    with tab(port) as one:
        assert one.of("/page/info")[1] == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "image", "Sec_Fetch_Mode": "no-cors"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "document", "Accept": "text/html,*/*"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Dest": "iframe"},
        {"Accept": "image/avif,image/webp,*/*;q=0.8"},
        {"Accept": "*/*"},
    ],
)
def test_another_site_uses_up_nobody_s_attempts(
    port: int, elsewhere: str, headers: dict[str, str]
) -> None:
    for _ in range(WRONG_PINS + 1):
        response, _ = ask(port, "GET", "/?pin=999999", host=elsewhere, **headers)
        assert (response.status, response.getheader("location")) == (303, "/")
    response, _ = ask(port, "GET", f"/?pin={PIN}", host=elsewhere, **headers)
    assert response.getheader("set-cookie") is None
    visit = {"Sec_Fetch_Site": "none", "Sec_Fetch_Dest": "document", "Accept": "text/html,*/*"}
    response, _ = ask(port, "GET", f"/?pin={PIN}", host=elsewhere, **visit)
    assert response.getheader("set-cookie")


def test_a_page_for_this_machine_alone_has_no_pin(tmp_path: Path, elsewhere: str) -> None:
    with page_alone(settings(tmp_path, host="127.0.0.1", pin="")) as port:
        with tab(port) as one:
            assert one.of("/page/info") == ["/page/info", 1, [], ""]
        response, body = ask(port, "GET", "/phone.svg")
        assert response.status == 404 and b"--host" in body
        with pytest.raises(ConnectionRefusedError):
            ask(port, "GET", "/", host=elsewhere)


def test_a_port_that_is_taken_is_given_up_for_a_free_one(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as other:
        taken = other.getsockname()[1]
        with page_alone(settings(tmp_path, port=taken)) as port, tab(port) as one:
            assert port != taken and one.of("/page/info")


def test_a_token_outlives_the_page_s_process_and_no_other_daemon_takes_it(
    tmp_path: Path, elsewhere: str
) -> None:
    given = settings(tmp_path)
    with page_alone(given) as port:
        cookie = cookie_for(port, PIN, elsewhere)
    with page_alone(msgspec.structs.replace(given, port=port)) as again:
        assert again == port
        with tab(port, elsewhere, Cookie=cookie) as one:
            assert one.of("/page/info")
    with (
        page_alone(msgspec.structs.replace(given, port=port, secret="1e" * 32)),
        tab(port, elsewhere, Cookie=cookie) as one,
    ):
        assert one.closed() == NEEDS_PIN


# With a daemon


@pytest.fixture(scope="module")
def reached(tmp_path_factory: pytest.TempPathFactory) -> Generator[Daemon]:
    """A daemon that other machines reach, whose user's home has a sound that is nobody's affair."""
    folder = tmp_path_factory.mktemp("reached")
    home = folder / "home"
    home.mkdir()
    shutil.copy(make_clips(folder / "clips") / "a.wav", home / "secret.wav")
    with daemon(folder, "--host", "0.0.0.0", "--page", "0", home=str(home)) as process:
        yield process
        assert "Traceback" not in process.log


def test_a_browser_elsewhere_names_no_file_of_the_user_s_home(
    reached: Daemon, elsewhere: str
) -> None:
    port, folder = page_port(reached), reached.data.parent
    secret = str(folder / "home" / "secret.wav")
    with tab(port) as here:
        pin = here.of("/page/info")[3]
        with tab(port, elsewhere, Cookie=cookie_for(port, pin, elsewhere)) as one:
            for path in (secret, "~/secret.wav", f"HD:{secret}", "../home/secret.wav",
                         str(folder / "clips" / ".." / "home" / "secret.wav")):  # fmt: skip
                assert one.ask("/clip/load", 1, "stolen", path)[3] in ("bad_path", "no_file"), path
                assert one.ask("/reference/load", 2, "stolen", path)[3] in ("bad_path", "no_file")
            for number, (address, *values) in enumerate([
                ("/render", "a", "r", "/tmp/x.wav"), ("/render", "a", "r", "~/x.wav"),
                ("/record/start", "/tmp/x.wav"), ("/record/start", "../x.wav"),
                ("/record/start", "C:\\x.wav"), ("/session/pack", "/tmp/x.zip"),
                ("/device/set", "file:/tmp/x.wav"), ("/record/start", "./~/secret.wav"),
                ("/render", "a", "r", "x/../~/secret.wav"), ("/session/pack", "x/~/secret.zip"),
            ], 10):  # fmt: skip
                assert one.ask(address, number, *values)[3] == "bad_path", (address, values)
            assert one.ask("/clip/load", 3, "mine", "a.wav")[0] == f"{PREFIX}/done"
            absolute = str(folder / "clips" / "b.wav")
            assert one.ask("/clip/load", 4, "mine", absolute)[0] == f"{PREFIX}/done"
            named_so = reached.data / "renders" / "~"
            named_so.mkdir(parents=True)
            (folder / "home" / "quiet.wav").write_bytes(b"no sound")
            shutil.copy(folder / "clips" / "a.wav", named_so / "quiet.wav")
            assert one.ask("/clip/load", 5, "stolen", "~/quiet.wav")[3] == "bad_path"
            assert one.ask("/clip/load", 6, "odd", "./~/quiet.wav", "@start", 0)[0] == (
                f"{PREFIX}/done"
            )
            one.send("/notify", 1)
            assert one.of(f"{PREFIX}/clip", -1, "odd")[3] == "~/quiet.wav"
            assert one.picture(7, "clip", "odd").any()  # not of the home's, which can't be read
        assert here.ask("/clip/load", 7, "own", secret)[0] == f"{PREFIX}/done"


def test_a_browser_elsewhere_gives_controls_what_is_played_and_no_more(
    reached: Daemon, elsewhere: str
) -> None:
    port = page_port(reached)
    with tab(port) as here:
        pin = here.of("/page/info")[3]
    with tab(port, elsewhere, Cookie=cookie_for(port, pin, elsewhere)) as one:
        for number, target in enumerate([
            "/clip/load a ~/secret.wav", "clip/load a ~/secret.wav", "/device/set file:x.wav",
            "/eutectic/clip/load a ~/secret.wav", "/midi/learn /clip/load a ~/secret.wav",
            "/session/new x", "/reference/delete r",
        ]):  # fmt: skip
            assert one.ask("/midi/learn", number, target)[3] == "not_allowed", target
        for number, target in enumerate([
            "/fuse 1 a r", "/scrub 1 $", "/voice/set 1 gain $", "/master/gain $", "stop 1",
            "/panic",
        ], 20):  # fmt: skip
            assert one.ask("/midi/learn", number, target)[3] == "no_midi", target
        assert one.ask("/midi/learn", 30, "/nothing")[3] == "unknown_address"
        assert one.ask("/midi/learn", 31, " ")[3] == "unknown_address"


def test_a_token_outlives_a_page_that_is_killed(reached: Daemon, elsewhere: str) -> None:
    port, begin = page_port(reached), len(reached.log)
    with tab(port) as here:
        cookie = cookie_for(port, here.of("/page/info")[3], elsewhere)
    (process,) = reached.children("eutectic.page")
    process.kill()
    until(lambda: "page on http://" in reached.log[begin:])
    assert page_port(reached) == port
    with tab(port, elsewhere, Cookie=cookie) as one:
        assert one.ask("/ping", 1)[0] == f"{PREFIX}/done"
