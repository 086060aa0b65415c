"""An ear that isn't the model's own: fusions beside plain morphs (`eutectic bench --part ear`)."""
