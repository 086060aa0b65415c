"""The daemon's end of the engine process, and what passes between the two."""
