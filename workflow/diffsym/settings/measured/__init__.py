"""Sets of measured patterns: one module a kind."""
