"""Training scenes for the embedded model: seeded sound, with the words that describe it.

A scene layers recordings (looped, patterned or scattered, resampled, reversed) and synthetic
abstract sounds. Its prompt is made of the recordings' names, of what was done to them or of how
they were synthesised, and of what is measured on the result.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from eutectic.errors import BadInput

SAMPLE_RATE_HZ = 44100
HELD_OUT_SHARE = 10
"""One recording in this many is kept out of training, chosen by a hash of its name."""

Audio = NDArray[np.float32]
"""Sound: two rows of samples at SAMPLE_RATE_HZ, or one row where a function says mono."""

NAME_WORDS = {
    "ambi": "ambient",
    "bd": "bass drum kick",
    "elec": "electronic",
    "guit": "guitar",
    "misc": "",
    "perc": "percussion",
    "sn": "snare drum",
    "amen": "amen breakbeat drums",
    "na": "",
    "dhec": "",
    "ghe": "low",
    "ke": "",
    "re": "",
    "tas": "",
    "te": "",
    "tun": "",
    "ne": "",
    "o": "",
    "s": "",
    "m": "",
    "c": "",
    "f": "",
    "g": "",
    "e": "",
    "em": "minor",
}


@dataclass(frozen=True)
class Recording:
    """One file: stereo sound and the words of its name."""

    name: str
    words: str
    audio: Audio


@dataclass(frozen=True)
class Scene:
    """Stereo sound and its prompt."""

    audio: Audio
    prompt: str


def is_held_out(name: str, excluded: Sequence[str]) -> bool:
    """Whether a recording is never trained on: by name, or by falling in the fixed tenth."""
    return name in excluded or zlib.crc32(name.encode()) % HELD_OUT_SHARE == 0


def check_recordings(folder: Path) -> None:
    """Raise BadInput where there is no such folder."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder (Debian's package is sonic-pi-samples)")


def load_recordings(folder: Path, excluded: Sequence[str]) -> list[Recording]:
    """The folder's recordings that may be trained on, sorted by name."""
    recordings = []
    for path in sorted(folder.glob("*.flac")):
        if not is_held_out(path.stem, excluded):
            audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
            audio = soxr.resample(audio, rate, SAMPLE_RATE_HZ)
            stereo = audio.T if audio.shape[1] == 2 else np.repeat(audio.T[:1], 2, axis=0)
            recordings.append(Recording(path.stem, name_words(path.stem), stereo))
    return recordings


def name_words(name: str) -> str:
    """Describing words of a file name: abbreviations spelt out, numbers and notes dropped."""
    parts = ["".join(c for c in part if not c.isdigit()) for part in name.lower().split("_")]
    return " ".join(NAME_WORDS.get(part, part) for part in parts if part).strip()


def make_scene(rng: np.random.Generator, recordings: Sequence[Recording], seconds: float) -> Scene:
    """One scene of the given length: recordings, synthetic sounds, or both."""
    samples = round(seconds * SAMPLE_RATE_HZ)
    kind = rng.choice(["recordings", "synthetic", "both"], p=[0.5, 0.3, 0.2])
    layers: list[tuple[Audio, str]] = []
    if kind != "synthetic":
        count = int(rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15]))
        layers += [recorded_layer(rng, recordings, samples) for _ in range(count)]
    if kind != "recordings":
        layers += [
            synthetic_layer(rng, samples) for _ in range(int(rng.choice([1, 2], p=[0.7, 0.3])))
        ]
    mix = np.zeros((2, samples), np.float32)
    for place, (audio, _) in enumerate(layers):
        level_db = 0.0 if place == 0 else rng.uniform(-14, 0)
        mix += _at_level(audio, 10 ** (level_db / 20))
    words = [words for _, words in layers]
    if rng.random() < 0.25:
        mix, reverb_words = reverberate(rng, mix)
        words.append(reverb_words)
    mix = _finish(rng, mix)
    return Scene(mix, " ".join([*words, *describe(mix)]))


# Recordings


