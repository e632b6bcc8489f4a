"""Small files of instruments, written as the instruments write them, with invented numbers."""

import io
import struct
import zipfile

import numpy as np

FIRST, STEP, N = 10.0, 0.05, 403
LAST = FIRST + STEP * (N - 1)
ANGLES = FIRST + STEP * np.arange(N)
COUNTS = np.round(
    np.random.default_rng(7).poisson(90, N)
    + 4000 * np.exp(-(((ANGLES - 18.3) / 0.2) ** 2))
    + 900 * np.exp(-(((ANGLES - 25.1) / 0.2) ** 2))
)
ALPHA_1, ALPHA_2, RATIO = 1.5401, 1.5441, 0.49
DOUBLET = ((ALPHA_1, 1.0), (ALPHA_2, RATIO))
NATURAL = ((ALPHA_1, 1.0), (ALPHA_2, 0.5))


def plain(values):
    return " ".join(f"{value:g}" for value in values)


def xrdml(*, data=None, axis="Gonio", positions=None, more="", schema="2.1"):
    data = f"<counts>{plain(COUNTS)}</counts>" if data is None else data
    if positions is None:
        positions = f"<startPosition>{FIRST}</startPosition><endPosition>{LAST}</endPosition>"
    return f"""\ufeff<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/{schema}">
<xrdMeasurement measurementType="Scan" status="Completed">
<usedWavelength intended="K-Alpha 1"><kAlpha1 unit="Angstrom">{ALPHA_1}</kAlpha1>
<kAlpha2 unit="Angstrom">{ALPHA_2}</kAlpha2><kBeta unit="Angstrom">1.39</kBeta>
<ratioKAlpha2KAlpha1>{RATIO}</ratioKAlpha2KAlpha1></usedWavelength>
<incidentBeamPath><xRayTube><anodeMaterial>Cu</anodeMaterial></xRayTube></incidentBeamPath>
<scan scanAxis="{axis}" status="Completed"><dataPoints>
<positions axis="2Theta" unit="deg">{positions}</positions>
<positions axis="Omega" unit="deg"><startPosition>5</startPosition><endPosition>15</endPosition>
</positions>{data}</dataPoints></scan>{more}
</xrdMeasurement></xrdMeasurements>
""".encode()


R = 0.02 * np.arange(1, 1251)
G = np.round(3 * np.sin(6 * R) * np.exp(-((0.1 * R) ** 2)) - 0.4 * R * np.exp(-((0.3 * R) ** 2)), 6)


def gr(heading="", *, more="", r=R, function=G):
    return (
        heading.encode()
        + "".join(
            f"{x:.4f} {y!r}{more}\n" for x, y in zip(r.tolist(), function.tolist(), strict=True)
        ).encode()
    )


PDFGETX3 = """# PDFgetXgui Configuration #
[PDF]
wavelength = 0.1
mode = xray
qmaxinst = 29.0
qmin = 0.85
qmax = 15.0
rmax = 25.0

#### start data
#S 1
#L r($\\AA$)  G($\\AA^{-2}$)
"""
PDFGETX2 = """History written: today
####### Get_XPDF #######
## X-Ray   radiationtype=3
lambda=0.126514
1 145.0 2.59 20.0
## S(q)  qmin=1.000000    qmax=40.000000
optqmin=20.0    optqmax=30.0    optrmax=2.2
##### start data
#L r    G(r)    d_r    d_Gr
"""
PDFGETN = """History written: today
prep=gsas     machine=gppd
 1   145.00    2.59  20.00
## Damp     Qmin=0.95     Qmax=27.00     startDampQ=27.00
#S 1 - PDF from PDFgetN
#P0    3.63025    7.56024
#L r G(r) dr dG(r)
"""


