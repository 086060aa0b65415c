"""What starts the daemon at login: a unit of systemd, an agent of launchd, a task of Windows."""

from __future__ import annotations

import os
import plistlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LABEL = "eutectic"

RESTART_SECONDS = 1
WATCHDOG_SECONDS = 30

_UNIT = """\
[Unit]
Description=Eutectic: fuses sounds, played over OSC
After=pipewire.service pipewire-jack.service jack.service sound.target

[Service]
Type=notify
ExecStart={command}
Restart=on-failure
RestartSec={restart}
WatchdogSec={watchdog}

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True)
class Unit:
    """A file that starts the daemon, and the commands that make the system use it."""

    path: Path
    text: str
    install: Sequence[Sequence[str]]
    remove: Sequence[Sequence[str]]
    status: Sequence[str]


def command(options: Sequence[str]) -> list[str]:
    """The daemon's command line."""
    return [sys.executable, "-m", "eutectic", "serve", *options]


def systemd(options: Sequence[str]) -> Unit:
    """A user unit, which waits for the sound server and is restarted if it dies or hangs."""
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    words = " ".join(_quoted(word) for word in command(options))
    text = _UNIT.format(command=words, restart=RESTART_SECONDS, watchdog=WATCHDOG_SECONDS)
    control = ("systemctl", "--user")
    return Unit(
        folder / "systemd" / "user" / f"{LABEL}.service", text,
        ((*control, "daemon-reload"), (*control, "enable", "--now", LABEL)),
        ((*control, "disable", "--now", LABEL),), (*control, "is-active", LABEL),
    )  # fmt: skip


def launchd(options: Sequence[str]) -> Unit:
    """A user agent, restarted if it fails."""
    home = Path.home()
    path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    log = str(home / "Library" / "Logs" / f"{LABEL}.log")
    values = {
        "Label": LABEL, "ProgramArguments": command(options), "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False}, "ProcessType": "Interactive",
        "StandardOutPath": log, "StandardErrorPath": log,
    }  # fmt: skip
    user = f"gui/{os.getuid()}"
    return Unit(
        path, plistlib.dumps(values).decode(), (("launchctl", "bootstrap", user, str(path)),),
        (("launchctl", "bootout", f"{user}/{LABEL}"),), ("launchctl", "print", f"{user}/{LABEL}"),
    )  # fmt: skip


def windows(options: Sequence[str]) -> str:
    """The command that makes a task of it, to be typed by the user."""
    words = subprocess.list2cmdline(command(options)).replace('"', '\\"')
    return f'schtasks /Create /SC ONLOGON /TN {LABEL} /TR "{words}"'


def _quoted(word: str) -> str:
    """A word of a command line as systemd reads it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
