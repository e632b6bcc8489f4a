"""diffsym: learn crystal symmetry from diffraction."""

__version__ = "0.1.0"
