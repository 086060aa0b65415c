"""A session in one file: what is in it, what comes out, and what is refused and leaves nothing."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from eutectic.config import Place, SamplingSettings
from eutectic.errors import BadInput, BadOutput
from eutectic.files import packed, toml
from eutectic.link.protocol import ReferenceSpec, Source
from eutectic.session import kept, packing
from eutectic.session.kept import KeptClip, KeptFavourite, KeptReference, KeptSession, KeptVoice
from eutectic.session.packing import Missing, Wanted, pack
from eutectic.session.pair import Pair
from eutectic.session.unpacking import unpack
from sound_files import tone, write

KEY, OTHER_KEY = "0123456789abcdef", "fedcba9876543210"
MEGABYTE = 1 << 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with copies of two clips, a preset and a map of the user's own."""
    folder = tmp_path / "data"
    for name in (f"encoded/{KEY}.safetensors", f"encoded/{OTHER_KEY}.safetensors"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    for name in ("presets/mine.toml", "controllers/knobs.toml"):
        (folder / name).parent.mkdir()
        (folder / name).write_text("format = 1\n")
    return folder


@pytest.fixture
def session(tmp_path: Path) -> KeptSession:
    """Two clips of files with one name, of which one is a section, and a remembered reference."""
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a: sound?.wav", tone(44_100, 1.0, 300 if folder == "x" else 400))
    sources = [Source(str(tmp_path / each / "a: sound?.wav"), 0.0, at) for each, at in
               (("x", None), ("y", 0.5))]  # fmt: skip
    clips = [KeptClip("a", sources[0], KEY, 44_100, 44_100, -20.0),
             KeptClip("b", sources[1], OTHER_KEY, 22_050, 44_100, -20.0)]  # fmt: skip
    reference = KeptReference("r", "b", sources[1], ReferenceSpec(OTHER_KEY, "hiss"), "digest")
    voices = [KeptVoice(1, request={"original": "a", "reference": "r", "seed": 3})]
    return KeptSession(1, "toy", -3.0, {"steps": 8}, clips, [reference], voices)


@pytest.fixture
def packed_session(tmp_path: Path, data: Path, session: KeptSession) -> Path:
    path = tmp_path / "night.zip"
    assert pack(path, Wanted("night", session, data, "digest")) == []
    return path


def everything(folder: Path) -> dict[str, bytes]:
    """All that is under a folder, except empty folders and the mark of who is unpacking."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*") if path.is_file() and path.name != ".unpack-lock"
    }  # fmt: skip


def test_what_is_unpacked_is_what_was_packed_and_says_nothing_of_where_it_was(
    tmp_path: Path, packed_session: Path, session: KeptSession
) -> None:
    assert str(tmp_path).encode() not in packed_session.read_bytes()
    there = tmp_path / "there"
    done = unpack(packed_session, there)
    assert done.remarks == [] and done.path == there / "sessions" / "night.toml"
    found = kept.read(done.path)
    sounds = [Path(each.source.path) for each in found.clips]
    assert [each.name for each in sounds] == ["a_ sound_.wav", "a_ sound_-2.wav"]
    assert all(each.parent == there / "clips" / "night" for each in sounds)
    for sound, before in zip(sounds, session.clips, strict=True):
        assert sound.read_bytes() == Path(before.source.path).read_bytes()
    assert found.clips[1].source.duration_seconds == 0.5
    assert found.references[0].source == found.clips[1].source
    here = [KeptClip(each.name, before.source, each.key, each.frames, each.rate_hz, -20.0)
            for each, before in zip(found.clips, session.clips, strict=True)]  # fmt: skip
    assert here == session.clips
    assert (found.voices, found.fusion, found.master_db) == (session.voices, {"steps": 8}, -3.0)
    files = everything(there)
    assert files["presets/mine.toml"] == files["controllers/knobs.toml"] == b"format = 1\n"
    assert files[f"encoded/{KEY}.safetensors"] == f"encoded/{KEY}.safetensors".encode()
    assert not [path for path in there.iterdir() if path.is_dir() and path.name[0] == "."]


def test_favourites_are_packed_and_go_beside_those_of_other_sessions(
    tmp_path: Path, data: Path, session: KeptSession
) -> None:
    (data / "favourites").mkdir()
    sound = data / "favourites" / "rain.wav"
    write(sound, tone(48_000, 0.5, 500))
    clip = session.clips[0]
    gone = KeptClip("d", Source(str(tmp_path / "gone.wav")), KEY, 44_100, 44_100, -20.0)
    favourites = [
        KeptFavourite(name, str(sound), "0" * 32, of, session.references[0], {"seed": 3}, 0.5,
                      23_900, 100, 48_000, True)
        for name, of in (("rain", clip), ("old", gone))
    ]  # fmt: skip
    whole = msgspec.structs.replace(session, favourites=favourites)
    path = tmp_path / "night.zip"
    assert pack(path, Wanted("night", whole, data)) == []
    there = tmp_path / "there"
    (there / "favourites").mkdir(parents=True)
    (there / "favourites" / "rain.wav").write_bytes(b"another")
    done = kept.read(unpack(path, there).path)
    rain, old = done.favourites or []
    assert rain.path == old.path == str(there / "favourites" / "rain-2.wav")
    assert Path(rain.path).read_bytes() == sound.read_bytes()
    assert (there / "favourites" / "rain.wav").read_bytes() == b"another"
    assert rain.clip.source == done.clips[0].source
    assert (rain.request, rain.frames, rain.pair.sampling.seed) == ({"seed": 3}, 23_900, 3)
    sound.unlink()
    with pytest.raises(Missing, match=r"favourite rain: .*rain\.wav is gone"):
        pack(tmp_path / "less.zip", Wanted("night", whole, data))


def test_packs_of_the_same_are_the_same(
    tmp_path: Path, data: Path, session: KeptSession, packed_session: Path
) -> None:
    for path in data.rglob("*.toml"):
        os.utime(path, (1, 1))
    pack(tmp_path / "again.zip", Wanted("night", session, data, "digest"))
    assert (tmp_path / "again.zip").read_bytes() == packed_session.read_bytes()


def test_what_is_there_stays_and_what_comes_gets_another_name(
    tmp_path: Path, packed_session: Path
) -> None:
    there = tmp_path / "there"
    (there / "presets").mkdir(parents=True)
    (there / "presets" / "mine.toml").write_text("format = 1 # another\n")
    (there / "encoded").mkdir()
    (there / "encoded" / f"{KEY}.safetensors").write_bytes(b"kept")
    (there / "clips" / "night").mkdir(parents=True)
    before = everything(there)
    done = unpack(packed_session, there)
    assert done.remarks == ["preset mine: there is another; this is mine-2"]
    files = everything(there)
    assert before.items() <= files.items()
    assert files["presets/mine-2.toml"] == b"format = 1\n"
    assert kept.read(done.path).clips[0].source.path.startswith(str(there / "clips" / "night 2"))
    with pytest.raises(BadOutput, match=r"night.toml: exists; --name gives"):
        unpack(packed_session, there)
    assert everything(there) == files
    again = unpack(packed_session, there, "two")
    assert again.remarks == done.remarks  # the very same is there by now
    assert len(everything(there)) == len(files) + 3


def test_what_is_gone_is_said_and_the_engine_s_copy_stands_in(
    tmp_path: Path, data: Path, session: KeptSession
) -> None:
    gone = Path(session.clips[0].source.path)
    gone.unlink()
    remarks = pack(tmp_path / "night.zip", Wanted("night", session, data))
    assert remarks == [f"a: {gone} is gone; the engine's copy is packed, for this model alone"]
    (data / "encoded" / f"{KEY}.safetensors").unlink()
    with pytest.raises(Missing, match=r"night can't be packed whole: a: .* is gone$"):
        pack(tmp_path / "none.zip", Wanted("night", session, data))
    assert not (tmp_path / "none.zip").exists()
    remarks = pack(tmp_path / "part.zip", Wanted("night", session, data, without_missing=True))
    assert remarks == [f"a: {gone} is gone"]
    done = unpack(tmp_path / "part.zip", tmp_path / "there")
    missing = Path(kept.read(done.path).clips[0].source.path)
    assert missing == tmp_path / "there/clips/night/a_ sound_.wav" and not missing.exists()


def test_a_preset_whose_files_are_not_packed_is_said(
    tmp_path: Path, data: Path, session: KeptSession
) -> None:
    (data / "presets" / "set.toml").write_text(
        'format = 1\n[[clips]]\nname = "x"\npath = "elsewhere.wav"\n'
    )
    remarks = pack(tmp_path / "night.zip", Wanted("night", session, data))
    assert remarks == ["preset set: the files that it names stay here"]


def test_one_that_is_interrupted_leaves_nothing_and_what_one_left_is_swept(
    tmp_path: Path, packed_session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    (there / ".unpack-left").mkdir(parents=True)
    (there / ".unpack-left" / "half").write_bytes(b"x")

    def stop(done: int, _total: int) -> None:
        if done > MEGABYTE // 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack(packed_session, there, progress=stop)
    assert everything(there) == {}
    write_session = toml.write

    def full(path: Path, value: Any) -> None:
        write_session(path, value)
        raise BadOutput("the disk is full")

    monkeypatch.setattr(toml, "write", full)  # once all else is in its place
    with pytest.raises(BadOutput, match="full"):
        unpack(packed_session, there)
    assert everything(there) == {}


def test_a_data_folder_that_others_began_to_use_stays_when_unpacking_fails(
    tmp_path: Path, packed_session: Path
) -> None:
    rewritten(packed_session, lambda files: files.update({"presets/mine.toml": b"format = 2\n"}),
              listed=False)  # fmt: skip
    there = tmp_path / "there"
    theirs = there / "renders" / "take.wav"

    def record(_done: int, _total: int) -> None:
        theirs.parent.mkdir(exist_ok=True)
        theirs.write_bytes(b"take")

    with pytest.raises(BadInput, match="is damaged"):
        unpack(packed_session, tmp_path / "unused")
    assert not (tmp_path / "unused").exists()
    with pytest.raises(BadInput, match="is damaged"):
        unpack(packed_session, there, progress=record)
    assert everything(there) == {"renders/take.wav": b"take"}


# Hostile ones

Edit = Callable[[dict[str, bytes]], None]


def rewritten(path: Path, edit: Edit, listed: bool = True) -> Path:
    """The same pack with other files, whose manifest is right about them unless not `listed`."""
    with zipfile.ZipFile(path) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    manifest = json.loads(files.pop(packed.MANIFEST))
    edit(files)
    if listed:
        manifest["files"] = [
            {"path": name, "bytes": len(content),
             "blake2b": hashlib.blake2b(content, digest_size=32).hexdigest()}
            for name, content in files.items()
        ]  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in files.items():
            pack.writestr(name, content)
        pack.writestr(packed.MANIFEST, json.dumps(manifest))
    return path


def refused(path: Path, there: Path, words: str) -> None:
    """Unpack what must be refused in one line and leave nothing."""
    outside = everything(there.parent)
    with pytest.raises(BadInput) as error:
        unpack(path, there)
    assert "\n" not in str(error.value) and words in str(error.value), error.value
    assert everything(there) == {}
    assert everything(there.parent) == outside


@pytest.mark.parametrize(
    "name",
    ["../evil.toml", "clips/../../evil.wav", "/etc/evil.wav", "clips/..", "C:/evil.wav",
     "C:evil.wav", "clips\\..\\evil.wav", "\\\\host\\share", "clips/sub/evil.wav", "clips//x.wav",
     "clips/con.wav", "clips/x.wav.", "clips/.hidden", "clips/a\nb.wav", "./clips/x.wav"],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(
    tmp_path: Path, packed_session: Path, name: str
) -> None:
    rewritten(packed_session, lambda files: files.update({name: b"evil"}))
    refused(packed_session, tmp_path / "there", "which leads elsewhere")


def test_a_name_that_goes_on_behind_a_null_is_refused(tmp_path: Path, packed_session: Path) -> None:
    rewritten(packed_session, lambda files: files.update({"clips/x.wavQ/../../evil": b"evil"}))
    content = packed_session.read_bytes().replace(b"x.wavQ/", b"x.wav\0/")
    packed_session.write_bytes(content)
    refused(packed_session, tmp_path / "there", "")


def test_a_link_is_refused(tmp_path: Path, packed_session: Path) -> None:
    with zipfile.ZipFile(packed_session, "a") as pack:
        info = zipfile.ZipInfo("clips/link.wav")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        pack.writestr(info, "/etc/passwd")
    refused(packed_session, tmp_path / "there", "clips/link.wav is a link")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda files: files.update({"clips/zero.wav": bytes(64 * MEGABYTE)}), "almost nothing"),
        (lambda files: files.update({f"clips/{n}.wav": bytes(MEGABYTE) for n in range(40)}),
         "it is 43 MB of almost nothing"),
        (lambda files: files.update({"clips/X.wav": b"1", "clips/x.WAV": b"2"}), "the same to"),
        (lambda files: files.update({"clips/\u00e9.wav": b"1", "clips/e\u0301.wav": b"2"}),
         "the same to"),
        (lambda files: files.update({"other/x.wav": b"1"}), "other"),
        (lambda files: files.update({"encoded/x.safetensors": b"1"}), "no part of a session"),
        (lambda files: files.update({"presets/x.py": b"1"}), "no part of a session"),
        (lambda files: files.update({"readme.txt": b"1"}), "no part of a session"),
        (lambda files: files.pop("session.toml"), "is no packed session"),
        (lambda files: files.update({"session.toml": b"format = 1\n"}), "session.toml:1: model"),
        (lambda files: files.update({"session.toml": b"format = 9\nmodel = 'toy'\n"}), "version"),
        (lambda files: files.update({"session.toml": b"\xff\xfe"}), "session.toml: isn't UTF-8"),
    ],
)  # fmt: skip
def test_what_is_no_part_of_a_session_is_refused(
    tmp_path: Path, packed_session: Path, edit: Edit, words: str
) -> None:
    refused(rewritten(packed_session, edit), tmp_path / "there", words)


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "clips/../../x.wav", "x.wav", "clips/", "encoded/x.wav", "clips/.x"]
)
def test_a_session_may_name_no_file_outside_the_pack(
    tmp_path: Path, packed_session: Path, path: str
) -> None:
    def edit(files: dict[str, bytes]) -> None:
        text = files["session.toml"].decode()
        files["session.toml"] = text.replace("clips/a_ sound_.wav", path).encode()

    refused(rewritten(packed_session, edit), tmp_path / "there", "which isn't in it")


@pytest.mark.parametrize(("name", "key"), [("clip", "../x"), ("lora", "../x"),
                                           ("lora", "0" * 32 + "\\n")])  # fmt: skip
def test_a_reference_may_be_named_after_no_other_path(
    tmp_path: Path, packed_session: Path, name: str, key: str
) -> None:
    def edit(files: dict[str, bytes]) -> None:
        before = f'known]\nclip = "{OTHER_KEY}"'
        after = f'known]\nclip = "{key}"' if name == "clip" else f'{before}\nlora = "{key}"'
        text = files["session.toml"].decode()
        assert before in text
        files["session.toml"] = text.replace(before, after).encode()

    refused(rewritten(packed_session, edit), tmp_path / "there", "")


def test_what_the_engine_made_of_sounds_that_are_not_the_session_s_is_left(
    tmp_path: Path, packed_session: Path, session: KeptSession
) -> None:
    clip, reference = session.clips[0].clip, session.references[0].reference
    own = Pair(clip, reference, SamplingSettings(seed=3, recall=1.0), "match")
    fusions = {f"fusions/{own.key_at(Place(0.25), 48_000)}.safetensors": b"own"}
    others = {"encoded/abcdef.safetensors": b"evil", "fusions/abcdef.safetensors": b"evil"}
    rewritten(packed_session, lambda files: files.update(fusions | others))
    unpack(packed_session, tmp_path / "there")
    files = everything(tmp_path / "there")
    assert fusions.items() <= files.items() and not others.keys() & files.keys()
    assert {f"encoded/{key}.safetensors" for key in (KEY, OTHER_KEY)} <= files.keys()


def test_files_that_are_not_those_of_the_manifest_are_refused(
    tmp_path: Path, packed_session: Path
) -> None:
    whole, there = packed_session.read_bytes(), tmp_path / "there"
    for edit, words in (
        (lambda files: files.update({"clips/more.wav": b"1"}), "aren't those of its manifest"),
        (lambda files: files.pop("clips/a_ sound_.wav"), "aren't those of its manifest"),
        (lambda files: files.update({"presets/mine.toml": b"longer now\n" * 9}), "isn't as long"),
        (lambda files: files.update({"presets/mine.toml": b"format = 2\n"}), "is damaged"),
    ):
        packed_session.write_bytes(whole)
        refused(rewritten(packed_session, edit, listed=False), there, words)


def test_a_file_that_says_it_is_shorter_than_it_is_is_read_no_further(
    tmp_path: Path, packed_session: Path
) -> None:
    content = bytes(range(256)) * 40_000
    rewritten(packed_session, lambda files: files.update({"clips/long.wav": content}))
    raw = packed_session.read_bytes().replace(
        struct.pack("<I", len(content)), struct.pack("<I", 4096)
    )
    raw = raw.replace(f'"bytes": {len(content)}'.encode(), b'"bytes": 4096    ')
    packed_session.write_bytes(raw)
    refused(packed_session, tmp_path / "there", "")


def test_what_is_no_zip_or_half_of_one_is_refused(tmp_path: Path, packed_session: Path) -> None:
    whole, there = packed_session.read_bytes(), tmp_path / "there"
    generator = np.random.default_rng(0)
    for content in (b"", b"PK\x03\x04", b"RIFF" * 99, generator.bytes(MEGABYTE), whole[:-30],
                    whole[: len(whole) // 2], whole[len(whole) // 2 :]):  # fmt: skip
        packed_session.write_bytes(content)
        refused(packed_session, there, "")
    packed_session.unlink()
    refused(packed_session, there, "no such file")
    refused(tmp_path, there, "")


def test_damage_anywhere_is_noticed(tmp_path: Path, packed_session: Path) -> None:
    whole, there = packed_session.read_bytes(), tmp_path / "there"
    generator = np.random.default_rng(1)
    unnoticed = 0
    for at in generator.integers(0, len(whole), 200):
        broken = bytearray(whole)
        broken[at] ^= 0xFF
        packed_session.write_bytes(broken)
        try:
            done = unpack(packed_session, there)
        except BadInput:
            assert everything(there) == {}
        else:  # in a field that nobody reads, such as a time
            unnoticed += 1
            assert len(kept.read(done.path).clips) == 2
            for path in everything(there):
                (there / path).unlink()
    assert unnoticed < 20


def test_two_files_of_one_name_are_refused(tmp_path: Path, packed_session: Path) -> None:
    with zipfile.ZipFile(packed_session, "a") as pack, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pack.writestr("session.toml", "format = 1\n")
    refused(packed_session, tmp_path / "there", "the same to some")


def test_a_pack_of_another_format_or_name_is_refused(tmp_path: Path, packed_session: Path) -> None:
    whole, there = packed_session.read_bytes(), tmp_path / "there"
    for before, after, words in (
        (b'"format": 1', b'"format": 2', "format 2, which this version can't read"),
        (b'"name": "night"', b'"name": "../ni"', "is no name"),
        (b'"files"', b'"filed"', "damaged"),
    ):
        assert before in whole
        packed_session.write_bytes(_same_crc(packed_session, whole, before, after))
        refused(packed_session, there, words)


def _same_crc(path: Path, whole: bytes, before: bytes, after: bytes) -> bytes:
    """The same pack with another manifest, as a zip without a fault."""
    path.write_bytes(whole)
    with zipfile.ZipFile(path) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    files[packed.MANIFEST] = files[packed.MANIFEST].replace(before, after)
    with zipfile.ZipFile(path, "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    return path.read_bytes()


@pytest.mark.parametrize("free", [1000, 200 * MEGABYTE])
def test_no_room_is_said_before_anything_is_written_and_some_stays_free(
    tmp_path: Path, packed_session: Path, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr(packed.shutil, "disk_usage", lambda _folder: usage)
    refused(packed_session, tmp_path / "there", "are free")


def test_ready_fusions_are_found_by_the_pairs_of_the_session(
    tmp_path: Path, session: KeptSession
) -> None:
    clip, reference = session.clips[0].clip, session.references[0].reference
    sampling = SamplingSettings(seed=3, recall=1.0)
    pair = Pair(clip, reference, sampling, "match")
    for name in (pair.key_at(Place(0.25), 48_000), "0" * 32):
        (tmp_path / f"{name}.safetensors").write_bytes(b"x")
    found = list(packing.ready_fusions(session, tmp_path))
    assert [each.stem for each in found] == [pair.key_at(Place(0.25), 48_000)]
