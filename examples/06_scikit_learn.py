"""Use the classifier as scikit-learn's own: in a pipeline, with an array, cross-validated and searched.

The ECGs are simulated, so the figures show how it is done and nothing else.
"""

import numpy as np
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import merl
from merl.simulation import Rhythm, simulate

names = {"AFIB": "atrial fibrillation", "SBRAD": "sinus bradycardia", "STACH": "sinus tachycardia"}
rhythms = {"AFIB": Rhythm(fibrillation=True), "SBRAD": Rhythm(heart_rate=45), "STACH": Rhythm(heart_rate=120)}
codes = np.repeat(list(rhythms), 6)
records = [simulate(rhythms[code], sampling_rate=100, seed=seed) for seed, code in enumerate(codes)]

folds = KFold(3, shuffle=True, random_state=0)

# As records, of any sampling rate and length ...
classifier = merl.ZeroShotClassifier(merl.load_model("ptbxl-r18-100hz"), merl.generate_prompts(names))
print("accuracy of records, fold by fold:", cross_val_score(classifier, records, codes, cv=folds))

# ... or as an array (records, leads, samples) in the model's leads, sampling rate and length, in millivolts.
signals = np.stack([record.signal for record in records])
centred = make_pipeline(
    FunctionTransformer(lambda signals: signals - np.median(signals, axis=-1, keepdims=True)), classifier
)
print("accuracy of an array, centred:", cross_val_score(centred, signals, codes, cv=folds))

# Labels that exclude nothing: one column a class, judged by the scores.
several = (codes[:, None] == classifier.classes_).astype(int)  # (records, classes)
print(
    "macro AUROC of",
    classifier.classes_,
    cross_val_score(classifier, records, several, cv=folds, scoring="roc_auc"),
)

search = GridSearchCV(classifier, {"ensemble": ["mean", "max", "joined"]}, cv=folds).fit(records, codes)
print("best way to combine phrases:", search.best_params_)
