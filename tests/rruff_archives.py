"""Archives of the layout of the RRUFF project's, with numbers of our own."""

import io
import zipfile

import numpy as np

ANGLES = np.round(5 + 0.05 * np.arange(1701), 2)
CONFIRMED = "The identification of this mineral has been confirmed by X-ray diffraction."


def profile(*positions, seed=0):
    heights = 100 * np.exp(-((ANGLES[:, None] - positions) ** 2) / 0.02).sum(axis=1)
    return np.round(heights + np.random.default_rng(seed).poisson(5, len(ANGLES)), 3)


def pattern(mineral, number, intensity, **headers):
    """A text of the layout of the project's patterns."""
    told = {
        "NAMES": mineral,
        "RRUFFID": number.partition("-")[0],
        "IDEAL CHEMISTRY": "calculated from the ideal formula",
        "LOCALITY": "a quarry with neutrons and 2 theta in its name",
        "OWNER": "RRUFF",
        "SOURCE": "somebody",
        "DIFFRACTION SAMPLE DESCRIPTION": "Powder",
        "STATUS": CONFIRMED,
    } | headers
    head = "\r\n".join(f"##{key}={value}" for key, value in told.items())
    points = "\r\n".join(f"{x:.4f}, {y}" for x, y in zip(ANGLES, intensity, strict=True))
    return f"{head}\r\n{points}\r\n##END=\r\n"


def dif(symbol, cell, wavelength="1.541838"):
    """A text of the layout of the project's DIF files."""
    return (
        f"      A mineral\r\n\r\n      CELL PARAMETERS:    {cell}\r\n"
        f"      SPACE GROUP: {symbol}         \r\n      X-RAY WAVELENGTH:     {wavelength}\r\n"
        "      MAX. ABS. INTENSITY / VOLUME**2:      45.\r\n\r\n"
        "                  2-THETA      INTENSITY    D-SPACING   H   K   L\r\n"
        "                    20.88        21.53        4.2574    1   0   0\r\n"
        "=====\r\n     XPOW Copyright 1993\r\n"
    )


def packed(texts, folder=""):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(f"{folder}{name}", text.encode("latin-1"))
    return content.getvalue()


def named(stem, kind, number):
    return f"{stem}__Powder__{kind}__{number}.txt"
