"""Descriptors: what models see of a structure; one module a kind."""
