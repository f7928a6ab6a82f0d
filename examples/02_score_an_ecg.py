"""Score one ECG against the prompts of each class; the recording is the real one that pydicom carries."""

from pydicom.data import get_testdata_file

import merl

record = merl.read_record(get_testdata_file("waveform_ecg.dcm", download=False))
prompts = merl.generate_prompts(
    {"SR": "sinus rhythm", "AFIB": "atrial fibrillation", "STACH": "sinus tachycardia"}
)
classifier = merl.ZeroShotClassifier(merl.load_model("ptbxl-r18-100hz"), prompts)
for code, cosine in zip(classifier.classes_, classifier.decision_function([record])[0], strict=True):
    print(f"{code:6} {cosine:+.3f}")
