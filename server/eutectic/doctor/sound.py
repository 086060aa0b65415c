"""Audio devices, JACK and MIDI."""

from __future__ import annotations

import shutil

from eutectic.doctor.findings import Finding


def devices() -> list[Finding]:
    """PortAudio with its devices, outputs and inputs, and JACK's server."""
    from eutectic.errors import BadDevice
    from eutectic.playback.streams import list_devices

    try:
        found = list_devices()
    except BadDevice as error:
        advice = "install PortAudio (apt: libportaudio2); until then serve --device null"
        return [Finding("PortAudio", "bad", str(error), advice)]
    outputs = [each for each in found if each.outputs]
    jack = [each for each in outputs if "JACK" in each.host_api]
    findings = [
        Finding("output", "ok", f"{each.name} ({each.host_api}), {each.outputs} channels, "
                f"{each.rate_hz} Hz{', the default' if each.default else ''}")
        for each in outputs
    ]  # fmt: skip
    if not outputs:
        advice = "connect an audio device; without one, serve --device null or file:PATH"
        findings.append(Finding("output", "note", "none", advice))
    inputs = [f"{each.name} ({each.host_api}), {each.rate_hz} Hz" for each in found if each.inputs]
    findings.append(Finding("input", "ok", "; ".join(inputs) or "none"))
    if jack:
        findings.append(Finding("JACK", "ok", "its server is running"))
    elif shutil.which("jackd"):
        advice = "start it, if Eutectic is to play through it"
        findings.append(Finding("JACK", "ok", "installed, not running", advice))
    return findings


def midi() -> Finding:
    """Controllers that are connected."""
    from eutectic.midi.ports import input_names

    names = input_names()
    return Finding("MIDI", "ok", ", ".join(names) or "no inputs")
