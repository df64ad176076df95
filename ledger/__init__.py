"""The truth about every job: its database, its states, its bytes, and the wake-ups that tell workers of it."""
