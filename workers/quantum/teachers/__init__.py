"""Circuits that teach: their expectation values, exact or from shots, and the frequencies that they have."""
