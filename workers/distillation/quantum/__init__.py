"""Quantum students beside their controls, and where they would run: as circuits, with shots and noise."""
