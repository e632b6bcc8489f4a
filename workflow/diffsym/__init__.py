"""diffsym: learn crystal symmetry from diffraction."""
