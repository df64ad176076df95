"""Circuits that torch differentiates: lowered to three kinds of operation, run on many rows and sets of weights."""
