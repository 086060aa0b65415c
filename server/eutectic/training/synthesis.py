"""Synthetic layers of training scenes. Every synthesiser returns mono sound and its words."""

from collections.abc import Callable

import numpy as np

from eutectic.training.signals import (
    SAMPLE_RATE_HZ,
    Audio,
    as_audio,
    beat_starts,
    hits,
    phase,
    stereo,
    times,
    wander,
)

Synthesiser = Callable[[np.random.Generator, int], tuple[Audio, str]]


def synthetic_layer(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """One synthetic sound, in stereo, with its words."""
    make = SYNTHESISERS[int(rng.integers(len(SYNTHESISERS)))]
    mono, words = make(rng, samples)
    return stereo(rng, np.stack([mono, mono])), words


def drone(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Additive partials that beat and swell slowly."""
    f0, harmonic = float(np.exp(rng.uniform(np.log(35), np.log(320)))), rng.random() < 0.6
    count = int(rng.integers(4, 24))
    ratios = np.arange(1, count + 1) if harmonic else np.sort(rng.uniform(1, count, count))
    time = times(samples)
    out = np.zeros(samples)
    for ratio in ratios[ratios * f0 < 12000]:
        swell = 1 + rng.uniform(0, 0.9) * np.sin(phase(rng.uniform(0.05, 0.8), time, rng))
        detuned = f0 * ratio * (1 + rng.normal(0, 0.002))
        out += swell * np.sin(phase(detuned, time, rng)) / ratio ** rng.uniform(0.5, 1.5)
    pitch = "low" if f0 < 90 else "high" if f0 > 200 else "mid"
    return as_audio(out), f"{pitch} {'harmonic' if harmonic else 'inharmonic'} drone hum"


def frequency_modulation(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Frequency modulation with a moving index."""
    carrier = float(np.exp(rng.uniform(np.log(50), np.log(900))))
    ratio = float(rng.choice([0.5, 1, 1.41, 2, 2.76, 3.5, 7.1]))
    time = times(samples)
    index = rng.uniform(1, 9) * (1 + np.sin(phase(rng.uniform(0.05, 3), time, rng))) / 2
    out = np.sin(phase(carrier, time, rng) + index * np.sin(phase(carrier * ratio, time, rng)))
    colour = "metallic" if ratio in (1.41, 2.76, 7.1) else "buzzing"
    return as_audio(out), f"fm synth {colour} {'bass' if carrier < 120 else 'tone'}"


def grain_cloud(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Short windowed grains at random times."""
    density, centre = rng.uniform(8, 90), float(np.exp(rng.uniform(np.log(150), np.log(3500))))
    length = int(rng.uniform(0.01, 0.12) * SAMPLE_RATE_HZ)
    kind = str(rng.choice(["sine", "noise", "chirp"]))
    time, window = times(length), np.hanning(length)
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
    return as_audio(out[:samples]), f"{amount} granular cloud {kind} grains"


def noise_band(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """A band of noise at a wandering level: wind, breath, hiss, rumble."""
    centre, width = float(np.exp(rng.uniform(np.log(60), np.log(8000)))), rng.uniform(0.1, 1.5)
    frequencies = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    octaves = np.log2(np.maximum(frequencies, 1) / centre)
    spectrum = np.fft.rfft(rng.normal(0, 1, samples)) * np.exp(-0.5 * (octaves / width) ** 2)
    out = np.fft.irfft(spectrum, samples) * wander(rng, samples, rng.uniform(0.2, 4))
    name = "rumble" if centre < 200 else "wind" if centre < 1500 else "hiss air"
    return as_audio(out), f"filtered noise {name}"


def resonators(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Struck modes: bell, wood, glass, metal, drum skin."""
    material, decay, low, high = [
        ("bell", 2.5, 300, 3000),
        ("wood", 0.08, 200, 1500),
        ("glass", 0.7, 1200, 6000),
        ("metal", 1.2, 150, 5000),
        ("drum skin", 0.25, 50, 400),
    ][int(rng.integers(5))]
    length = min(int(4 * decay * SAMPLE_RATE_HZ), samples)
    time = times(length)
    modes = np.exp(rng.uniform(np.log(low), np.log(high), int(rng.integers(3, 12))))
    hit = sum(
        rng.uniform(0.2, 1)
        * np.sin(2 * np.pi * f * time)
        * np.exp(-time / (decay * rng.uniform(0.3, 1)))
        for f in modes
    )
    regular = rng.random() < 0.5
    starts = beat_starts(rng, samples) if regular else rng.integers(0, samples, rng.integers(2, 20))
    out = hits(np.stack([hit, hit]).astype(np.float32), starts, samples)[0]
    return as_audio(out), f"struck {material} resonance {'rhythm' if regular else 'scattered'}"


def glitch(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Stuttering fragments of bit-crushed tones and noise, with clicks and gaps."""
    out = np.zeros(samples)
    position = 0
    while position < samples:
        length = int(rng.uniform(0.005, 0.09) * SAMPLE_RATE_HZ)
        time = times(length)
        frequency = np.exp(rng.uniform(np.log(80), np.log(5000)))
        tone = np.sign(np.sin(2 * np.pi * frequency * time)) if rng.random() < 0.5 else None
        fragment = rng.normal(0, 0.5, length) if tone is None else tone * 0.5
        fragment = np.round(fragment * 4) / 4 * np.linspace(1, rng.uniform(0, 1), length)
        fragment = np.tile(fragment, int(rng.integers(1, 7)))[: samples - position]
        out[position : position + len(fragment)] = fragment * rng.uniform(0.2, 1)
        position += len(fragment) + int(rng.exponential(0.12) * SAMPLE_RATE_HZ)
    return as_audio(out), "glitch digital stutter clicks broken"


def pulse_texture(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """A beat of noise and tone bursts."""
    out = np.zeros(samples)
    for _ in range(int(rng.integers(2, 5))):
        decay, frequency = rng.uniform(0.01, 0.2), np.exp(rng.uniform(np.log(45), np.log(4000)))
        time = times(min(int(5 * decay * SAMPLE_RATE_HZ), samples))
        body = (
            rng.normal(0, 0.7, len(time))
            if rng.random() < 0.5
            else np.sin(2 * np.pi * frequency * time * np.exp(-time * rng.uniform(0, 8)))
        )
        hit = (body * np.exp(-time / decay)).astype(np.float32)
        out += hits(np.stack([hit, hit]), beat_starts(rng, samples), samples)[0]
    return as_audio(out), "synthetic beat rhythm electronic drums pulse"


def sweep(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """Glissandi that rise or fall, once or repeatedly."""
    start, octaves = float(np.exp(rng.uniform(np.log(80), np.log(1500)))), rng.uniform(1, 3.5)
    rising, period = rng.random() < 0.5, rng.uniform(0.4, 8)
    ramp = (times(samples) / period) % 1
    exponent = octaves * (ramp if rising else 1 - ramp)
    angle = 2 * np.pi * np.cumsum(start * 2**exponent) / SAMPLE_RATE_HZ
    overtones = int(rng.integers(1, 6))
    out = sum(np.sin(angle * k) / k for k in range(1, overtones + 1)) * np.sin(np.pi * ramp) ** 0.3
    return as_audio(out), f"{'rising' if rising else 'falling'} sweep glissando siren"


def motor(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """A jittery pulse train through resonances: engines, printers, insects."""
    rate = float(np.exp(rng.uniform(np.log(15), np.log(140))))
    speed = rate * (1 + rng.uniform(0, 0.3) * (wander(rng, samples, rng.uniform(0.2, 2)) - 0.5))
    pulses = (np.diff(np.floor(np.cumsum(speed) / SAMPLE_RATE_HZ), prepend=0) > 0).astype(float)
    pulses += rng.normal(0, 0.01, samples)
    frequencies = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    shape = sum(
        rng.uniform(0.2, 1) / (1 + ((frequencies - centre) / (0.1 * centre)) ** 2)
        for centre in np.exp(rng.uniform(np.log(120), np.log(5000), 5))
    )
    out = np.fft.irfft(np.fft.rfft(pulses) * shape, samples)
    return as_audio(out), f"machine motor {'rattling' if rate < 40 else 'buzzing'} mechanical"


def plucks(rng: np.random.Generator, samples: int) -> tuple[Audio, str]:
    """A repeating sequence of decaying notes."""
    root, decay = float(np.exp(rng.uniform(np.log(60), np.log(400)))), rng.uniform(0.1, 0.9)
    scale = rng.choice([0, 2, 3, 5, 7, 8, 10, 12, 15], int(rng.integers(2, 8)))
    length = min(int(4 * decay * SAMPLE_RATE_HZ), samples)
    time, out = times(length), np.zeros((2, samples), np.float32)
    bright = rng.uniform(0.6, 2)
    for place, start in enumerate(beat_starts(rng, samples)):
        pitch = root * 2 ** (scale[place % len(scale)] / 12)
        note = sum(
            np.sin(2 * np.pi * pitch * k * time) * np.exp(-time * k**0.5 / decay) / k**bright
            for k in range(1, 9)
        )
        out += hits(np.stack([note, note]).astype(np.float32), np.array([start]), samples)
    return as_audio(out[0]), "plucked sequence arpeggio melody notes"


SYNTHESISERS: tuple[Synthesiser, ...] = (
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
