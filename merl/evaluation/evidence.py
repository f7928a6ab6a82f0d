"""What a result's figures rest on, for people to judge: phrases, passages, scores and single ECGs.

It travels in the result's JSON so that a report can be made of that file alone. It holds names of records as
the data set gives them, and nothing else about patients.
"""

from __future__ import annotations

import base64
import zlib
from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from merl.ckepe.prompt_set import ClassPrompts, Generator
from merl.errors import DataError
from merl.records import ECGRecord

_MICROVOLTS = np.dtype("<i2")  # up to 32 mV either way
_STEP = 5  # microvolts: 0.05 mm on paper, a quarter of the ink's width


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Histogram(_Strict):
    """Scores of a class's positives and negatives, counted in equal bins from ``low`` to ``high``."""

    low: float
    high: float
    positives: tuple[int, ...]
    negatives: tuple[int, ...]


class Remark(_Strict):
    """What the linter says of a class or one of its phrases."""

    kind: str
    severity: str
    text: str | None
    message: str


class SetEvidence(_Strict):
    """One prompt set: who made it, its phrases, their scores, and what the linter says by class.

    Attributes:
        remarks: by class, ``""`` for those of the whole set; ``None`` if nobody looked.
    """

    generator: Generator
    classes: dict[str, ClassPrompts]
    scores: dict[str, Histogram]
    remarks: dict[str, tuple[Remark, ...]] | None = None


class Cited(_Strict):
    """A passage that phrases cite: what it says of which concept, and where it was published.

    Attributes:
        text: in the words of the knowledge base, which are not those of the source.
        source: key of the published source; ``None`` for names, which are the vocabulary itself.
        place: section or table of that source.
        source_checked: whether somebody opened that source and compared; ``None`` where nobody could.
        clinically_reviewed: whether a clinician signed the entry that it stands in.
    """

    concept: str
    kind: str
    text: str
    source: str | None = None
    place: str | None = None
    source_checked: bool | None = None
    clinically_reviewed: bool = False


class Published(_Strict):
    """A published source."""

    title: str
    year: int
    reference: str
    doi: str | None = None


class Example(_Strict):
    """One ECG that is shown for a class.

    Attributes:
        record: its name in the data set.
        labels: the classes it has.
        scores: by prompt set.
        ranks: by prompt set; 1 is the highest score of all records.
    """

    record: str
    labels: tuple[str, ...]
    scores: dict[str, float]
    ranks: dict[str, int]


class ClassExamples(_Strict):
    """ECGs with the class that score highest and lowest, and those without it that score highest."""

    best: tuple[Example, ...] = ()
    worst: tuple[Example, ...] = ()
    mistaken: tuple[Example, ...] = ()


class Waveform(_Strict):
    """Up to ten seconds of an ECG, to be looked at, not to be computed with.

    Attributes:
        sampling_rate: in hertz, perhaps lower than that of the record.
        seconds: the record's own length.
        microvolts: rounded to 5, as deflated differences of little-endian 16-bit integers, base64.
        derived: leads that were computed from I and II.
        recorded_rate: the record's own, in hertz; ``None`` in older results.
    """

    sampling_rate: Annotated[float, Field(gt=0)]
    seconds: float
    leads: tuple[str, ...]
    microvolts: str
    derived: tuple[str, ...] = ()
    recorded_rate: Annotated[float, Field(gt=0)] | None = None

    @classmethod
    def of(cls, record: ECGRecord, *, whole: ECGRecord) -> Self:
        """Pack a record that was cut and thinned out of a ``whole`` one."""
        values = (np.round(record.signal * (1000 / _STEP)) * _STEP).clip(-32765, 32765).astype(_MICROVOLTS)
        steps = np.diff(values, axis=1, prepend=_MICROVOLTS.type(0))  # wraps around, and back when added up
        packed = base64.b64encode(zlib.compress(steps.astype(_MICROVOLTS).tobytes(), 9)).decode()
        return cls(
            sampling_rate=record.sampling_rate,
            seconds=whole.seconds,
            leads=record.leads,
            microvolts=packed,
            derived=record.derived,
            recorded_rate=whole.sampling_rate,
        )

    def record(self, name: str) -> ECGRecord:
        """Unpack it again.

        Raises:
            DataError: what is packed is damaged.
        """
        try:
            raw = zlib.decompress(base64.b64decode(self.microvolts, validate=True))
            steps = np.frombuffer(raw, _MICROVOLTS).reshape(len(self.leads), -1)
        except (ValueError, zlib.error):
            raise DataError(f"the ECG {name!r} in this result is damaged; evaluate again") from None
        whole = np.cumsum(steps, axis=1, dtype=_MICROVOLTS)  # (leads, samples)
        signal = (whole / 1000).astype(np.float32)
        return ECGRecord(signal, self.sampling_rate, self.leads, name, self.derived)


class Evidence(_Strict):
    """What the figures of a result rest on.

    Attributes:
        prompt_sets: by name, as in the result.
        examples_by: the prompt set whose scores chose the ECGs.
        examples: by class.
        ecgs: by the name of the record.
        passages: what phrases cite, by id; empty if nobody looked.
        sources: where passages were published, by key.
    """

    prompt_sets: dict[str, SetEvidence]
    examples_by: str
    examples: dict[str, ClassExamples]
    ecgs: dict[str, Waveform]
    passages: dict[str, Cited] = {}
    sources: dict[str, Published] = {}

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        """Refuse parts that disagree: whoever shows them looks up one in the other."""
        for name, item in self.prompt_sets.items():
            for part in (item.classes, item.scores):
                if part.keys() != self.examples.keys():
                    raise ValueError(f"the evidence of {name!r} and the examples are of different classes")
        for code, kinds in self.examples.items():
            for example in (*kinds.best, *kinds.worst, *kinds.mistaken):
                if example.record not in self.ecgs:
                    raise ValueError(f"the ECG {example.record!r} that is an example of {code!r} is missing")
        return self
