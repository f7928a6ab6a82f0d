"""Pretraining on pairs of ECG and report: nothing but the waveform and the report text is read."""

from __future__ import annotations

import json
import logging
import shutil
from functools import partial
from pathlib import Path

import torch
from accelerate import PartialState

from merl.checkpoints import WEIGHTS, fill, load_model, save_checkpoint
from merl.encoders.text import MINILM, SentenceEncoder
from merl.errors import CheckpointError, ConfigError, DataError, MerlError, UsageError
from merl.files import check_writable, write_text
from merl.knowledge.entries import load_entries
from merl.knowledge.passages import corpus_sha256
from merl.knowledge.rephrasing import Rephraser
from merl.model import MERL, MERLConfig, TextIdentity
from merl.pretraining.config import PretrainConfig
from merl.pretraining.measuring import measure_pairs, missing_leads
from merl.pretraining.model_choice import MOST_LOOKED_AT
from merl.pretraining.pairs import Progress, ReportTexts
from merl.pretraining.preparation import prepare
from merl.pretraining.prepared import MANIFEST, PreparedPairs
from merl.pretraining.shown import ShownFindings
from merl.pretraining.sources import open_source
from merl.pretraining.trainer import Trainer

log = logging.getLogger(__name__)

STATE, LOG, LEFT_OUT = "state.pt", "log.jsonl", "left_out.json"
PAIRS, HELD_OUT, MEASURED = "pairs", "validation", "measured.npz"
_WORTH_A_PROCESS = 1000  # records


