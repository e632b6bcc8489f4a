"""A file of every format of measured patterns and functions, as `instrument_files` writes them."""

import io
import re
import zipfile

import instrument_files as files
from instrument_files import ALPHA_1, COUNTS, DOUBLET, NATURAL

# File, content, wavelength and anode that it states.
WHOLE = {
    "xrdml": ("a.xrdml", files.xrdml(), DOUBLET, "Cu"),
    "brml": ("a.brml", files.brml(), DOUBLET, "Cu"),
    "brml in a folder": ("a.brml", files.brml(folder="SAMPLE/"), DOUBLET, "Cu"),
    "rasx": ("a.rasx", files.rasx(), NATURAL, "Cu"),
    "ras": ("a.ras", files.ras(), NATURAL, "Cu"),
    "ras with an attenuator": ("a.ras", files.ras(factor=4), NATURAL, "Cu"),
    "ras of one line": ("a.ras", files.ras(kind="Ka1"), ALPHA_1, "Cu"),
    "RAW 1": ("a.raw", files.raw_1(), NATURAL, None),
    "RAW 2": ("a.raw", files.raw_2(), DOUBLET, "Cu"),
    "RAW 1.01": ("a.raw", files.raw_1_01(), DOUBLET, "Cu"),
    "RAW 4": ("a.raw", files.raw_4(), DOUBLET, "Cu"),
    "RAW 4 of short records": ("a.raw", files.raw_4(size=4), DOUBLET, "Cu"),
    "stoe": ("a.raw", files.stoe(), ALPHA_1, None),
    "Rigaku RAW": ("a.raw", files.rigaku_raw(), None, None),
    "uxd": ("a.uxd", files.uxd(), DOUBLET, "Cu"),
    "uxd of counts": (
        "a.uxd",
        files.uxd(kind="_COUNTS", data=files.lines_of(COUNTS, 8, 10)),
        DOUBLET,
        "Cu",
    ),
    "udf": ("a.udf", files.udf(), DOUBLET, "Cu"),
    "Rigaku ASC": ("a.asc", files.rigaku_asc(), NATURAL, None),
    "GSAS STD": ("a.gsa", files.gsas("STD"), None, None),
    "GSAS ESD": ("a.gss", files.gsas("ESD"), None, None),
    "GSAS FXYE": (
        "a.fxye",
        files.gsas("FXYE", remark="# Calibrated wavelength = 0.4131"),
        0.4131,
        None,
    ),
    "FullProf": ("a.dat", files.blocks(), None, None),
    "Maud": ("a.dat", files.maud(), ALPHA_1, None),
    "ASCII RAW": ("a.raw", files.ascii_raw(), NATURAL, "Cu"),
    "Fit2D": ("a.chi", files.chi(), None, None),
    "DASH": ("a.xye", f"{ALPHA_1}\n{files.pairs()}".encode(), ALPHA_1, None),
    "pyFAI": (
        "a.xy",
        f"# Wavelength: 4.13e-11 m\n# 2th_deg I\n{files.pairs()}".encode(),
        0.413,
        None,
    ),
    "EVA": ("a.xy", f'\'Id: "" Anode: "Cu"\n{files.pairs()}'.encode(), None, "Cu"),
    "UTF-16": ("a.txt", f"2theta;counts\n{files.pairs(';')}".encode("utf-16"), None, None),
    "prn": ("a.prn", files.pairs("   ").replace("\n", "\r").encode(), None, None),
    "powder CIF, range": ("a.cif", files.pdcif(), ALPHA_1, None),
    "powder CIF, list": ("a.cif", files.pdcif(angles="list", length=None), None, None),
}


def one_more(write):
    """What a function of `instrument_files` writes if all counts are larger by one."""
    files.COUNTS = COUNTS + 1
    try:
        return write()
    finally:
        files.COUNTS = COUNTS


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def two_archives(write, old, new):
    """An archive with the members of two, of which those of the second have other names."""
    second = members(one_more(write))
    return files.zipped(
        members(write()) | {re.sub(old, new, name): text for name, text in second.items()}
    )


def from_word(word, content):
    return content[content.index(word) :]


