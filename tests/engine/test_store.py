"""Keys of the store."""

from __future__ import annotations

from pathlib import Path

from eutectic.engine.store import Store


def test_a_key_names_no_other_folder(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    assert "../../secret" not in store
    (tmp_path / "secret.safetensors").write_bytes(b"")
    (tmp_path / "data" / "references").mkdir(parents=True)
    assert "../../secret" not in store
