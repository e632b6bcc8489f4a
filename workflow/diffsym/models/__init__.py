"""The published systems, one module each, and what trains them and lets them predict."""
