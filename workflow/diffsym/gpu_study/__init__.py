"""The papers' networks at full size in fifteen minutes of one GPU (docs/gpu.md)."""
