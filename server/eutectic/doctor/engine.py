"""The engine: whether it is installed, and what it finds of itself."""

from __future__ import annotations

import subprocess

import msgspec

from eutectic import environment
from eutectic.doctor.findings import Finding, shown

SECONDS = 300.0


def engine(compute: str | None, paths: bool) -> list[Finding]:
    """Where it is, and what `engine_check` finds there."""
    try:
        command = environment.command("eutectic.doctor.engine_check")
    except environment.NoEngine as error:
        text, _, advice = str(error).partition("; ")
        return [Finding("engine", "bad", text, advice)]
    where = "in this environment"
    if not environment.is_own():
        made = environment.made(environment.folder()).get("for", "anything")
        where = f"installed for {made}, in {shown(environment.folder(), paths)}"
    command += [compute] if compute else []
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return [Finding("engine", "bad", f"doesn't answer within {SECONDS:g} s")]
    try:
        found = msgspec.json.decode(done.stdout, type=list[Finding])
    except msgspec.DecodeError:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit status {done.returncode}"
        advice = "install it again: eutectic setup, or in a checkout make setup"
        return [Finding("engine", "bad", f"doesn't run: {why}", advice)]
    return [Finding("engine", "ok", where), *found]
