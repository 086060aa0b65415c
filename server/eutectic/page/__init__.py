"""The stage page: a process of its own, between browsers and the daemon; started by `host`."""
