"""Teachers that came as a file: weights, and answers or counts of rows."""
