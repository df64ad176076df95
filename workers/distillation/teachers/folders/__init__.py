"""Teachers that came with a tokenizer: they read whole texts, whatever tokens the student reads."""
