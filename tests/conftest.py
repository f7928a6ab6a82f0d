"""Fixtures shared by all tests: the real data where it is, and simulated recordings where it is not."""

from __future__ import annotations

import csv
import os
import zlib
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from merl.label_sets import load_label_set
from merl.records import STANDARD_LEADS
from tests import browser
from tests.publisher import Publisher

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

WriteRecord = Callable[..., Path]
LEFT_OUT = pytest.StashKey[list[str]]()

#: Diagnostic subclass -> superclass, as in PTB-XL's table of statements.
SUPERCLASS = {
    "NORM": "NORM",
    **dict.fromkeys(["IMI", "AMI", "LMI", "PMI"], "MI"),
    **dict.fromkeys(["STTC", "NST_", "ISC_", "ISCA", "ISCI"], "STTC"),
    **dict.fromkeys(["LAFB/LPFB", "IRBBB", "_AVB", "IVCD", "CRBBB", "CLBBB", "WPW", "ILBBB"], "CD"),
    **dict.fromkeys(["LVH", "LAO/LAE", "RVH", "RAO/RAE", "SEHYP"], "HYP"),
}
#: Statements of which the subclass has another name than the statement.
STATEMENT = {"_AVB": "1AVB", "LAFB/LPFB": "LAFB"}


@pytest.fixture(scope="session")
def merl_data() -> Path:
    """The folder of the unpacked real data sets."""
    if not os.environ.get("MERL_DATA"):
        pytest.skip("MERL_DATA is not set")
    return Path(os.environ["MERL_DATA"])


@pytest.fixture(scope="session")
def simulated() -> Callable[..., NDArray[np.float64]]:
    """A function that simulates 12 leads with a pulse each beat, limb leads consistent, in millivolts."""

    def simulate(
        seconds: float = 10, rate: float = 100, bpm: float = 60, seed: int = 0
    ) -> NDArray[np.float64]:
        time = np.arange(round(seconds * rate)) / rate
        phase = (time * bpm / 60) % 1 - 0.5
        beat = np.exp(-0.5 * (phase / 0.02) ** 2) + 0.2 * np.exp(-0.5 * ((phase - 0.25) / 0.05) ** 2)
        one, two, *chest = np.random.default_rng(seed).uniform(0.5, 1.5, 8)[:, None] * beat
        limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
        return np.stack([*limb, *chest])

    return simulate


