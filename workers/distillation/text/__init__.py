"""Text: reading it, making tokens of it, and what is measured of language models beside what all networks share."""
