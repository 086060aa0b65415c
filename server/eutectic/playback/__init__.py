"""Voices, their mix, and the audio device it is played on. NumPy only, no torch."""
