"""Formats of measured patterns: which module reads a file, by the suffix of its name."""

TEXT = "diffsym.experimental.readers.text"
READERS = {
    ".asc": TEXT,
    ".csv": TEXT,
    ".dat": TEXT,
    ".txt": TEXT,
    ".xy": TEXT,
    ".xye": TEXT,
}