def recorded_layer(
    rng: np.random.Generator, recordings: Sequence[Recording], samples: int
) -> tuple[Audio, str]:
    """One recording, resampled and placed over the scene, with its words."""
    recording = _pick(rng, recordings)
    audio, words = recording.audio, [recording.words]
    if rng.random() < 0.6:
        semitones = float(np.clip(rng.normal(0, 6), -14, 14))
        audio = resample(audio, semitones)
        if abs(semitones) > 4:
            words.append("high fast" if semitones > 0 else "low slow")
    if rng.random() < 0.1:
        audio, words = audio[:, ::-1], [*words, "reversed"]
    placed, placing_words = place(rng, audio, samples)
    return _stereo(rng, placed), " ".join([*words, *placing_words])


def resample(audio: Audio, semitones: float) -> Audio:
    """Faster and higher, or slower and lower."""
    ratio = 2 ** (semitones / 12)
    return soxr.resample(audio.T, SAMPLE_RATE_HZ * ratio, SAMPLE_RATE_HZ, quality="MQ").T


def place(rng: np.random.Generator, audio: Audio, samples: int) -> tuple[Audio, list[str]]:
    """Fill the scene: a slice of a long sound, a loop, a beat, or scattered hits."""
    length = audio.shape[1]
    if length >= samples:
        start = int(rng.integers(0, length - samples + 1))
        return audio[:, start : start + samples], []
    if length > 1.5 * SAMPLE_RATE_HZ:
        if rng.random() < 0.7:
            return _loop(rng, audio, samples), ["looped"] if rng.random() < 0.5 else []
        return _hits(audio, np.array([int(rng.integers(0, samples - length // 2))]), samples), []
    if rng.random() < 0.6:
        return _hits(audio, beat_starts(rng, samples), samples), ["rhythm pattern"]
    count = int(rng.integers(2, 16))
    return _hits(audio, rng.integers(0, samples - 1000, count), samples), ["scattered"]


def beat_starts(rng: np.random.Generator, samples: int) -> NDArray[np.int64]:
    """Starts of the hits of a repeated random pattern of eight or sixteen places."""
    step = SAMPLE_RATE_HZ * 60 / rng.uniform(70, 170) / rng.choice([1, 2, 4])
    pattern = rng.random(int(rng.choice([8, 16]))) < rng.uniform(0.25, 0.8)
    pattern[0] = True
    places = np.arange(int(samples / step))
    return (places[pattern[places % len(pattern)]] * step).astype(np.int64)


def _pick(rng: np.random.Generator, recordings: Sequence[Recording]) -> Recording:
    """Long recordings more often than short ones: they hold more to learn."""
    weights = np.sqrt([min(r.audio.shape[1], 8 * SAMPLE_RATE_HZ) for r in recordings])
    return recordings[int(rng.choice(len(recordings), p=weights / weights.sum()))]


def _loop(rng: np.random.Generator, audio: Audio, samples: int) -> Audio:
    start = int(rng.integers(0, audio.shape[1]))
    repeats = -(-(samples + start) // audio.shape[1])
    return np.tile(audio, repeats)[:, start : start + samples]


def _hits(audio: Audio, starts: NDArray[np.int64], samples: int) -> Audio:
    out = np.zeros((2, samples), np.float32)
    for start in starts:
        end = min(start + audio.shape[1], samples)
        out[:, start:end] += audio[:, : end - start]
    return out


# Synthetic sounds: each returns mono sound and its words


def synthetic_layer(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """One synthetic sound in stereo: two takes that differ a little where it is wide."""
    make = SYNTHESISERS[int(rng.integers(len(SYNTHESISERS)))]
    mono, words = make(rng, samples)
    return _stereo(rng, np.stack([mono, mono])), words


def drone(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Additive partials that beat and swell slowly."""
    f0, harmonic = float(np.exp(rng.uniform(np.log(35), np.log(320)))), rng.random() < 0.6
    count = int(rng.integers(4, 24))
    ratios = np.arange(1, count + 1) if harmonic else np.sort(rng.uniform(1, count, count))
    time = _time(samples)
    out = np.zeros(samples)
    for ratio in ratios[ratios * f0 < 12000]:
        swell = 1 + rng.uniform(0, 0.9) * np.sin(_phase(rng.uniform(0.05, 0.8), time, rng))
        detuned = f0 * ratio * (1 + rng.normal(0, 0.002))
        out += swell * np.sin(_phase(detuned, time, rng)) / ratio ** rng.uniform(0.5, 1.5)
    pitch = "low" if f0 < 90 else "high" if f0 > 200 else "mid"
    return _as_audio(out), f"{pitch} {'harmonic' if harmonic else 'inharmonic'} drone hum"


def frequency_modulation(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Frequency modulation with a moving index."""
    carrier = float(np.exp(rng.uniform(np.log(50), np.log(900))))
    ratio = float(rng.choice([0.5, 1, 1.41, 2, 2.76, 3.5, 7.1]))
    time = _time(samples)
    index = rng.uniform(1, 9) * (1 + np.sin(_phase(rng.uniform(0.05, 3), time, rng))) / 2
    out = np.sin(_phase(carrier, time, rng) + index * np.sin(_phase(carrier * ratio, time, rng)))
    colour = "metallic" if ratio in (1.41, 2.76, 7.1) else "buzzing"
    return _as_audio(out), f"fm synth {colour} {'bass' if carrier < 120 else 'tone'}"


def grain_cloud(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Short windowed grains at random times."""
    density, centre = rng.uniform(8, 90), float(np.exp(rng.uniform(np.log(150), np.log(3500))))
    length = int(rng.uniform(0.01, 0.12) * SAMPLE_RATE_HZ)
    kind = str(rng.choice(["sine", "noise", "chirp"]))
    time, window = _time(length), np.hanning(length)
    out = np.zeros(samples + length)
    for _ in range(int(density * samples / SAMPLE_RATE_HZ)):
        frequency = centre * 2 ** rng.normal(0, 0.8)
        grain = (
            rng.normal(0, 0.6, length)
            if kind == "noise"
            else np.sin(2 * np.pi * frequency * time * (1 + (3 * time if kind == "chirp" else 0)))
        )
        start = int(rng.integers(0, samples))
        out[start : start + length] += grain * window * rng.uniform(0.1, 1)
    amount = "dense" if density > 40 else "sparse"
    return _as_audio(out[:samples]), f"{amount} granular cloud {kind} grains"


def noise_band(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Noise in a band whose level wanders: wind, breath, hiss, rumble."""
    centre, width = float(np.exp(rng.uniform(np.log(60), np.log(8000)))), rng.uniform(0.1, 1.5)
    frequencies = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    octaves = np.log2(np.maximum(frequencies, 1) / centre)
    spectrum = np.fft.rfft(rng.normal(0, 1, samples)) * np.exp(-0.5 * (octaves / width) ** 2)
    out = np.fft.irfft(spectrum, samples) * _wander(rng, samples, rng.uniform(0.2, 4))
    name = "rumble" if centre < 200 else "wind" if centre < 1500 else "hiss air"
    return _as_audio(out), f"filtered noise {name}"


def resonators(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Struck modes: bell, wood, glass, metal."""
    material, decay, low, high = [
        ("bell", 2.5, 300, 3000),
        ("wood", 0.08, 200, 1500),
        ("glass", 0.7, 1200, 6000),
        ("metal", 1.2, 150, 5000),
        ("drum skin", 0.25, 50, 400),
    ][int(rng.integers(5))]
    length = min(int(4 * decay * SAMPLE_RATE_HZ), samples)
    time = _time(length)
    modes = np.exp(rng.uniform(np.log(low), np.log(high), int(rng.integers(3, 12))))
    hit = sum(
        rng.uniform(0.2, 1)
        * np.sin(2 * np.pi * f * time)
        * np.exp(-time / (decay * rng.uniform(0.3, 1)))
        for f in modes
    )
    regular = rng.random() < 0.5
    starts = beat_starts(rng, samples) if regular else rng.integers(0, samples, rng.integers(2, 20))
    out = _hits(np.stack([hit, hit]).astype(np.float32), starts, samples)[0]
    return _as_audio(out), f"struck {material} resonance {'rhythm' if regular else 'scattered'}"


def glitch(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Stuttering fragments of crushed tones and noise, clicks, gaps."""
    out = np.zeros(samples)
    position = 0
    while position < samples:
        length = int(rng.uniform(0.005, 0.09) * SAMPLE_RATE_HZ)
        time = _time(length)
        frequency = np.exp(rng.uniform(np.log(80), np.log(5000)))
        tone = np.sign(np.sin(2 * np.pi * frequency * time)) if rng.random() < 0.5 else None
        fragment = rng.normal(0, 0.5, length) if tone is None else tone * 0.5
        fragment = np.round(fragment * 4) / 4 * np.linspace(1, rng.uniform(0, 1), length)
        fragment = np.tile(fragment, int(rng.integers(1, 7)))[: samples - position]
        out[position : position + len(fragment)] = fragment * rng.uniform(0.2, 1)
        position += len(fragment) + int(rng.exponential(0.12) * SAMPLE_RATE_HZ)
    return _as_audio(out), "glitch digital stutter clicks broken"


def pulse_texture(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """A beat of noise and tone hits."""
    out = np.zeros(samples)
    for _ in range(int(rng.integers(2, 5))):
        decay, frequency = rng.uniform(0.01, 0.2), np.exp(rng.uniform(np.log(45), np.log(4000)))
        time = _time(min(int(5 * decay * SAMPLE_RATE_HZ), samples))
        body = (
            rng.normal(0, 0.7, len(time))
            if rng.random() < 0.5
            else np.sin(2 * np.pi * frequency * time * np.exp(-time * rng.uniform(0, 8)))
        )
        hit = (body * np.exp(-time / decay)).astype(np.float32)
        out += _hits(np.stack([hit, hit]), beat_starts(rng, samples), samples)[0]
    return _as_audio(out), "synthetic beat rhythm electronic drums pulse"


def sweep(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Glissandi that rise or fall, once or again and again."""
    start, octaves = float(np.exp(rng.uniform(np.log(80), np.log(1500)))), rng.uniform(1, 3.5)
    rising, period = rng.random() < 0.5, rng.uniform(0.4, 8)
    ramp = (_time(samples) / period) % 1
    exponent = octaves * (ramp if rising else 1 - ramp)
    phase = 2 * np.pi * np.cumsum(start * 2**exponent) / SAMPLE_RATE_HZ
    overtones = int(rng.integers(1, 6))
    out = sum(np.sin(phase * k) / k for k in range(1, overtones + 1)) * np.sin(np.pi * ramp) ** 0.3
    return _as_audio(out), f"{'rising' if rising else 'falling'} sweep glissando siren"


def motor(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """A jittering pulse train through resonances: engines, printers, insects."""
    rate = float(np.exp(rng.uniform(np.log(15), np.log(140))))
    speed = rate * (1 + rng.uniform(0, 0.3) * (_wander(rng, samples, rng.uniform(0.2, 2)) - 0.5))
    pulses = (np.diff(np.floor(np.cumsum(speed) / SAMPLE_RATE_HZ), prepend=0) > 0).astype(float)
    pulses += rng.normal(0, 0.01, samples)
    frequencies = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    shape = sum(
        rng.uniform(0.2, 1) / (1 + ((frequencies - centre) / (0.1 * centre)) ** 2)
        for centre in np.exp(rng.uniform(np.log(120), np.log(5000), 5))
    )
    out = np.fft.irfft(np.fft.rfft(pulses) * shape, samples)
    return _as_audio(out), f"machine motor {'rattling' if rate < 40 else 'buzzing'} mechanical"


def plucks(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """A repeating sequence of decaying notes."""
    root, decay = float(np.exp(rng.uniform(np.log(60), np.log(400)))), rng.uniform(0.1, 0.9)
    scale = rng.choice([0, 2, 3, 5, 7, 8, 10, 12, 15], int(rng.integers(2, 8)))
    length = min(int(4 * decay * SAMPLE_RATE_HZ), samples)
    time, out = _time(length), np.zeros((2, samples), np.float32)
    bright = rng.uniform(0.6, 2)
    for place, start in enumerate(beat_starts(rng, samples)):
        pitch = root * 2 ** (scale[place % len(scale)] / 12)
        note = sum(
            np.sin(2 * np.pi * pitch * k * time) * np.exp(-time * k**0.5 / decay) / k**bright
            for k in range(1, 9)
        )
        out += _hits(np.stack([note, note]).astype(np.float32), np.array([start]), samples)
    return _as_audio(out[0]), "plucked sequence arpeggio melody notes"


SYNTHESISERS: tuple[Callable[[np.random.Generator, int], tuple[Audio, str]], ...] = (
    drone,
    frequency_modulation,
    grain_cloud,
    noise_band,
    resonators,
    glitch,
    pulse_texture,
    sweep,
    motor,
    plucks,
)


# The whole scene


def reverberate(rng: np.random.Generator, audio: Audio) -> tuple[Audio, str]:
    """Convolve with exponentially decaying noise."""
    seconds, wet = rng.uniform(0.4, 3), rng.uniform(0.2, 0.7)
    length = int(seconds * SAMPLE_RATE_HZ)
    tail = rng.normal(0, 1, (2, length)) * np.exp(-6 * np.arange(length) / length)
    size = audio.shape[1] + length
    reverb = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(tail, size), size)
    wet_audio = _at_level(reverb[:, : audio.shape[1]].astype(np.float32), _rms(audio))
    mixed = _as_audio((1 - wet) * audio + wet * wet_audio)
    return mixed, "distant reverb" if wet > 0.45 else "room"


def describe(audio: Audio) -> list[str]:
    """Words for what is measured: brightness, tone or noise, movement, width."""
    mid, side = audio.mean(0), (audio[0] - audio[1]) / 2
    blocks = mid[: len(mid) // 4096 * 4096].reshape(-1, 4096)
    power = np.abs(np.fft.rfft(blocks * np.hanning(4096))) ** 2 + 1e-12
    spectrum = power.mean(0)
    frequencies = np.fft.rfftfreq(4096, 1 / SAMPLE_RATE_HZ)
    centroid_hz = float((np.sqrt(spectrum) * frequencies).sum() / np.sqrt(spectrum).sum())
    flatness = float(np.exp(np.log(spectrum[2:900]).mean()) / spectrum[2:900].mean())
    levels_db = 10 * np.log10((blocks**2).mean(1) + 1e-10)
    spread_db = float(np.percentile(levels_db, 90) - np.percentile(levels_db, 15))
    words = ["dark" if centroid_hz < 1200 else "bright" if centroid_hz > 4500 else "warm"]
    words += ["noisy"] if flatness > 0.12 else ["tonal"] if flatness < 0.005 else []
    words += ["steady"] if spread_db < 4 else ["sparse"] if spread_db > 30 else []
    words += ["wide"] if _rms(side) > 0.5 * _rms(mid) else []
    return words


def _finish(rng: np.random.Generator, audio: Audio) -> Audio:
    """Fades at some ends, and a level of −28 to −14 dBFS rms with peaks under 0.95."""
    samples = audio.shape[1]
    for end in (1, -1):
        if rng.random() < 0.3:
            length = int(rng.uniform(0.02, 0.4) * samples)
            audio[:, ::end][:, :length] *= np.linspace(0, 1, length, dtype=np.float32) ** 2
    audio = _at_level(audio, 10 ** (rng.uniform(-28, -14) / 20))
    return audio * min(1.0, 0.95 / (float(np.abs(audio).max()) + 1e-9))


def _stereo(rng: np.random.Generator, audio: Audio) -> Audio:
    """Random pan, and width from mono to wider than it was; mono sources get short delays."""
    if rng.random() < 0.4 and np.array_equal(audio[0], audio[1]):
        audio = np.stack([audio[0], np.roll(audio[1], int(rng.integers(20, 900)))])
    mid, side = audio.mean(0), (audio[0] - audio[1]) / 2 * rng.uniform(0, 1.5)
    pan = float(np.clip(rng.normal(0, 0.25), -0.8, 0.8))
    return np.stack([(mid + side) * (1 - max(pan, 0)), (mid - side) * (1 + min(pan, 0))])


def _wander(rng: np.random.Generator, samples: int, rate_hz: float) -> NDArray[np.float64]:
    """A random curve between 0 and 1 with about `rate_hz` turns a second."""
    knots = rng.random(int(samples / SAMPLE_RATE_HZ * rate_hz) + 3)
    return np.interp(np.linspace(0, len(knots) - 1, samples), np.arange(len(knots)), knots)


def _phase(
    frequency_hz: float, time: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    return 2 * np.pi * (frequency_hz * time + rng.random())


def _time(samples: int) -> NDArray[np.float64]:
    return np.arange(samples) / SAMPLE_RATE_HZ


def _rms(audio: Audio) -> float:
    return float(np.sqrt(np.mean(np.square(audio))))


def _at_level(audio: Audio, rms: float) -> Audio:
    """The sound at an rms level; a silent one stays silent."""
    return (audio * (rms / max(_rms(audio), 1e-6))).astype(np.float32)


def _as_audio(sound: NDArray[np.floating]) -> Audio:
    return sound.astype(np.float32)
