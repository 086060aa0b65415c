"""Processes, memory and shared memory, and what keeps memory bounded."""
