"""Sound files as they are found: of many formats, with headers that lie, of unknown length."""
