"""Checkpoints: a folder of ``config.json``, ``model.safetensors`` and a model card, never a pickle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from merl.encoders.text import MINILM
from merl.errors import CheckpointError, UsageError, unknown
from merl.files import atomic_path, sha256, validate, write_text
from merl.hub import fetch, is_hub_id, upload
from merl.model import MERL, TEXT_LAYERS, MERLConfig

WEIGHTS = "model.safetensors"
TEXT_FOLDER = "text"


def shipped_models() -> dict[str, Path]:
    """Return the folders of the checkpoints that come with the package, by name."""
    return {
        path.parent.name: path.parent
        for path in sorted((Path(__file__).parent / "weights").glob(f"*/{WEIGHTS}"))
    }


def load_model(name: str | Path = "ptbxl-r18-100hz", *, revision: str | None = None) -> MERL:
    """Load a checkpoint for scoring.

    Args:
        name: a shipped name, the path of a checkpoint folder, or ``owner/model`` on the Hugging Face hub.
        revision: of the model on the hub: a branch, tag or commit.

    Returns:
        The model in single precision and evaluation mode.

    Raises:
        UsageError: neither a folder nor a shipped name, or a revision of one.
        CheckpointError: a file is missing or damaged, the weights do not fit the configuration, or the hub
            does not have it.
    """
    folder = _folder(name, revision)
    weights = folder / WEIGHTS
    config = read_config(folder)
    if not weights.is_file():
        raise CheckpointError(
            f"{folder} has no {WEIGHTS}; a checkpoint is a folder with config.json and {WEIGHTS}"
        )
    text_folder = folder / TEXT_FOLDER if config.text.place == "folder" else None
    model = MERL(config, sha256=sha256(weights), text_folder=text_folder, defer_text=True)
    try:
        state = load_file(weights)
    except (SafetensorError, OSError) as problem:
        raise CheckpointError(f"{weights} is damaged ({problem}); fetch or train it again") from None
    text = _take_text_layers(state) if config.text.trained_layers else None
    fill(model, state, f"{weights} does not fit its config.json")
    if text is not None and len({name.split(".")[0] for name in text}) != config.text.trained_layers:
        raise CheckpointError(
            f"{weights} does not fit its config.json: that names {config.text.trained_layers} text layers"
        )
    model.text_weights = text
    return model.eval().requires_grad_(False)


def _folder(name: str | Path, revision: str | None) -> Path:
    """Find a checkpoint's folder, shipped, given or fetched from the hub."""
    folder = shipped_models().get(str(name), Path(name))
    if not folder.is_dir() and isinstance(name, str) and is_hub_id(name):
        folder = fetch(name, revision)
    elif revision is not None:
        raise UsageError(
            f"{name} is not on the hub, and there is no revision {revision!r} of it; leave revision out"
        )
    if not folder.is_dir():
        raise UsageError(unknown("checkpoint", str(name), shipped_models(), "merl models"))
    return folder


