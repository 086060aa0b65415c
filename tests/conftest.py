"""Shapes in annotations are checked while the tests run (jaxtyping with beartype)."""

from jaxtyping import install_import_hook

install_import_hook("eutectic.engine", "beartype.beartype")
