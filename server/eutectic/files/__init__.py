"""Files written whole or not at all; TOML that people write; what ships."""
