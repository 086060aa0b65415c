"""What a daemon needs of its machine: what is there, and what to do about what isn't."""
