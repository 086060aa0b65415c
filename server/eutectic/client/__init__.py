"""Clients of the daemon, for scripts and notebooks."""
