"""One line that says what runs, how far a study is, and about how long it will take."""

from diffsym.progress.handler import follow

__all__ = ["follow"]
