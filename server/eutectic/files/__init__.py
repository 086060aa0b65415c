"""Files: atomic writes, TOML that people edit, and the presets that ship."""
