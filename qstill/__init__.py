"""What a Python program may import of Qstill: the client, and the contract that all of its rooms agree on."""

__version__ = "0.1.0"
