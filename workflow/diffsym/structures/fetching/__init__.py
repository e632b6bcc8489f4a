"""Downloads that need a client of their own."""

from diffsym.errors import DiffsymError


class MissingClientError(DiffsymError):
    """The client of a database is not installed where it was looked for."""
