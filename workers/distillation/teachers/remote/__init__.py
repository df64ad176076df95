"""Teachers that another server answers for."""
