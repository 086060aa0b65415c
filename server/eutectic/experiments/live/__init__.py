"""The daemon as performers meet it: a process, UDP, JACK, and what is heard, measured."""
