"""Prompt sets of others: MERL's JSON, one comma-joined string a class, and CuPL's, a list of sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from merl.ckepe.prompt_set import ClassPrompts, Generator, Phrase, PromptSet
from merl.errors import PromptError, wrong_use
from merl.files import sha256
from merl.knowledge.lookup import normalise
from merl.label_sets import LabelSet, load_label_set, shipped_label_sets

Foreign = dict[str, str | list[str]]
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_LEAD = r"(?:av[rlf]|v[1-6]|i{1,3})"
_ENDS = " \t.;:,"


@dataclass(frozen=True)
class Imported:
    """What became of a file.

    Attributes:
        label_set: the classes that were looked for.
        prompt_set: a class for each of the label set; one that the file says nothing of has no phrases.
        used: the file's key for each class that has one.
        missing: classes without a phrase.
        left_over: keys that are no class of the label set.
    """

    label_set: LabelSet
    prompt_set: PromptSet
    used: Mapping[str, str]
    missing: tuple[str, ...]
    left_over: tuple[str, ...]


def import_prompts(path: str | Path, labels: str | Path | LabelSet, *, joined: bool = False) -> Imported:
    """Read a JSON file of prompts for a label set.

    A key belongs to the class of that code, else to the one whose code differs in case and outer underscores
    alone (MERL writes ``NST`` for ``NST_``), else to the one of that name.

    Args:
        path: the file: class to a string of phrases joined with commas, or to a list of sentences.
        labels: a label set, or whatever ``load_label_set`` reads one from.
        joined: keep a joined string as the one phrase of its class, as MERL scores it.

    Raises:
        UsageError: an unknown label set.
        PromptError: the file is missing, not JSON, of another shape, or has no key of the label set.
    """
    label_set = labels if isinstance(labels, LabelSet) else load_label_set(labels)
    foreign = read_foreign(path)
    used = match_keys(foreign, label_set)
    if not used:
        raise PromptError(
            f"{path} has no prompts for {label_set.name}: none of its {len(foreign)} keys"
            f" ({', '.join(list(foreign)[:3])}, ...) is a code or name of its classes"
        )
    classes = {}
    for code, item in label_set.classes.items():
        value = foreign.get(used.get(code, ""), [])
        classes[code] = ClassPrompts(name=item.name, prompts=_phrases(value, item.name, joined))
    return Imported(
        label_set=label_set,
        prompt_set=PromptSet(
            label_set=label_set.name,
            generator=Generator(kind="imported", file_sha256=sha256(path)),
            classes=classes,
            name=Path(path).stem,
        ),
        used=used,
        missing=tuple(code for code, item in classes.items() if not item.prompts),
        left_over=tuple(key for key in foreign if key not in used.values()),
    )


def read_foreign(path: str | Path) -> Foreign:
    """Read a JSON file of class to text, or to a list of texts.

    Raises:
        PromptError: the file is missing, not JSON, names a key twice or is of another shape.
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            raise PromptError(f"{path}: {twice!r} appears twice; write a key once")
        return dict(pairs)

    try:
        data = json.loads(Path(path).read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    except FileNotFoundError:
        raise wrong_use(PromptError(f"there is no file {path}")) from None
    except json.JSONDecodeError as problem:
        raise PromptError(f"{path} line {problem.lineno} is not valid JSON: {problem.msg}") from None
    except (OSError, UnicodeDecodeError, RecursionError) as problem:
        raise PromptError(f"cannot read {path}: {problem}") from None
    wanted = "expected class to text (MERL) or to a list of sentences (CuPL)"
    if not isinstance(data, dict) or not data:
        found = "nothing" if data == {} else f"a {type(data).__name__}"
        raise PromptError(f"{path}: {wanted}, found {found}")
    for key, value in data.items():
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise PromptError(f"{path}: {wanted}; {key!r} holds something else")
    return data


def match_keys(keys: Iterable[str], label_set: LabelSet) -> dict[str, str]:
    """Return the key of each class that has one, by the class's code."""
    open_keys = list(keys)
    found: dict[str, str] = {}
    rules: list[tuple[Callable[[str], str], Callable[[str, str], str]]] = [
        (str, lambda code, name: code),
        (_bare, lambda code, name: _bare(code)),
        (normalise, lambda code, name: normalise(name)),
    ]
    for fold, wanted in rules:
        for code, item in label_set.classes.items():
            fitting = (key for key in open_keys if fold(key) == wanted(code, item.name))
            if code not in found and (key := next(fitting, None)) is not None:
                found[code] = key
                open_keys.remove(key)
    return {code: found[code] for code in label_set.classes if code in found}


def fitting_label_sets(keys: Iterable[str]) -> list[LabelSet]:
    """Return the shipped label sets whose every class has a key, by name."""
    given = list(keys)
    shipped = [load_label_set(name) for name in shipped_label_sets()]
    return [labels for labels in shipped if len(match_keys(given, labels)) == len(labels.classes)]


def split_phrases(text: str) -> list[str]:
    """Cut a joined string into phrases: at commas, semicolons, bullets and line ends, outside brackets.

    Leads in a row stay together.

    >>> split_phrases("inverted T in II, III and aVF, bigeminy (ventricular, atrial).")
    ['inverted T in II, III and aVF', 'bigeminy (ventricular, atrial)']
    """
    hidden = _BRACKETS.sub(lambda match: re.sub(r"[,;*•\\n]", "\\0", match[0]), text)
    phrases: list[str] = []
    start = 0
    for cut in [*re.finditer(r"[,;*•\n]", hidden), None]:
        end = cut.start() if cut else len(text)
        part = text[start:end].strip(_ENDS)
        if part and phrases and _goes_on(phrases[-1], part):
            phrases[-1] += f", {part}"
        elif part:
            phrases.append(part)
        start = end + 1
    return phrases


def split_set(prompt_set: PromptSet) -> PromptSet:
    """Return an imported set with every joined phrase cut into its parts; other sets as they are.

    What cites a passage was written as one phrase.
    """
    if prompt_set.generator.kind != "imported":
        return prompt_set
    classes = {}
    for code, item in prompt_set.classes.items():
        prompts = tuple(
            part for phrase in item.prompts for part in _parts(phrase, split_phrases(phrase.text), item.name)
        )
        classes[code] = item.model_copy(update={"prompts": prompts})
    return prompt_set.model_copy(update={"classes": classes})


def _parts(phrase: Phrase, texts: list[str], name: str) -> list[Phrase]:
    if phrase.sources or len(texts) < 2:
        return [phrase]
    return [
        phrase.model_copy(update={"text": text, "role": "name" if _is_name(text, name) else phrase.role})
        for text in texts
    ]


def _phrases(value: str | list[str], name: str, joined: bool) -> tuple[Phrase, ...]:
    if isinstance(value, list):
        texts = [text.strip().rstrip(".") for text in value]
    else:
        texts = [value.strip()] if joined else split_phrases(value)
    return tuple(
        Phrase(text=text, role="name" if _is_name(text, name) else "finding") for text in texts if text
    )


def _is_name(text: str, name: str) -> bool:
    return normalise(text) == normalise(name)


def _goes_on(before: str, part: str) -> bool:
    """Tell whether a part goes on with a row of leads: "... in II" and "III and aVF"."""
    return bool(
        re.search(rf"\b{_LEAD}$", before, re.IGNORECASE)
        and re.match(rf"(?:and |or )?{_LEAD}\b", part, re.IGNORECASE)
    )


def _bare(code: str) -> str:
    return code.strip("_").casefold()
