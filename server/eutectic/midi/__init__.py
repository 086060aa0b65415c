"""MIDI controllers: their maps, what each control does, and their ports."""
