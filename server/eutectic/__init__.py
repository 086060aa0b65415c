"""Eutectic fuses two sounds into a third with diffusion inversion."""
