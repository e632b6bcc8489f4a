"""Packs that come with the installation."""

from pathlib import Path

BUNDLED = Path(__file__).parent.parent / "packs"
"""Their folder."""
