"""What is measured and shown with the engine: distances, the window, the demo, benchmarks."""
