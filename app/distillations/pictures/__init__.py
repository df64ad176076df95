"""Pictures of a report: which there are, and how each is drawn."""