def zipped(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def brml(*, folder="", axis="TwoTheta", channels=1):
    rows = "".join(
        f"<Datum>1,2.5,{angle / 2:.4f},{angle:.4f},{-angle:.4f},{count:g}</Datum>"
        for angle, count in zip(ANGLES, COUNTS, strict=True)
    )
    raw = f"""<?xml version="1.0"?><RawData><DataRoutes>
<DataRoute RouteFlag="Measured"><ScanInformation VisibleName="2Theta-Omega" />{rows}<DataViews>
<RawDataView Start="0" Length="1" LogicName="MeasuredTime" />
<RawDataView Start="1" Length="1" LogicName="AbsorptionFactor" />
<RawDataView Start="2" Length="2"><Varying><FieldDefinitions FieldName="Theta" />
<FieldDefinitions FieldName="{axis}" /></Varying></RawDataView>
<RawDataView Start="4" Length="1"><Varying><FieldDefinitions FieldName="RecSpX" /></Varying>
</RawDataView><RawDataView Start="5" Length="{channels}"><Recording LogicName="Counter0D" />
</RawDataView></DataViews></DataRoute></DataRoutes><Tube>
<WaveLengthAlpha1 Unit="A" Value="{ALPHA_1}" /><WaveLengthAlpha2 Unit="A" Value="{ALPHA_2}" />
<WaveLengthRatio Unit="" Value="{RATIO}" /><TubeMaterial>Cu</TubeMaterial></Tube></RawData>"""
    return zipped(
        {
            f"{folder}experimentCollection.xml": "<Experiments />",
            f"{folder}Experiment0/RawData0.xml": raw,
        }
    )


def three_columns(factor=1):
    return "".join(
        f"{angle:.4f}\t{count / factor:.6f}\t{factor:.4f}\r\n"
        for angle, count in zip(ANGLES, COUNTS, strict=True)
    )


def rasx(*, axis="TwoThetaTheta", declared=N):
    conditions = f"""\ufeff<?xml version="1.0" encoding="utf-8"?><MeasurementConditions>
<HWConfigurations><XrayGenerator><TargetName>Cu</TargetName><WaveType>Ka</WaveType>
<WavelengthKbeta>1.39</WavelengthKbeta><WavelengthKalpha1>{ALPHA_1}</WavelengthKalpha1>
<WavelengthKalpha2>{ALPHA_2}</WavelengthKalpha2></XrayGenerator></HWConfigurations>
<ScanInformation><AxisName>{axis}</AxisName><DataCount>{declared}</DataCount></ScanInformation>
</MeasurementConditions>"""
    return zipped(
        {
            "Data0/Profile0.txt": "\ufeff" + three_columns(),
            "Data0/MesurementConditions0.xml": conditions,
            "root.xml": "<Root />",
        }
    )


def ras(*, axis="TwoThetaTheta", kind="Ka", scans=1, factor=1):
    scan = (
        f"""*RAS_HEADER_START
*FILE_COMMENT "\u6e2c\u5b9a"
*HW_XG_TARGET_NAME "Cu"
*HW_XG_WAVE_LENGTH_ALPHA1 "{ALPHA_1}"
*HW_XG_WAVE_LENGTH_ALPHA2 "{ALPHA_2}"
*HW_XG_WAVE_LENGTH_BETA "1.39"
*MEAS_COND_XG_WAVE_TYPE "{kind}"
*MEAS_DATA_COUNT "{N}.0000000000"
*MEAS_SCAN_AXIS_X "2-Theta"
*MEAS_SCAN_AXIS_X_INTERNAL "{axis}"
*RAS_HEADER_END
*RAS_INT_START
""".replace("\n", "\r\n")
        + three_columns(factor)
    )
    scan += "*RAS_INT_END\r\n"
    return f"*RAS_DATA_START\r\n{scan * scans}*RAS_DATA_END\r\n".encode("shift_jis")


def raw_1(*, ranges=1, repeats=True):
    content = b""
    for i in range(ranges):
        head = bytearray(156)
        struct.pack_into("<4sif", head, 0, b"RAW ", N, 2.0)
        struct.pack_into("<f", head, 12, STEP)
        struct.pack_into("<f", head, 24, FIRST)
        struct.pack_into("<2f", head, 72, ALPHA_1, ALPHA_2)
        struct.pack_into("<i", head, 152, ranges - 1 - i)
        # Old programs did not repeat the first word.
        head = bytes(head) if repeats or not i else bytes(head[4:])
        content += head + (COUNTS + i).astype("<f4").tobytes()
    return content


def raw_2(*, ranges=1):
    head = bytearray(256)
    struct.pack_into("<4sH", head, 0, b"RAW2", ranges)
    struct.pack_into("<2s3f", head, 188, b"Cu", ALPHA_1, ALPHA_2, RATIO)
    of_range = bytearray(60)
    struct.pack_into("<HH", of_range, 0, 60, N)
    struct.pack_into("<2f", of_range, 12, STEP, FIRST)
    return bytes(head) + b"".join(
        bytes(of_range) + (COUNTS + i).astype("<f4").tobytes() for i in range(ranges)
    )


def raw_1_01(*, kind=0, ranges=1):
    head, extra = bytearray(712), bytes(40)
    struct.pack_into("<8sii", head, 0, b"RAW1.01", 0, ranges)
    head[608:610] = b"Cu"
    struct.pack_into("<5d", head, 616, 1.5414, ALPHA_1, ALPHA_2, 1.39, RATIO)
    of_range = bytearray(304)
    struct.pack_into("<iidd", of_range, 0, 304, N, FIRST / 2, FIRST)
    struct.pack_into("<d", of_range, 176, STEP)
    struct.pack_into("<i", of_range, 196, kind)
    struct.pack_into("<ii", of_range, 252, 4, len(extra))
    return bytes(head) + b"".join(
        bytes(of_range) + extra + (COUNTS + i).astype("<f4").tobytes() for i in range(ranges)
    )


def raw_4(*, size=8, drive=b"Locked Coupled", counts=COUNTS, ranges=1):
    head = bytearray(61)
    head[:7] = b"RAW4.00"
    struct.pack_into("<i", head, 40, ranges)
    comment = struct.pack("<ii20s24s", 10, 52, b"", b"SAMPLEID")
    tube = bytearray(136)
    struct.pack_into("<ii", tube, 0, 30, 136)
    struct.pack_into("<5d", tube, 72, 1.5414, ALPHA_1, ALPHA_2, 1.39, RATIO)
    tube[116:118] = b"Cu"
    of_range, extra = bytearray(160), bytes(33)
    struct.pack_into("<iii", of_range, 0, 0, N, N)
    of_range[32 : 32 + len(drive)] = drive
    struct.pack_into("<dd", of_range, 72, FIRST, STEP)
    struct.pack_into("<i", of_range, 88, N)
    struct.pack_into("<ii", of_range, 136, size, len(extra))
    scans = (
        b"".join(struct.pack("<f", count + i).ljust(size, b"\1") for count in counts)
        for i in range(ranges)
    )
    of_range = bytes(of_range) + extra
    return bytes(head) + comment + bytes(tube) + b"".join(of_range + scan for scan in scans)


def stoe():
    head = bytearray(0xA00)
    head[:14] = b"RAW_1.06Powdat"
    struct.pack_into("<f", head, 0x142, ALPHA_1)
    struct.pack_into("<h", head, 0x822, N)
    struct.pack_into("<6f", head, 0x82C, FIRST, FIRST / 2, LAST, LAST / 2, STEP, STEP / 2)
    return bytes(head) + COUNTS.astype("<i4").tobytes()


def rigaku_raw():
    head = bytearray(3158)
    head[:2] = b"FI"
    struct.pack_into("<3f", head, 2962, FIRST, LAST, STEP)
    struct.pack_into("<I", head, 3154, N)
    return bytes(head) + COUNTS.astype("<f4").tobytes()


def pairs(separator=" ", decimals=2):
    return "".join(
        f"{angle:.{decimals}f}{separator}{count:g}\n"
        for angle, count in zip(ANGLES, COUNTS, strict=True)
    )


def lines_of(values, n, width=8):
    fields = [f"{value:{width}.0f}" for value in values]
    return "".join("".join(fields[i : i + n]) + "\n" for i in range(0, len(fields), n))


def uxd(*, drive="COUPLED", kind="_2THETACOUNTS", data=None, ranges=1):
    of_range = f"""; (Data for Range number 1)
_DRIVE='{drive}'
_STEPTIME=1.000000
_STEPSIZE={STEP:.6f}
_START={FIRST:.6f}
_STEPCOUNT={N}
{kind}
{pairs("   ") if data is None else data}"""
    head = f"""; converted
_FILEVERSION=2
_SAMPLE='invented'
_WL1={ALPHA_1}
_WL2={ALPHA_2}
_WL3=1.39
_WLRATIO={RATIO}
_ANODE='Cu'
"""
    return (head + of_range * ranges).encode()


def udf():
    text = "".join(f" {count:g}," for count in COUNTS)
    return f"""SampleIdent,invented ,/
Anode,Cu,/
LabdaAlpha1, {ALPHA_1},/
LabdaAlpha2, {ALPHA_2},/
RatioAlpha21, {RATIO},/
DataAngleRange, {FIRST}, {LAST:.4f},/
ScanStepSize, {STEP},/
ScanType,CONTINUOUS,/
RawScan
{text[:-1]}/
""".encode()


def rigaku_asc(*, axis="2theta/theta"):
    rows = "".join(
        ", ".join(f"{count:g}" for count in COUNTS[i : i + 4]) + "\n" for i in range(0, N, 4)
    )
    return f"""*TYPE\t\t=  Raw
*CLASS\t\t=  ASCII CLASS
*SCAN_AXIS\t=  {axis}
*WAVE_LENGTH1\t=  {ALPHA_1}
*WAVE_LENGTH2\t=  {ALPHA_2}
*BEGIN
*START\t\t=  {FIRST}
*STOP\t\t=  {LAST}
*STEP\t\t=  {STEP}
*COUNT\t\t=  {N}
{rows}*END
*EOF
""".encode()


def gsas(kind="STD", *, declared=N, head="CONST 1000.0 5.0 0 0", remark="title"):
    if kind == "STD":
        # Some fields begin with the number of detectors.
        data = "".join(
            "".join(f"{10 if k % 3 else '  '}{count:6.0f}" for k, count in enumerate(row)) + "\n"
            for row in np.array_split(COUNTS, range(10, N, 10))
        )
    elif kind == "ESD":
        both = np.column_stack([COUNTS, np.sqrt(COUNTS)]).ravel()
        data = lines_of(both, 10) + "\n"
    else:
        data = "".join(
            f" {100 * angle:.4f} {count:.2f} {np.sqrt(count):.3f}\n"
            for angle, count in zip(ANGLES, COUNTS, strict=True)
        )
    return f"{remark}\nBANK 1 {declared} 41 {head} {kind}\n{data}".encode()


def blocks(title="invented", last=LAST):
    return f"{FIRST:.3f} {STEP:.3f} {last:.3f} {title}\n{lines_of(COUNTS, 10)}".encode()


def maud():
    rows = "\r".join(f"{count:g}" for count in COUNTS)
    return f"title\r{N} {STEP} {FIRST} {ALPHA_1} 1\r{rows}\r".encode()


def ascii_raw():
    head = [".RAW", "01-JAN-97", "09:00", "title", 1, 2, 1, 4, LAST, 20, 0, 40, "CU", 200, 2, 2]
    head += ["", "**", 1.5414, ALPHA_1, ALPHA_2, 1.39, FIRST, STEP, f"{N} 1", 12, "", COUNTS.max()]
    return "\r".join(map(str, [*head, *COUNTS])).encode()


def chi(axis="2-Theta Angle (Degrees)", declared=N):
    rows = "".join(f" {a:.7E}  {c:.7E}\n" for a, c in zip(ANGLES, COUNTS, strict=True))
    return f"image.tif: Q space\n{axis}\nIntensity\n       {declared}\n{rows}".encode()


def pdcif(*, angles="range", head="", tag="_pd_meas_intensity_total", length=ALPHA_1):
    other = f"data_experiment\n_diffrn_radiation_wavelength {length}\n" if length else ""
    if angles == "range":
        span = (
            f"_pd_meas_2theta_range_min {FIRST}\n_pd_meas_2theta_range_max {LAST}\n"
            f"_pd_meas_2theta_range_inc {STEP}\n"
        )
        loop = f"loop_\n{tag}\n_pd_proc_ls_weight\n"
        rows = "".join(f"{count:g}({np.sqrt(count):.0f}) 1.0\n" for count in COUNTS)
    else:
        span = ""
        loop = f"loop_\n_pd_meas_2theta_scan\n{tag}\n"
        rows = pairs(decimals=4)
    return f"# CIF\n\n{other}data_pattern\n{head}{span}{loop}{rows}".encode()
