"""What all sets of measured patterns share."""

from dataclasses import dataclass, field
from typing import ClassVar

from diffsym.settings.base import Positive, Section, Share


@dataclass(frozen=True, kw_only=True)
class PeakSearch(Section):
    """How lines are found in measured patterns, for networks on ideal profiles."""

    signal_to_noise: Positive = 5.0
    """A line exceeds the noise by at least this many standard deviations."""
    profile_error: Share = 0.05
    """Share by which peaks may differ from the fitted shape; raise it if strong lines have
    satellites.
    """


@dataclass(frozen=True, kw_only=True)
class Measured(Section):
    """Any set of measured patterns."""

    is_pattern: ClassVar[bool] = False
    """Whether it says how powder patterns are rendered (`diffsym.settings.patterns`)."""
    simulated: ClassVar[bool]
    """Whether the patterns are rendered from structures of a test part."""
    module: ClassVar[str]
    """Module that reads it, if it is not simulated."""
    fetcher: ClassVar[str | None] = None
    """Module that fetches it."""
    download: ClassVar[str | None] = None
    """Pattern of the name of the file that is fetched; None: the user's `path` is read."""
    wanted: ClassVar[str] = ""
    """What the user has to set `path` to."""
    search: PeakSearch = field(default_factory=PeakSearch)
    """How lines are found."""

    @classmethod
    def fetched_by(cls) -> str:
        """Module with `fetch`, and `check_access`, which says at once why that would fail."""
        return str(cls.fetcher)
