"""Trains the model that ships."""
