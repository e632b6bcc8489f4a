"""Sources of structures: one module a kind."""
