"""UDF of Philips: text with keys, values and a slash at the end of each entry."""

from diffsym.errors import DiffsymError
from diffsym.experimental.readers.assembly import assembled, decoded, grid, k_alpha, loss, numbers
from diffsym.experimental.readers.base import MeasuredPattern


def read(content: bytes) -> MeasuredPattern:
    """Read the scan."""
    head, found, data = decoded(content).partition("\nRawScan")
    if not found:
        raise DiffsymError("there is no RawScan in the file; copy it anew, or export it as text")
    keys = {}
    for line in head.split("\n"):
        key, *values = [field.strip() for field in line.split(",")]
        keys[key] = [value for value in values if value != "/"]
    counts = numbers(data.partition("/")[0])
    first, last = (float(value) for value in keys["DataAngleRange"][:2])
    step = float(keys["ScanStepSize"][0])
    repairs = loss(round((last - first) / step) + 1, len(counts))
    first_line, second_line = (float((keys.get(f"LabdaAlpha{i}") or ["0"])[0]) for i in (1, 2))
    ratio = keys.get("RatioAlpha21")
    return assembled(
        grid(first, step, len(counts)),
        counts,
        wavelength=k_alpha(first_line, second_line, float(ratio[0]) if ratio else None),
        anode=(keys.get("Anode") or [""])[0],
        repairs=repairs,
    )
