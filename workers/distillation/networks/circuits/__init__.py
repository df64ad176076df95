"""Networks that are circuits: encoded rows, a trained circuit, a linear head."""
