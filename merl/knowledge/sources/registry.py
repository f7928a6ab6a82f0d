"""The sources by name, and how one is asked for in a word."""

from __future__ import annotations

import inspect
from pathlib import Path
from urllib.parse import parse_qsl

from merl.errors import UsageError, unknown
from merl.knowledge.sources.base import Source
from merl.knowledge.sources.folders import JSONLines, Markdown
from merl.knowledge.sources.ontologies import ECG, HPO, ICD10CM, MONDO, SCP
from merl.knowledge.sources.snomed import SNOMED
from merl.knowledge.sources.umls import UMLS

SOURCES: dict[str, type[Source]] = {
    source.name: source for source in (ECG, HPO, ICD10CM, MONDO, SCP, UMLS, SNOMED, JSONLines, Markdown)
}


def parse_source(given: str) -> Source:
    """Make a source from ``NAME[:PATH[?FILTER=VALUE,VALUE&...]]``.

    ``umls:/data/META?vocabularies=MSH,SNOMEDCT_US&semantic_types=T033`` reads two vocabularies of UMLS.

    Raises:
        UsageError: no such source or filter, or a path is missing or too much.
        KnowledgeError: the source is not there, or its package is not installed.
    """
    name, _, rest = given.partition(":")
    place, _, query = rest.partition("?")
    if name not in SOURCES:
        raise UsageError(unknown("source", name, SOURCES))
    source = SOURCES[name]
    if source.place and not place:
        raise UsageError(f"the source {name!r} needs a path; write {name}:{source.place}")
    if rest and not source.place:
        raise UsageError(f"the source {name!r} takes no path; write {name}")
    allowed = [
        key for key, value in inspect.signature(source).parameters.items() if value.kind is value.KEYWORD_ONLY
    ]
    filters = {key: tuple(value.split(",")) for key, value in parse_qsl(query)}
    if strange := next((key for key in filters if key not in allowed), None):
        raise UsageError(f"source {name!r}: " + unknown("filter", strange, allowed))
    return source(Path(place), **filters) if source.place else source()
