"""Models: one module a kind."""
