"""What the operating system gives: memory, shared memory."""
