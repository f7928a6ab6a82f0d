"""``merl pretrain``: train a model on pairs of ECG and report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from merl.cli.console import note, progress, stoppable
from merl.errors import ConfigError, UsageError, unknown


@stoppable("the same command, with the same out folder, goes on where it was")
def pretrain(
    config: Annotated[str, typer.Argument(help="A YAML file or a shipped configuration.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[key=value]...",
            help="data=DIR, out=DIR, validation=DIR, init=CHECKPOINT, or any setting: text.trained_layers=1.",
        ),
    ] = None,
) -> None:
    """Train a MERL model; a run that was stopped goes on when called again with the same out folder."""
    from merl.files import read_yaml, validate

    folder = Path(__file__).parent.parent / "configs"
    shipped = {path.stem: path for path in folder.glob("*.yaml")}
    path = Path(config) if Path(config).is_file() else shipped.get(config)
    if path is None:
        raise UsageError(unknown("configuration", config, shipped))
    values: Any = read_yaml(path, ConfigError)
    places: dict[str, Path] = {}
    settings_set = False
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UsageError(f"{setting!r} is not key=value; write for example epochs=2")
        if key in {"data", "out", "validation", "init"}:
            places[key] = Path(value)
        else:
            _set(values, key, value)
            settings_set = True
    missing = [f"{key}=DIR" for key in ("data", "out") if key not in places]
    if missing:
        raise UsageError(f"say where things are: add {' and '.join(missing)}")

    from merl.pretraining.config import PretrainConfig
    from merl.pretraining.memory import keep_freed_memory
    from merl.pretraining.run import pretrain as run

    keep_freed_memory()
    where = f"{config} with the settings given" if settings_set else path
    checked = validate(PretrainConfig, values, where, ConfigError)
    with progress("pretraining") as report:
        model = run(
            checked,
            places["data"],
            places["out"],
            validation=places.get("validation"),
            init=places.get("init"),
            workers=os.cpu_count() or 1,
            progress=report,
        )
    note(f"{model.name} is in {places['out']}")


def _set(values: Any, key: str, text: str) -> None:
    """Put a value where a dotted key says, ``then.0.epochs`` being the first of the further stages'.

    Raises:
        UsageError: the key leads nowhere.
    """
    *parents, last = key.split(".")
    for parent in parents:
        if isinstance(values, list) and parent.isdigit() and int(parent) < len(values):
            values = values[int(parent)]
        else:
            values = values.setdefault(parent, {}) if isinstance(values, dict) else None
    if not isinstance(values, dict):
        raise UsageError(f"{key} leads nowhere in this configuration; look at its keys in the file")
    values[last] = _value(key, text)


def _value(key: str, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"the value of {key}={text} is not valid YAML; write for example {key}=2") from None
