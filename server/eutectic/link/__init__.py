"""The engine process as the daemon sees it: the protocol and the host that supervises it."""
