"""Measured patterns in, descriptors and answers out."""
