"""Measured patterns in, descriptors and predictions out."""
