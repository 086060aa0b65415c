"""The operating system: processes, memory, shared memory."""
