"""Every request that the daemon takes, once, by chapter; `osc.table` lists them."""