def _take_text_layers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take the text layers' weights out of a checkpoint's, in single precision, named as in the layers."""
    names = [name for name in state if name.startswith(TEXT_LAYERS)]
    return {name.removeprefix(TEXT_LAYERS): state.pop(name).float() for name in names}


def fill(model: nn.Module, state: Mapping[str, Tensor], complaint: str) -> None:
    """Put weights into a model in the model's precision, every one of them by name and shape.

    Raises:
        CheckpointError: names or shapes differ; the sentence begins with ``complaint``.
    """
    own = model.state_dict()
    missing, surplus = own.keys() - state.keys(), state.keys() - own.keys()
    wrong = [key for key, tensor in own.items() if key in state and state[key].shape != tensor.shape]
    if missing or surplus or wrong:
        raise CheckpointError(
            f"{complaint}: {len(missing)} weights missing, {len(surplus)} unknown,"
            f" {len(wrong)} of another shape (for example {sorted([*missing, *surplus, *wrong])[0]})"
        )
    model.load_state_dict(state)


def read_config(folder: Path) -> MERLConfig:
    """Read and check a checkpoint's ``config.json``.

    Raises:
        CheckpointError: it is missing or malformed.
    """
    path = folder / "config.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} has no config.json; a checkpoint is a folder with config.json and {WEIGHTS}"
        ) from None
    except (OSError, ValueError) as problem:
        raise CheckpointError(f"{path} is not readable JSON: {problem}") from None
    return validate(MERLConfig, data, path, CheckpointError)


def save_checkpoint(model: MERL, folder: Path | str, *, half: bool = True) -> None:
    """Write a checkpoint folder; an installed text encoder stays out, its identity is in the configuration.

    Args:
        model: the model to keep.
        folder: where; made if missing.
        half: store the weights in half precision, but for those too large for it; what ``load_model`` reads
            back is then rounded.

    Raises:
        CheckpointError: a weight is not finite, or the disk is full.
    """
    folder = Path(folder)
    state = {key: _stored(tensor, half=half) for key, tensor in model.state_dict().items()}
    broken = [key for key, tensor in state.items() if not tensor.isfinite().all()]
    if broken:
        raise CheckpointError(
            f"the weights {', '.join(broken[:3])} of {model.name} are not finite; the training failed"
        )
    if model.text_folder and model.text_folder.resolve() != (folder / TEXT_FOLDER).resolve():
        shutil.copytree(model.text_folder, folder / TEXT_FOLDER, dirs_exist_ok=True)
    try:
        with atomic_path(folder / WEIGHTS) as part:
            save_file(state, part, metadata={"format": "pt"})
    except SafetensorError as problem:  # how it reports a full disk
        raise CheckpointError(
            f"cannot write {folder / WEIGHTS}: {problem}; make room and try again"
        ) from None
    write_text(folder / "README.md", _model_card(model.config))
    write_text(folder / "config.json", model.config.model_dump_json(by_alias=True, indent=2) + "\n")


def push_to_hub(
    model: MERL,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    commit_message: str = "Upload a MERL checkpoint",
) -> str:
    """Write a checkpoint with its model card to the Hugging Face hub.

    Args:
        model: the model.
        repo_id: ``owner/model``; made if it is missing.
        private: whether a new repository is private.
        token: of the owner; the one of ``hf auth login`` by default.
        commit_message: what the commit says.

    Returns:
        The address of the commit.

    Raises:
        UsageError: the id is not ``owner/model``.
        CheckpointError: a weight is not finite, or the hub refuses or cannot be reached.
    """
    from huggingface_hub import metadata_save

    about: dict[str, Any] = {"library_name": "merl", "tags": ["ecg", "zero-shot-classification"]}
    if seen := model.config.training:
        about["license"] = seen.licence.lower().replace(" ", "-")  # the hub's way: cc-by-4.0
    with TemporaryDirectory() as folder:
        save_checkpoint(model, folder)
        metadata_save(Path(folder) / "README.md", about)
        return upload(Path(folder), repo_id, private=private, token=token, message=commit_message)


def _stored(tensor: Tensor, *, half: bool) -> Tensor:
    short = tensor.half() if half and tensor.is_floating_point() else tensor
    return (short if short.isfinite().all() else tensor).contiguous()


def _model_card(config: MERLConfig) -> str:
    spec, seen = config.spec, config.training
    lines = [
        f"# {config.name}",
        "",
        f"{_parts(config)}. Made by `merl`, after MERL (Liu et al., ICML 2024).",
        "",
        f"- Input: {len(spec.leads)} leads ({', '.join(spec.leads)}), {spec.seconds:g} s at"
        f" {spec.sampling_rate:g} Hz, scaling {spec.scaling}; missing leads: {spec.missing_leads}.",
        f"- Trained on: {_trained_on(config)}",
        "- Intended use: research on scoring ECGs against prompts without labels. For research. Not a medical"
        " device: no clinical decision may rest on it.",
        "- Limits: scores are cosines, not probabilities, and are not comparable between models. The model"
        " knows what its training reports speak of; classes they never name are guesses. Figures on the data"
        " set it was trained on are in distribution, whatever the fold.",
    ]
    if seen:
        lines.append(f"- Data: {seen.attribution}, licence {seen.licence}.")
    if config.text.trained_layers and config.text.name == MINILM:
        lines.append(
            f"- Text encoder: the text layers in the weights are {MINILM}'s, changed by training; they stay"
            " under its licence, Apache-2.0."
        )
    return "\n".join(lines) + "\n"


def _parts(config: MERLConfig) -> str:
    if config.projection == "none":
        return f"An ECG encoder without heads: {config.encoder}"
    layers = config.text.trained_layers
    trained = f"with its last {layers} layers trained" if layers else "frozen"
    both = f"{config.encoder} for the ECG and {config.text.name} for the text, {trained}"
    return f"A dual encoder: {both}, joined by {config.projection} heads"


def _trained_on(config: MERLConfig) -> str:
    seen = config.training
    if seen is None:
        return "not recorded."
    folds = f", folds {', '.join(map(str, seen.folds))}" if seen.folds else ""
    knowledge = (
        " Report sentences were also said in the names and findings of the knowledge base"
        f" ({seen.rephrased_by[:12]}), found by their own words, never by a label."
        if seen.rephrased_by
        else ""
    )
    measured = (
        f" {seen.findings} findings, measured on the waveforms themselves, also stood for reports."
        if seen.findings
        else ""
    )
    begun = f" Training began with {seen.begun_with}." if seen.begun_with else ""
    pairs = f"{seen.records} pairs of waveform and report text, no labels"
    return f"{seen.dataset}{folds}: {pairs}.{knowledge}{measured}{begun}"