SECOND_SCAN = re.search(rb"<scan .*</scan>", one_more(files.xrdml), re.DOTALL)[0].decode()
TWO = {
    "xrdml": ("a.xrdml", files.xrdml(more=SECOND_SCAN), ("1 Gonio", "2 Gonio")),
    "brml": (
        "a.brml",
        two_archives(files.brml, "RawData0", "RawData1"),
        ("Experiment0/RawData0.xml", "Experiment0/RawData1.xml"),
    ),
    "rasx": (
        "a.rasx",
        two_archives(files.rasx, "Data0", "Data1"),
        ("Data0/Profile0.txt", "Data1/Profile0.txt"),
    ),
    "ras": (
        "a.ras",
        files.ras().replace(b"*RAS_DATA_END\r\n", b"")
        + from_word(b"*RAS_HEADER_START", one_more(files.ras)),
        ("1 2-Theta", "2 2-Theta"),
    ),
    "RAW 1": ("a.raw", files.raw_1(ranges=2), ("range 1", "range 2")),
    "old RAW 1": ("a.raw", files.raw_1(ranges=2, repeats=False), ("range 1", "range 2")),
    "RAW 2": ("a.raw", files.raw_2(ranges=2), ("range 1", "range 2")),
    "RAW 1.01": ("a.raw", files.raw_1_01(ranges=2), ("range 1", "range 2")),
    "RAW 4": ("a.raw", files.raw_4(ranges=2), ("range 1", "range 2")),
    "uxd": (
        "a.uxd",
        files.uxd() + from_word(b"; (Data for", one_more(files.uxd)),
        ("range 1", "range 2"),
    ),
    "Rigaku ASC": (
        "a.asc",
        files.rigaku_asc().replace(b"*EOF\n", b"")
        + from_word(b"*BEGIN", one_more(files.rigaku_asc)),
        ("group 1", "group 2"),
    ),
    "GSAS": (
        "a.gsa",
        files.gsas() + from_word(b"BANK 1", one_more(files.gsas)).replace(b"BANK 1", b"BANK 2"),
        ("bank 1", "bank 2"),
    ),
    "powder CIF": (
        "a.cif",
        files.pdcif()
        + from_word(b"data_pattern", one_more(files.pdcif)).replace(b"data_pattern", b"data_more"),
        ("pattern", "more"),
    ),
}


UNKNOWN = (None, None, None, None, "")
# Name, content, largest and smallest Q, Qdamp, radiation and program.
FUNCTIONS = {
    "PDFgetX3": ("a.gr", files.gr(files.PDFGETX3), (15.0, 0.85, None, "X", "PDFgetX3")),
    "xPDFsuite": (
        "a.gr",
        files.gr(files.PDFGETX3.replace("PDFgetXgui", "xPDFsuite").replace("xray", "neutron")),
        (15.0, 0.85, None, "N", "xPDFsuite"),
    ),
    "PDFgetX2": (
        "a.gr",
        files.gr(files.PDFGETX2, more=" 0.1 0.2"),
        (40.0, 1.0, None, "X", "PDFgetX2"),
    ),
    "PDFgetN": ("a.gr", files.gr(files.PDFGETN, more=" 0 2.1"), (27.0, 0.95, None, "N", "PDFgetN")),
    "Mantid": (
        "a.gr",
        files.gr("#Comment: neutron, Qmin=0.32, Qmax=40\n#S 1 - PDF from Mantid 3\n#L r G(r)\n"),
        (40.0, 0.32, None, "N", "Mantid"),
    ),
    "NOMAD": ("a.gr", files.gr("# 15707\n# NOM_9999_Si.gr\n#\n"), (None, None, None, "N", "NOMAD")),
    "columns": ("a.gr", files.gr(), UNKNOWN),
    "columns of a spreadsheet": (
        "a.csv",
        b"r,G(r)\n" + files.gr().replace(b" ", b","),
        UNKNOWN,
    ),
    "Qdamp": ("a.gr", files.gr("# qdamp = 0.04\n# qmax=23\n"), (23.0, None, 0.04, None, "")),
    "PDFgui": ("a.dat", files.gr(more=" 0.00000 1.00000 0.5"), UNKNOWN),
}
