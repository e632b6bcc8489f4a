"""What a network sees of a structure."""
