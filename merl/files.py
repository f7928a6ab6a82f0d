"""Where content lives, how files are written without ever being half-written, and how YAML is checked."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from merl.errors import MerlError, PromptError, UsageError, unknown, wrong_use

Model = TypeVar("Model", bound=BaseModel)
_ALLOWED = "; allowed are "  # of a sentence that ``unknown`` makes


def content_dir(name: str) -> Path:
    """Return the folder ``knowledge_base`` or ``prompts`` of shipped content, installed or in a checkout."""
    package = Path(__file__).parent
    for folder in (package / "_content" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise MerlError(f"the content folder {name!r} is missing from this installation; reinstall merl-ckepe")


def cache_dir() -> Path:
    """Return the user's cache folder for merl, ``MERL_CACHE`` if set; it is made when first written to."""
    import platformdirs

    return Path(os.environ.get("MERL_CACHE") or platformdirs.user_cache_dir("merl-ckepe", appauthor=False))


def printable(path: Path | str) -> str:
    """Return a path, or a sentence with one, as text for any output: bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def check_writable(path: Path | str) -> None:
    """Refuse a file that could not be written, before the work that would be lost; nothing is made.

    Raises:
        MerlError: the path is a folder, lies below a file, or in a folder where no file can be made.
    """
    target = Path(path)
    if target.is_dir():
        raise MerlError(f"cannot write {target}: it is a folder; name a file in it")
    if target.exists() and not target.is_file():
        raise MerlError(f"cannot write {target}: it is a device or pipe; name a file")
    folder = next(parent for parent in Path(os.path.realpath(target)).parents if parent.exists())
    if not folder.is_dir():
        raise MerlError(f"cannot write {target}: {folder} is a file; name another place")
    try:
        tempfile.TemporaryFile(dir=folder).close()  # permissions do not say it of /proc, nor on Windows
    except OSError as problem:
        why = f"no file can be made in {folder} ({problem.strerror})"
        raise MerlError(f"cannot write {target}: {why}; name another place") from None


def check_outputs(*outputs: Path | None, inputs: Iterable[Path | str | None] = ()) -> None:
    """Refuse outputs that could not be written, are one file, or would replace what is read; nothing is made.

    Args:
        outputs: files to be written, None where one is not asked for.
        inputs: what is read; names that are no file do not count.

    Raises:
        UsageError: an output is named twice or is an input.
        MerlError: one could not be written.
    """
    read = [Path(given) for given in inputs if given and Path(given).exists()]
    places: list[Path] = []
    for path in filter(None, outputs):
        check_writable(path)
        place = path.resolve()
        if place in places:
            raise UsageError(f"{path} is named for two outputs; give each a file of its own")
        if place.exists() and any(place.samefile(other) for other in read):
            raise UsageError(f"{path} is read here and would be replaced; write to another file")
        places.append(place)


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary file beside ``path`` that replaces it when the block ends or vanishes if it fails.

    A link stays one, and what it leads to is replaced; a file that is replaced keeps its mode.

    Raises:
        IsADirectoryError: the path is a folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not target.is_file():  # replacing it would take a device away
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as problem:  # it names the temporary file, which says nothing to the user
        raise OSError(problem.errno, problem.strerror, str(path)) from None
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.chmod(_mode(target))  # mkstemp makes private files
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _mode(target: Path) -> int:
    """The mode of a file that is there, or the user's usual one."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8")


def sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


class _KeyTwiceError(yaml.MarkedYAMLError):
    """A mapping names a key twice; the last one would win in silence."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml is ten times faster
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            written = str(key.value).strip()  # 1 and "1" are one key to the models, which strip it too
            if written in seen:
                raise _KeyTwiceError(problem=f"{key.value!r} appears twice", problem_mark=key.start_mark)
            seen.add(written)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path | str, error: type[MerlError] = PromptError) -> Any:
    """Read a YAML file with the safe loader; a key written twice is refused.

    Raises:
        error: the file is missing, not UTF-8 or not YAML, or names a key twice; the sentence names the line.
    """
    path = Path(path)
    text = ""
    if path.is_dir():
        raise error(f"{path} is a folder; name a file in it")
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a safe one
    except FileNotFoundError:
        raise wrong_use(error(f"there is no file {path}")) from None
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"cannot read {path}: {problem}") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        last = len(text.splitlines())  # what is missing at the end is missed on the last line
        where = f" line {min(mark.line + 1, last)}" if mark else ""
        what = getattr(problem, "problem", problem)
        if isinstance(problem, _KeyTwiceError):
            raise error(f"{path}{where}: {what}; write a key once") from None
        raise error(f"{path}{where} is not valid YAML: {what}") from None
    except ValueError as problem:  # the 45th of a month, a number of thousands of digits
        raise error(f"{path} holds a date or number that cannot be ({problem}); put it in quotes") from None


def validate(model: type[Model], data: Any, where: Path | str, error: type[MerlError] = PromptError) -> Model:
    """Check ``data`` against a pydantic model; all faults of the file are reported together.

    Raises:
        error: one sentence a fault: where it is, what was found, what is allowed.
    """
    said: list[str] = []
    for _, sentence in faults_of(model, data):
        what, _, allowed = sentence.partition(_ALLOWED)
        said.append(what if allowed and any(line.endswith(allowed) for line in said) else sentence)
    if said:
        raise error(f"{where}: " + "; ".join(said))
    return model.model_validate(data)


def faults_of(model: type[BaseModel], data: Any) -> list[tuple[tuple[Any, ...], str]]:
    """Return where ``data`` breaks a pydantic model, as keys and positions, and a sentence of each fault."""
    if data is None:
        return [((), "it is empty; expected a mapping of keys")]
    if not isinstance(data, dict):
        return [((), f"expected a mapping of keys, found {type(data).__name__}")]
    try:
        model.model_validate(data)
    except ValidationError as problem:
        return [(tuple(fault["loc"]), _fault(model, fault)) for fault in problem.errors()]
    return []


def yaml_line(path: Path | str, place: Iterable[Any] = ()) -> int:
    """Return the line, from 1, on which a key or item of a YAML file stands, or the nearest thing around it.

    Args:
        path: a file that is valid YAML.
        place: the keys and positions that lead there from the top.
    """
    node = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
    line = node.start_mark.line if node else 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        else:
            found = None
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return line + 1


def _fault(model: type[BaseModel], fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        allowed = _allowed(model, fault["loc"][:-1])
        parent = ".".join(str(part) for part in fault["loc"][:-1])
        message = unknown("key", str(fault["loc"][-1]), allowed) if allowed else f"unknown key {place!r}"
        return f"{message} in {parent}" if parent and allowed else message
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {message[:1].lower()}{message[1:]}" if place else message


def _allowed(model: type[BaseModel], parents: Iterable[Any]) -> list[str]:
    """Return the keys of the model that lies where the parents lead: through fields, keys and positions."""
    for part in parents:
        if part in model.model_fields:
            annotation = model.model_fields[part].annotation
            inner = [
                kind
                for kind in (annotation, *get_args(annotation))
                if isinstance(kind, type) and issubclass(kind, BaseModel)
            ]
            if not inner:
                return []
            model = inner[0]
    return [field.alias or name for name, field in model.model_fields.items()]
