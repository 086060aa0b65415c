"""Voices, their mix, and the audio device that plays it. NumPy only, no torch."""
