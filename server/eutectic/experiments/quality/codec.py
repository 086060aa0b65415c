"""The codec's round trip: against Opus on recordings, and on sounds that show one fault each."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from eutectic.audio import Waveform, gain_to_db
from eutectic.engine.codec import Codec
from eutectic.engine.distances import log_mel_distance
from eutectic.experiments.quality import opus, probes
from eutectic.experiments.quality.measures import (
    SILENT_DB,
    audible_distance,
    level_db,
    si_sdr_db,
    unrest,
)
from eutectic.experiments.quality.setup import Setup
from eutectic.experiments.report import Row, Table, median_row

OPUS_KILOBITS = (24, 32, 48)
DRONE_TOPS_HZ = (2600.0, 8000.0)
SIDEBAND_TARGET_DB = -60.0
PANNED_DB = 12.0

WAVEFORM_NOTE = (
    "Distances compare band levels, which noise of the right level matches, too; SI-SDR compares "
    "waveforms, where such noise is all error."
)

Measure = Callable[[Waveform, Waveform], float]
MEASURES: dict[str, Measure] = {
    "log-mel distance": log_mel_distance,
    "audible distance": audible_distance,
    "SI-SDR dB": lambda original, trip: si_sdr_db(original.samples, trip.samples),
}


def measure(setup: Setup) -> list[Table]:
    """Measure whole recordings, then probes.

    Raises:
        BadInput: ffmpeg is missing.
    """
    codec, whole = setup.engine.model.codec, len(setup.recordings) + 1
    trips: list[dict[str, Waveform]] = []
    for number, recording in enumerate(setup.recordings):
        trips.append(_round_trips(codec, recording.whole))
        for name, trip in trips[-1].items():
            setup.save_sound(f"codec-{recording.name}-{name}", trip)
        setup.watch.progress(number + 1, whole)
    names = [recording.name for recording in setup.recordings]
    tables = [_beside_opus(names, trips, what, each) for what, each in MEASURES.items()]
    tables += [_kept(names, trips), _probes(codec), _partials(codec)]
    setup.watch.progress(whole, whole)
    return tables


def round_trip(codec: Codec, waveform: Waveform) -> Waveform:
    """Encode and decode a sound."""
    return Waveform(codec.decode(codec.encode(waveform), waveform.frames), waveform.rate_hz)


def _round_trips(codec: Codec, waveform: Waveform) -> dict[str, Waveform]:
    """The original and the round trips of the codec and of Opus, by name."""
    trips = {"original": waveform, "codec": round_trip(codec, waveform)}
    return trips | {f"opus {rate}": opus.round_trip(waveform, rate) for rate in OPUS_KILOBITS}


def _beside_opus(
    names: list[str], trips: list[dict[str, Waveform]], what: str, measured: Measure
) -> Table:
    coders = tuple(trips[0])[1:]
    rows: list[Row] = [
        (name, *(measured(each["original"], each[coder]) for coder in coders))
        for name, each in zip(names, trips, strict=True)
    ]
    rows.append(median_row("median", rows))
    medians = dict(zip(coders, map(float, rows[-1][1:]), strict=True))
    title = f"codec: {what} of the round trip, whole recordings (opus: constant kbit/s)"
    note = equal_rate(medians, what) if what.endswith("distance") else WAVEFORM_NOTE
    return Table(title, ("recording", *coders), tuple(rows), (note,))


def equal_rate(distances: dict[str, float], what: str) -> str:
    """A note that compares the codec's median distance with that of each Opus rate.

    Args:
        distances: the codec's, then those of Opus by rising rate.
        what: the name of the distance.
    """
    own, *others = distances.items()
    nearer = [name for name, distance in others if own[1] <= distance]
    further = [name for name, distance in others if own[1] > distance]
    head = f"In median {what} the codec ({own[1]:.3g}) is"
    if not further:
        return f"{head} closer than {nearer[-1]} ({distances[nearer[-1]]:.3g})."
    if not nearer:
        return f"{head} farther than {further[0]} ({distances[further[0]]:.3g})."
    return f"{head} at least as close as {nearer[-1]}, and farther than {further[0]}."


def _kept(names: list[str], trips: list[dict[str, Waveform]]) -> Table:
    rows: list[Row] = []
    for name, each in zip(names, trips, strict=True):
        original, trip = each["original"], each["codec"]
        rows.append(
            (
                name,
                unrest(trip) / unrest(original),
                level_db(trip.samples) - level_db(original.samples),
                _side_db(trip) - _side_db(original) if _side_db(original) > SILENT_DB else math.nan,
            )
        )
    return Table(
        "codec: what the round trip changes",
        ("recording", "unrest ratio", "level dB", "side level dB"),
        (*rows, median_row("median", rows)),
        ("unrest: variance of the mel bands' steps from frame to frame; 1 is unchanged",),
    )


def _side_db(waveform: Waveform) -> float:
    """Level of the difference of left and right; SILENT_DB for mono sound."""
    samples = waveform.samples
    return level_db((samples[0] - samples[1]) / 2) if len(samples) == 2 else SILENT_DB


def _probes(codec: Codec) -> Table:
    rows = [_sidebands(codec, top_hz) for top_hz in DRONE_TOPS_HZ]
    rows += [*_pre_echoes(codec), _silence(codec), *_panning(codec)]
    notes = (f"sidebands: target {SIDEBAND_TARGET_DB:g} dB relative to the partial",)
    return Table("codec: probes, dB", ("fault", "original", "round trip"), tuple(rows), notes)


def _sidebands(codec: Codec, top_hz: float) -> Row:
    frame_rate_hz = codec.rate_hz / codec.ratio
    tones = probes.drone(codec.rate_hz, codec.channels, top_hz)
    before, after = (
        probes.worst_sideband_db(each, tones.partials, frame_rate_hz)
        for each in (tones.waveform, round_trip(codec, tones.waveform))
    )
    return (f"sideband at k·{frame_rate_hz:.4g} Hz, drone to {top_hz:.0f} Hz", before, after)


def _pre_echoes(codec: Codec) -> list[Row]:
    hits, onsets = probes.hits(codec.rate_hz, codec.channels)
    before, after = (probes.pre_echo_db(each, onsets) for each in (hits, round_trip(codec, hits)))
    count = len(onsets)
    return [
        (f"pre-echo, median of {count} hits", float(np.median(before)), float(np.median(after))),
        (f"pre-echo, worst of {count} hits", float(before.max()), float(after.max())),
    ]


def _silence(codec: Codec) -> Row:
    samples = np.zeros((codec.channels, round(probes.SECONDS * codec.rate_hz)), np.float32)
    trip = round_trip(codec, Waveform(samples, codec.rate_hz)).samples
    peak_db = gain_to_db(float(np.abs(trip).max()))
    return ("peak of decoded silence, dBFS", SILENT_DB, max(SILENT_DB, peak_db))


def _panning(codec: Codec) -> list[Row]:
    """Left over right of panned hits on a drone; no rows unless the codec is stereo."""
    if codec.channels != 2:
        return []
    mono = probes.hits(codec.rate_hz, 1)[0].samples[0]
    mono = mono + probes.drone(codec.rate_hz, 1, DRONE_TOPS_HZ[1]).waveform.samples[0, : len(mono)]
    rows: list[Row] = []
    for name, difference in (("hard left", None), (f"{PANNED_DB:g} dB to the left", PANNED_DB)):
        samples = probes.panned(mono, difference)
        trip = round_trip(codec, Waveform(samples, codec.rate_hz)).samples
        before, after = (probes.level_difference_db(each) for each in (samples, trip))
        rows.append((f"left over right, panned {name}", before, after))
    return rows


def _partials(codec: Codec) -> Table:
    tones = probes.ten_partials(codec.rate_hz, codec.channels)
    before = probes.clarity_db(tones.waveform, tones.partials)
    after = probes.clarity_db(round_trip(codec, tones.waveform), tones.partials)
    rows: list[Row] = [
        (f"{hertz:.0f} Hz", float(a), float(b), float(b - a))
        for hertz, a, b in zip(tones.partials, before, after, strict=True)
    ]
    return Table(
        "codec: ten steady partials over their surroundings, dB",
        ("partial", "original", "round trip", "change"),
        (*rows, median_row("median", rows)),
        (
            f"{probes.PARTIAL_DB:g} dBFS each on noise of {probes.PARTIALS_FLOOR_DB:g} dBFS; "
            f"ratios over {probes.CLARITY_CAP_DB:g} dB count as {probes.CLARITY_CAP_DB:g}",
        ),
    )
