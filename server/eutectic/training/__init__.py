"""Training of the model that ships with Eutectic."""
