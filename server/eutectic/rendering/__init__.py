"""Many fusions: planned, made by workers here or on a cluster, written with a manifest."""
