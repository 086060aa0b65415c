"""OSC: the table of messages, packets, sockets, and how the daemon is found."""
