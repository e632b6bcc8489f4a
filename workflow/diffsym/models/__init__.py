"""The published systems, one module each, and the code that trains and runs them."""
