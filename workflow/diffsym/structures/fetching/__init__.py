"""Downloads that need a client of their own."""
