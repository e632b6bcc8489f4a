"""What models learn from: class sets, splits and their leakage, and batches."""
