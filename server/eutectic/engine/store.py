"""Clips and references on disk: safetensors files, named by a hash of all that determines them.

References are the user's work, and stay. Clips can be encoded again from their sound files: above a
limit the least recently used are deleted.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from eutectic.engine.adapter import Adapter
from eutectic.engine.clips import Clip
from eutectic.engine.watch import UNWATCHED, Watch
from eutectic.errors import BadInput, BadOutput
from eutectic.files.tensors import delete, keep_newest
from eutectic.link.stored import FOLDERS, Kind, key_of

CLIPS_LIMIT_BYTES = 8 << 30

POLL_SECONDS = 0.1
"""How often the watch is checked while another process learns."""


class Store:
    """Adapters and clips by key, in folders that are created when first written to."""

    def __init__(self, root: Path, clips_limit_bytes: int = CLIPS_LIMIT_BYTES) -> None:
        self.folder, self.clips = root / FOLDERS["reference"], root / FOLDERS["clip"]
        self.clips_limit_bytes = clips_limit_bytes

    key = staticmethod(key_of)

    def __contains__(self, key: str) -> bool:
        """Whether there is a file of this adapter, which may be damaged."""
        return _path(self.folder, key).exists()

    def get(self, key: str) -> Adapter | None:
        """The adapter; None if it is missing or damaged, so that it is learned again."""
        path = _path(self.folder, key)
        try:
            adapter = Adapter.read(path)
        except ValueError:
            return None
        with contextlib.suppress(OSError):  # a folder that is only read
            os.utime(path)  # used now: `eutectic references --unused` goes by this
        return adapter

    def put(self, key: str, adapter: Adapter) -> Path:
        """Store an adapter.

        Raises:
            BadOutput: the folder can't be created or written.
        """
        self.prepare()
        path = _path(self.folder, key)
        adapter.save(path)
        return path

    def adopt(self, kind: Kind, key: str, path: Path) -> None:
        """Take a file of another store, unless there is one of this key that isn't damaged.

        Raises:
            BadInput: it is damaged.
            BadOutput: the folder can't be created or written.
        """
        here = torch.device("cpu")
        try:
            if kind == "clip" and self.get_clip(key, here) is None:
                self.put_clip(key, Clip.read(path, here))
            elif kind == "reference" and self.get(key) is None:
                self.put(key, Adapter.read(path))
        except ValueError as error:
            raise BadInput(str(error)) from None

    def delete(self, key: str) -> int:
        """Delete an adapter; returns the number of bytes that are free now.

        Raises:
            BadOutput: it can't be deleted.
        """
        return delete(_path(self.folder, key))

    def get_clip(self, key: str, device: torch.device) -> Clip | None:
        """The clip; None if it is missing or damaged."""
        path = _path(self.clips, key)
        try:
            clip = Clip.read(path, device)
        except ValueError:
            return None
        os.utime(path)  # used now: deletion goes by this
        return clip

    def put_clip(self, key: str, clip: Clip) -> None:
        """Store a clip, deleting old ones if needed.

        Raises:
            BadOutput: the folder can't be created or written.
        """
        _prepare(self.clips)
        clip.save(_path(self.clips, key))
        keep_newest(self.clips, self.clips_limit_bytes)

    @contextlib.contextmanager
    def alone(self, key: str, watch: Watch = UNWATCHED) -> Generator[None]:
        """Be the only process that learns a reference, waiting for one that does already.

        Who has waited finds it in the store.

        Raises:
            Cancelled: by the watch.
            BadOutput: the folder can't be created or written.
        """
        self.prepare()
        lock = FileLock(self.folder / f".{key}.lock")
        while True:
            watch.checkpoint()
            try:
                lock.acquire(POLL_SECONDS)
                break
            except Timeout:
                continue
            except (OSError, NotImplementedError):  # where nothing can be locked, twice is once
                break
        try:
            yield
            with contextlib.suppress(OSError):  # whoever waits for it needs it no more
                Path(lock.lock_file).unlink()
        finally:
            lock.release()

    def prepare(self) -> None:
        """Check, before long work, that a reference can be stored.

        Raises:
            BadOutput: the folder can't be created or written.
        """
        _prepare(self.folder)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadOutput(
            f"{folder}: can't be created ({error.strerror}); set EUTECTIC_DATA to another folder"
        ) from None
    if not os.access(folder, os.W_OK):
        raise BadOutput(f"{folder}: can't be written; set EUTECTIC_DATA to another folder")


def _path(folder: Path, key: str) -> Path:
    return folder / f"{Path(key).name}.safetensors"  # another machine's may name no other folder
