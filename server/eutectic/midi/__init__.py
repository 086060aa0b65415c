"""Controllers: their maps, what each control does, and the ports that they are on."""
