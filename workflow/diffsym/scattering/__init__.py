"""The physics: arrays in, arrays out, no files."""
