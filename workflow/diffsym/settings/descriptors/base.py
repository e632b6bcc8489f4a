"""What all descriptors share."""

from typing import ClassVar

from diffsym.settings.base import Section


class Descriptor(Section):
    """Any kind of descriptor."""

    module: ClassVar[str]
    """Module that computes it: `compute` and `axis`."""
    from_reflections: ClassVar[bool] = False
    """Whether it is computed from powder lines."""
    has_images: ClassVar[bool] = False
    """Whether it is several images, not one vector."""
    has_products: ClassVar[bool] = False
    """Whether it is short enough for the products of all pairs of its values."""
    is_pattern: ClassVar[bool] = False
    """Whether it is a powder pattern (`diffsym.settings.patterns`)."""
    conversion: ClassVar[str | None] = None
    """Module that turns measured patterns into it: `convert`; None: there is none."""

    kind: str

    @property
    def environment(self) -> str:
        """Conda environment of its jobs."""
        return "descriptors"

    @property
    def d_star_range(self) -> tuple[float, float] | None:
        """Lowest and highest 1/d of an ideal profile, 1/A; None: it is none."""
        return None

    @property
    def is_rendered(self) -> bool:
        """Whether its vectors are rendered anew, with other noise, in each epoch of a training."""
        return getattr(self, "augmentation", None) is not None