@pytest.fixture(scope="session")
def write_record() -> WriteRecord:
    """A function that writes millivolts, (leads, samples), as a WFDB record and returns its header's path."""

    def write(
        path: Path,
        signal: NDArray[np.float64],
        *,
        rate: float = 100,
        leads: tuple[str, ...] = STANDARD_LEADS,
        unit: str = "/mV",
        gain: float = 1000,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = np.round(signal * gain).astype("<i2")  # (leads, samples)
        samples.T.tofile(f"{path}.dat")
        lines = [f"{path.name} {len(leads)} {rate:g} {samples.shape[1]}"]
        for lead, row in zip(leads, samples, strict=True):
            checksum = int(row.astype(np.int64).sum()) % 65536
            lines.append(f"{path.name}.dat 16 {gain:g}(0){unit} 16 0 {row[0]} {checksum} 0 {lead}")
        header = path.parent / f"{path.name}.hea"
        header.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return header

    return write


@pytest.fixture(scope="session")
def tiny_ptbxl(
    tmp_path_factory: pytest.TempPathFactory,
    simulated: Callable[..., NDArray[np.float64]],
    write_record: WriteRecord,
) -> Path:
    """A simulated data set in PTB-XL's layout: three records a fold, 100 Hz; copy it to change it.

    In every fold the first record is NORM and SR, the second 1AVB (likelihood 0), IMI and LNGQT,
    and the third has a rhythm statement only.
    """
    root = tmp_path_factory.mktemp("data") / "ptb-xl"
    root.mkdir()
    labels = ["{'NORM': 100.0, 'SR': 0.0}", "{'1AVB': 0.0, 'IMI': 50.0, 'LNGQT': 100.0}", "{'AFIB': 0.0}"]
    texts = ["sinusrhythmus normales ekg", "av block i", "vorhofflimmern"]
    rows = []
    for number in range(1, 31):
        fold, kind = (number - 1) // 3 + 1, (number - 1) % 3
        name = f"records100/00000/{number:05d}_lr"
        write_record(root / name, simulated(seed=number, bpm=50 + number))
        rows.append(
            [number, f"{1000 + number}.0", texts[kind], labels[kind], fold, name, name.replace("lr", "hr")]
        )
    names = ["ecg_id", "patient_id", "report", "scp_codes", "strat_fold", "filename_lr", "filename_hr"]
    _write_csv(root / "ptbxl_database.csv", names, rows)
    names = ["", "description", "diagnostic", "form", "rhythm", "diagnostic_class", "diagnostic_subclass"]
    _write_csv(root / "scp_statements.csv", names, _statements())
    return root


@pytest.fixture(scope="session")
def tiny_mimic(
    tmp_path_factory: pytest.TempPathFactory,
    simulated: Callable[..., NDArray[np.float64]],
    write_record: WriteRecord,
) -> Path:
    """A simulated data set in MIMIC-IV-ECG's layout: forty pairs, 500 Hz, aVF before aVL.

    Beside the pairs a record (row 40) has a report of three words, one (row 41) none, and one report has no
    record. Subjects begin with 100000, studies with 400000. Copy it to change it.
    """
    root = tmp_path_factory.mktemp("data") / "mimic-iv-ecg"
    leads = ("I", "II", "III", "aVR", "aVF", "aVL", *STANDARD_LEADS[6:])
    order = [STANDARD_LEADS.index(lead) for lead in leads]
    parts = [
        ("Sinus rhythm", "Left axis deviation.", "Abnormal EKG"),
        ("Atrial fibrillation", "", "Low voltage"),
    ]
    records, machine = [], []
    for number in range(43):
        subject, study = 10000000 + number // 2, 40000000 + 7 * number
        path = f"files/p1000/p{subject}/s{study}/{study}"
        reports = ["Normal sinus rhythm"] if number == 40 else [*parts[number % 2], f"Rate {60 + number}"]
        if number != 42:
            records.append([subject, study, study, "2150-01-01 10:00:00", path])
        if number < 40:
            write_record(
                root / path, simulated(rate=500, seed=number)[order], rate=500, leads=leads, gain=200
            )
        if number != 41:
            reports += [""] * (18 - len(reports))
            machine.insert(0, [subject, study, 7, "2150-01-01 10:00:00", *reports, "0.05-150 Hz", 800])
    columns = ["subject_id", "study_id", "file_name", "ecg_time", "path"]
    _write_csv(root / "record_list.csv", columns, records)
    columns = ["subject_id", "study_id", "cart_id", "ecg_time", *(f"report_{n}" for n in range(18))]
    _write_csv(root / "machine_measurements.csv", [*columns, "bandwidth", "rr_interval"], machine)
    return root


def _statements() -> list[list[object]]:
    rows: dict[str, list[object]] = {}
    for sub, group in SUPERCLASS.items():
        code = STATEMENT.get(sub, sub)
        rows[code] = [code, code.lower(), 1.0, "", "", group, sub]
    for column, task in ((3, "ptbxl-form"), (4, "ptbxl-rhythm")):
        for code in load_label_set(task).classes:
            rows.setdefault(code, [code, code.lower(), "", "", "", "", ""])[column] = 1.0
    return list(rows.values())


def _write_csv(path: Path, names: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle).writerows([names, *rows])


@pytest.fixture
def eye_text_encoder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every text is an axis of its own, as far as there are axes: no transformer is loaded."""
    from merl.model import MERL

    class Axes:
        sha256, dim, pooling, max_tokens, lowercase, template = "0" * 64, 384, "mean", 256, False, "{text}"
        retrained = False

        def encode(self, texts: list[str], *, truncate: bool = False) -> NDArray[np.float32]:
            return np.eye(384, dtype=np.float32)[[zlib.crc32(text.encode()) % 384 for text in texts]]

    monkeypatch.setattr(MERL, "text_encoder", Axes())
    monkeypatch.setenv("MERL_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def visit() -> Generator[browser.Visits, None, None]:
    """A function that opens a page in headless Chromium, for tests marked ``browser``."""
    with browser.browsing() as opened:
        yield opened


@pytest.fixture
def publisher() -> Generator[Publisher, None, None]:
    """A publisher's HTTP server on this machine."""
    made = Publisher()
    yield made
    made.server.shutdown()
    made.server.server_close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on real data or in a browser where there is none; the summary says so."""
    lacking = {} if os.environ.get("MERL_DATA") else {"realdata": "MERL_DATA is not set"}
    if browser.chromium() is None:
        lacking["browser"] = f"there is no chromium, and {browser.VARIABLE} is not set"
    config.stash[LEFT_OUT] = []
    for mark, why in lacking.items():
        if out := [item for item in items if item.get_closest_marker(mark)]:
            config.hook.pytest_deselected(items=out)
            items[:] = [item for item in items if item not in out]
            config.stash[LEFT_OUT].append(f"{len(out)} {mark} tests were left out: {why}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(LEFT_OUT, []):
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test on real data never skips where the data is, nor one in a browser, nor one with a model in CI."""
    report = yield
    needed = {"realdata": "MERL_DATA", "browser": browser.VARIABLE, "llm": "CI"}
    kept = [m for m, variable in needed.items() if item.get_closest_marker(m) and os.environ.get(variable)]
    if report.skipped and kept:
        report.outcome = "failed"
        report.longrepr = f"a {kept[0]} test may not be skipped here: {report.longrepr}"
    return report
