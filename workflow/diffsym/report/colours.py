"""Colours of the crystal systems, in all pictures (Okabe and Ito 2008, Color Universal Design)."""

SYSTEM_COLOURS = {
    "triclinic": "#0072B2",
    "monoclinic": "#E69F00",
    "orthorhombic": "#009E73",
    "tetragonal": "#56B4E9",
    "trigonal": "#8C8C8C",
    "hexagonal": "#F0E442",
    "cubic": "#D55E00",
}
EDGE_COLOURS = {
    system: "#4D4D00" if system == "hexagonal" else colour
    for system, colour in SYSTEM_COLOURS.items()
}
"""Yellow on white needs a dark edge; all others have edges in their own colour."""
