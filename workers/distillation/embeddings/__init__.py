"""Encoders of texts that learn the vectors of a larger one."""
