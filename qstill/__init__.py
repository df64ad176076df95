"""What a Python program may import of Qstill, and what all of its rooms agree on. Needs pydantic alone."""

__version__ = "0.1.0"
