"""From the entries of a database to unique, checked and standardised crystal structures."""