def pretrain(
    config: PretrainConfig,
    data: Path,
    out: Path,
    *,
    validation: Path | None = None,
    init: str | Path | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> MERL:
    """Train a model and write its checkpoint folder; a run that was stopped goes on where it was.

    Under ``torchrun`` or ``accelerate launch`` every process calls it alike and the first one writes.

    Args:
        config: the run.
        data: pairs made ready by ``merl data prepare``, or a data set as published, which is made ready in
            ``out`` first.
        out: the checkpoint folder. Until the run is done it also holds its state.
        validation: pairs made ready that choose the epoch to keep; the configuration's validation folds of
            ``data`` if not given.
        init: a checkpoint, by name or folder, whose weights the run begins with; text layers that it does not
            carry are those of its text encoder.
        workers: processes that read and measure records before training; more than one need a main module
            guarded by ``if __name__ == "__main__"``.
        progress: called with (done, of, what).

    Returns:
        The trained model as ``load_model`` reads it back from ``out``, in evaluation mode.

    Raises:
        CheckpointError: ``init`` has other parts than the configuration asks for.
        ConfigError: the encoder is unknown or its width does not fit, the batch cannot be shared out, or
            findings are asked for without the twelve leads.
        UsageError: the pairs were prepared otherwise than the configuration asks for.
        DataError: the data set is missing or damaged, or its reports do not fill a batch.
        MerlError: ``out`` holds a finished model, the state of another run or other files, the loss is not
            finite, or the disk is full.
    """
    _check_out(out)
    here = PartialState(cpu=not torch.cuda.is_available())
    if config.batch_size % here.num_processes:
        raise ConfigError(
            f"batch_size {config.batch_size} cannot be shared by {here.num_processes} processes;"
            " give a multiple of them"
        )
    if config.batch_size < 2 * here.num_processes:
        raise ConfigError(
            f"batch_size {config.batch_size} leaves each of {here.num_processes} processes one record,"
            f" too few for batch norm; give at least {2 * here.num_processes}"
        )
    torch.manual_seed(config.seed)
    model = build_model(config)  # before the data are read: a faulty configuration is said at once
    begun_with = None if init is None else _begin_with(model, init)
    with here.main_process_first():
        make = partial(_pairs, config, data, workers=workers, progress=progress)
        pairs = make(config.folds, out / PAIRS, least=config.batch_size)
        held_out = None
        if validation is not None:
            held_out = PreparedPairs.open(validation, config.spec)
        elif config.validation_folds:
            held_out = make(config.validation_folds, out / HELD_OUT)
    if held_out is not None:
        _check_held_out(pairs, held_out)
    entries = load_entries() if any(stage.rephrase_share for stage in config.stages) else None
    with here.main_process_first():  # it measures, the others read
        shown = _shown(config, pairs, out / MEASURED, workers, progress)
    seen = pairs.training_data().model_copy(
        update={
            "rephrased_by": None if entries is None else corpus_sha256(entries),
            "findings": len(shown.texts) if shown else 0,
            "findings_sha256": shown.sha256 if shown else None,
            "begun_with": begun_with,
        }
    )
    model.config = model.config.model_copy(update={"training": seen})
    texts = ReportTexts.collect(pairs.reports, None if entries is None else Rephraser(entries), shown)
    trainer = Trainer(config, model, pairs, texts, validation=held_out, progress=progress)
    _train(trainer, out)
    if here.is_main_process:
        save_checkpoint(model, out)
        _list_left_out(pairs, out)
        for file in (STATE, MEASURED):
            (out / file).unlink(missing_ok=True)
        if not (data / MANIFEST).is_file():  # what this run made ready itself
            shutil.rmtree(out / PAIRS, ignore_errors=True)
            if validation is None:
                shutil.rmtree(out / HELD_OUT, ignore_errors=True)
    here.wait_for_everyone()
    return load_model(out)


def _check_out(out: Path) -> None:
    """Refuse a folder that holds anything but what a run that stopped has left in it."""
    check_writable(out / WEIGHTS)
    if not out.is_dir() or (out / STATE).exists():
        return
    if (out / WEIGHTS).exists():
        raise MerlError(f"{out} holds a finished model; give another out folder, or delete it to train anew")
    others = [path.name for path in out.iterdir() if path.name not in {PAIRS, HELD_OUT, MEASURED, LOG}]
    if others := sorted(name for name in others if not name.startswith(".")):
        raise MerlError(f"{out} holds other files ({others[0]}); give a new or empty out folder")


def _pairs(
    config: PretrainConfig,
    data: Path,
    folds: tuple[int, ...],
    out: Path,
    *,
    workers: int,
    progress: Progress | None,
    least: int = 0,
) -> PreparedPairs:
    """Open pairs that are ready, or make them so; fewer than ``least`` are refused."""
    spec = config.spec

    def check(records: int) -> None:
        if records < least:
            raise DataError(f"{records} records do not fill one batch of {least}; lower batch_size")

    if not (data / MANIFEST).is_file():
        missing = missing_leads(spec) if config.needs_findings else []
        if missing:  # said before the records are read, which takes minutes
            raise ConfigError(
                f"findings are measured on twelve leads and spec.leads has no {', '.join(missing)};"
                " name all twelve, prepare the data with them first, or leave findings_share out"
            )
        source = open_source(data, folds=folds, sampling_rate=spec.sampling_rate)
        if source.folds != folds:
            raise ConfigError(
                f"{source.name} has folds and the configuration names none; set folds, or prepare the data"
            )
        count = len(source.pairs()[0])
        check(count)  # also before the records are read
        if PartialState().is_main_process:
            prepare(
                source,
                out,
                sampling_rate=spec.sampling_rate,
                leads=spec.leads,
                seconds=spec.seconds,
                workers=min(workers, 1 + count // _WORTH_A_PROCESS),
                progress=progress,
            )
        data = out
    pairs = PreparedPairs.open(data, spec)
    if pairs.manifest.folds != folds:
        raise UsageError(
            f"{data} holds the folds {_listed(pairs.manifest.folds)} and the configuration asks for"
            f" {_listed(folds)}; prepare those, set folds, or give held-out pairs as validation=DIR"
        )
    check(len(pairs))
    return pairs


def _listed(folds: tuple[int, ...]) -> str:
    return ", ".join(map(str, folds)) or "none"


def build_model(config: PretrainConfig) -> MERL:
    """Build the untrained model of a run; all chance in it is torch's.

    Raises:
        ConfigError: the encoder is unknown or its width does not fit.
        CheckpointError: the text encoder is not there, or is damaged.
    """
    text, folder = config.text, None
    identity = TextIdentity(
        pooling=text.pooling,
        max_tokens=text.max_tokens,
        lowercase=text.lowercase,
        template=text.template,
        trained_layers=text.trained_layers,
    )
    if text.encoder != MINILM:
        folder = Path(text.encoder)
        encoder = SentenceEncoder(folder)
        found = {"name": encoder.name, "sha256": encoder.sha256, "dim": encoder.dim, "place": "folder"}
        identity = identity.model_copy(update=found)
    return MERL(
        MERLConfig(
            name=config.name,
            encoder=config.encoder,
            embed_dim=config.embed_dim,
            projection=config.projection,
            spec=config.spec,
            text=identity,
        ),
        text_folder=folder,
    )


def _begin_with(model: MERL, init: str | Path) -> str:
    """Put a checkpoint's weights into the model and return what its card has to say of that."""
    given = load_model(init)
    here, there = model.config, given.config
    same_input = here.spec == there.spec.model_copy(update={"missing_leads": here.spec.missing_leads})
    kept = {"trained_layers": here.text.trained_layers, "place": here.text.place}
    same_text = here.text == there.text.model_copy(update=kept)
    if not (same_input and same_text):
        what = "text encoder" if same_input else "input"
        raise CheckpointError(f"{given.name} has another {what} than {model.name}, so it cannot be its start")
    if here.projection != there.projection:
        raise CheckpointError(
            f"{given.name} has the heads {there.projection} and {model.name} has {here.projection};"
            f" set projection={there.projection} to begin with it"
        )
    untrained = {name: weight for name, weight in model.state_dict().items() if "text_layers." in name}
    fill(model, untrained | given.state_dict(), f"{given.name} cannot be the start of {model.name}")
    if there.text.trained_layers:
        model.text_encoder.retrained = True
    seen = there.training
    data = f"{seen.dataset} folds {_listed(seen.folds)}" if seen else "unknown data"
    return f"{given.name} ({(given.sha256 or '')[:12]}), trained on {data}"


def _check_held_out(pairs: PreparedPairs, held_out: PreparedPairs) -> None:
    if len(held_out) < MOST_LOOKED_AT:
        raise DataError(f"{len(held_out)} held-out records are too few; give at least {MOST_LOOKED_AT}")
    if held_out.manifest.pairs_sha256 == pairs.manifest.pairs_sha256:
        raise UsageError("the held-out pairs are the ones trained on; give others as validation=DIR")


def _shown(
    config: PretrainConfig, pairs: PreparedPairs, kept: Path, workers: int, progress: Progress | None
) -> ShownFindings | None:
    """Say what the waveforms show, where a stage is taught that."""
    if not config.needs_findings:
        return None
    return ShownFindings.of(measure_pairs(pairs, kept, workers=workers, progress=progress))


def _list_left_out(pairs: PreparedPairs, out: Path) -> None:
    """Keep what the manifest says of records that were not trained on; the manifest may go."""
    made = pairs.manifest
    unreadable = [record.model_dump() for record in made.unreadable]
    listed = {"left_out": made.left_out, "unreadable": unreadable}
    write_text(out / LEFT_OUT, json.dumps(listed, indent=2) + "\n")
    if unreadable:
        log.warning("%d records could not be read; %s lists them", len(unreadable), out / LEFT_OUT)


def _train(trainer: Trainer, out: Path) -> None:
    """Train to the end, saving the state and a line of the log after every epoch, and keep the best epoch."""
    if (out / STATE).exists():
        trainer.resume(out / STATE)
    while trainer.epoch < trainer.config.total_epochs:
        line = trainer.train_epoch(out / STATE) | trainer.validate()
        log.info("%s", ", ".join(f"{key} {value:.4g}" for key, value in line.items()))
        if trainer.accelerator.is_main_process:
            trainer.save(out / STATE)
            with (out / LOG).open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(line) + "\n")
        trainer.accelerator.wait_for_everyone()
    trainer.keep_best()
