"""What the daemon knows and does: clips, references, voices, and every request on them."""
