"""Measures the daemon from outside, as performers use it: a process, UDP, JACK, and its sound."""
