"""The formats that are read: by what they are known, what of them is honoured and on what that is tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from merl.readers.arrays import read_array
from merl.readers.carts import read_cart_export
from merl.readers.cpsc2018 import read_cpsc2018
from merl.readers.dicom import read_dicom
from merl.readers.edf import read_edf
from merl.readers.stated import Stated
from merl.readers.tables import read_table
from merl.readers.wfdb import read_wfdb
from merl.records import ECGRecord


@dataclass(frozen=True)
class Format:
    """One row of the readers' table.

    Attributes:
        name: what it is called.
        suffixes: of its files, in lower case.
        read: its reader, of files that say their rate, unit and leads themselves.
        read_stated: its reader, of files for which somebody else may have to say them.
        honoured: what of the file is taken as it says.
        tested_on: which real files, or who wrote them.
    """

    name: str
    suffixes: tuple[str, ...]
    honoured: str
    tested_on: str
    read: Callable[[Path], ECGRecord] | None = None
    read_stated: Callable[[Path, Stated], ECGRecord] | None = None


FORMATS = (
    Format(
        "WFDB, PhysioNet Challenge",
        (".hea", ".dat", ".mat"),
        "gain, baseline, unit and lead of each signal; invalid-sample mark; checksums; segments with"
        " their lengths;"
        " all storage formats of the wfdb library",
        "real: PTB-XL, MIT-BIH, Challenge 2021; written by the wfdb library",
        read=read_wfdb,
    ),
    Format(
        "CPSC2018",
        (".mat",),
        "ECG.data as the challenge describes it: 12 leads, 500 Hz, millivolts",
        "real: CPSC2018",
        read=read_cpsc2018,
    ),
    Format(
        "DICOM 12-lead and general ECG",
        (".dcm", ".dicom"),
        "sensitivity, its correction and unit, baseline, lead codes (SCPECG, MDC), padding value, skew; the"
        " one original group, not derived ones",
        "real: waveform_ecg.dcm of pydicom",
        read=read_dicom,
    ),
    Format(
        "EDF, EDF+, BDF, BDF+",
        (".edf", ".bdf"),
        "digital and physical range, physical dimension, label; other signals than ECG are left, and of an"
        " unknown label its text",
        "written by edfio, and byte by byte from the specification",
        read=read_edf,
    ),
    Format(
        "HL7 aECG",
        (".xml",),
        "scale, origin and their units, increment of time, MDC lead codes; the rhythm, not derived beats",
        "written from the implementation guide of the standard (2005)",
        read=read_cart_export,
    ),
    Format(
        "GE MUSE XML",
        (".xml",),
        "amplitude units per bit and their unit, sample base and exponent, byte and sample counts, CRC-32,"
        " lead off; the rhythm, not the median",
        "written from restecg.dtd",
        read=read_cart_export,
    ),
    Format(
        "Philips XML (Sierra 1.03, 1.04)",
        (".xml",),
        "resolution, offset, XLI compression, reduced limb leads; the calibration second at the end is"
        " cut off",
        "real: 129DYPRG.XML of the Sierra ECG tools, and agreement with sierraecg",
        read=read_cart_export,
    ),
    Format(
        "SCP-ECG (EN 1064)",
        (".scp",),
        "amplitude multiplier, sample interval, lead codes, Huffman tables, differences, checksums",
        "written from the standard",
        read=read_cart_export,
    ),
    Format(
        "CSV, TSV, Parquet",
        (".csv", ".tsv", ".parquet"),
        "lead and unit from a column's name; rate from a time column with its unit, metadata, X.json or the"
        " caller; empty cells are gaps",
        "written by the tests, by pandas and by pyarrow",
        read_stated=read_table,
    ),
    Format(
        "NumPy",
        (".npy", ".npz"),
        "shape by the number of leads; rate, unit and leads from the file, X.json or the caller; no pickle",
        "written by NumPy",
        read_stated=read_array,
    ),
)


def as_markdown() -> str:
    """Return the readers' table as docs/readers.md shows it."""
    rows = [
        f"| {item.name} | {' '.join(f'`{suffix}`' for suffix in item.suffixes)} | {item.honoured} |"
        f" {item.tested_on} |"
        for item in FORMATS
    ]
    head = ["| format | files | what is honoured | tested on |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"
