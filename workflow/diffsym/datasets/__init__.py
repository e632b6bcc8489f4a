"""What models learn from: class sets, splits, their leakage, and the feeding of batches."""
