"""Encoders of text as `transformers` and sentence-transformers keep them: a folder with weights and a tokenizer."""
