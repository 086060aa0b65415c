"""Stages training data: makes the scenes, encodes them and fits the codec's statistics."""

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from eutectic.engine.embedded.transform import TransformCodec
from eutectic.files.atomic import atomic_path
from eutectic.training.recordings import Recording, load_recordings
from eutectic.training.scenes import make_scene
from eutectic.training.settings import TrainingSettings
from eutectic.training.signals import SAMPLE_RATE_HZ


@dataclass(frozen=True)
class StagedScenes:
    """Envelopes (scene, frame, channel) of all scenes, mapped from disk, and their prompts."""

    latents: NDArray[np.float16]
    prompts: Sequence[str]


def stage_scenes(codec: TransformCodec, settings: TrainingSettings, work_dir: Path) -> StagedScenes:
    """Make and encode the scenes, or read those already staged; sets the codec's statistics."""
    name = f"scenes-{settings.seed}-{settings.scenes}x{settings.scene_frames}"
    folder = work_dir / name
    folder.mkdir(exist_ok=True)
    latents, statistics = folder / "latents.npy", folder / "codec.safetensors"
    if not statistics.exists():
        raw = _encode_scenes(codec, settings, folder)
        print("fitting the codec's statistics", flush=True)
        codec.fit(raw)
        staged = np.lib.format.open_memmap(latents, "w+", np.float16, raw.shape)
        for index, scene in enumerate(raw):
            staged[index] = codec.normalise(torch.from_numpy(np.array(scene))).numpy()
        staged.flush()
        with atomic_path(statistics) as temporary:
            save_file(codec.state_dict(), temporary)
        (folder / "raw.npy").unlink()
    codec.load_state_dict(load_file(statistics))
    return StagedScenes(np.load(latents, mmap_mode="r"), _read_prompts(folder))


def _encode_scenes(
    codec: TransformCodec, settings: TrainingSettings, folder: Path
) -> NDArray[np.float32]:
    """Envelopes (scene, frame, channel) before the codec is fitted, mapped from disk.

    A scene is done once its prompt is written, one a line; an interrupted run resumes there.
    """
    shape = (settings.scenes, settings.scene_frames, codec.network_channels)
    path = folder / "raw.npy"
    done = len(_read_prompts(folder)) if path.exists() else 0
    raw = np.lib.format.open_memmap(path, "r+" if done else "w+", np.float32, shape)
    recordings = load_recordings([Path(folder) for folder in settings.samples])
    make = partial(_numbered_scene, settings.seed, settings.scene_frames)
    started = time.monotonic()
    with (
        ProcessPoolExecutor(initializer=_share, initargs=(recordings, codec)) as pool,
        _prompts_path(folder).open("a" if done else "w") as prompts,
    ):
        for index, (latent, prompt) in enumerate(
            pool.map(make, range(done, settings.scenes), chunksize=2), done
        ):
            raw[index] = latent
            print(prompt, file=prompts, flush=True)
            if index % 50 == 49:
                left = (time.monotonic() - started) / (index + 1 - done) * (len(raw) - index - 1)
                print(
                    f"staged {index + 1} of {len(raw)} scenes, {left / 60:.1f} minutes left",
                    flush=True,
                )
    return raw


def _prompts_path(folder: Path) -> Path:
    return folder / "prompts.txt"


def _read_prompts(folder: Path) -> list[str]:
    path = _prompts_path(folder)
    return path.read_text().splitlines() if path.exists() else []


_shared: tuple[Sequence[Recording], TransformCodec]


def _share(recordings: Sequence[Recording], codec: TransformCodec) -> None:
    """Pass a staging process its data once, not with every scene, and limit it to one thread."""
    global _shared  # noqa: PLW0603 (one per process)
    _shared = recordings, codec
    torch.set_num_threads(1)


def _numbered_scene(seed: int, frames: int, index: int) -> tuple[NDArray[np.float32], str]:
    """A scene's envelope (frame, channel) and prompt; they depend only on seed and index."""
    recordings, codec = _shared
    seconds = frames * codec.downsampling_ratio / SAMPLE_RATE_HZ
    scene = make_scene(np.random.default_rng([seed, index]), recordings, seconds)
    with torch.inference_mode():
        return codec.envelopes(torch.from_numpy(scene.audio)[None])[0].numpy(), scene.prompt
