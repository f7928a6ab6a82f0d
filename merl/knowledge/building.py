"""Building an index from sources of any size: on disk, in batches, gone on with after a kill."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from merl.errors import KnowledgeError, UsageError
from merl.files import sha256, write_text
from merl.knowledge.corpus import CorpusManifest, Shard, SourceRecord, read_corpus_manifest
from merl.knowledge.embedders import Embedder, EmbedderSpec, precision_of
from merl.knowledge.index_folder import check_target, replace_folder, schema_of
from merl.knowledge.sources import Source
from merl.knowledge.sources.base import Progress, quiet
from merl.knowledge.structure import index_vectors, structure_for
from merl.knowledge.tables import CONCEPTS, NAMES, write_tables

logger = logging.getLogger(__name__)

#: Passages embedded together; what a kill can lose.
BATCH = 1024


def build(
    sources: Sequence[Source],
    out: str | Path,
    embedder: Embedder | None = None,
    *,
    spec: EmbedderSpec | None = None,
    shard: tuple[int, int] | None = None,
    batch_size: int = BATCH,
    progress: Progress = quiet,
) -> CorpusManifest:
    """Build the index of some sources into a folder, complete or not at all.

    What is under way lies in ``.NAME.part`` beside the folder: the same call after a kill reads the sources
    again and goes on embedding at the first batch that was not finished.

    Args:
        sources: read one after the other.
        out: an empty or new folder, or an index to be replaced.
        embedder: the shipped one by default.
        spec: what the embedder was made from, for the manifest.
        shard: build this share only, ``(1, 4)`` the first of four; ``merge`` joins them. Shares are whole
            batches, so that each text is embedded in the company it would have in a single build.
        batch_size: passages embedded together; the same for all shards.
        progress: told of each stage.

    Returns:
        The manifest that was written.

    Raises:
        UsageError: no source, one twice, or no such shard.
        KnowledgeError: a source cannot be read, or the folder holds something else.
    """
    if embedder is None:
        spec = spec or EmbedderSpec()
        embedder = spec.load()
    out = Path(out)
    part = _begin(sources, out, shard)
    try:
        records = _write_passages(sources, part / "corpus.jsonl", progress)
        corpus = sha256(part / "corpus.jsonl")
        first, last = _share(sum(record.passages for record in records), batch_size, shard)
        _cut(part / "corpus.jsonl", first, last, part / "passages.jsonl")
        asked = {
            "corpus": corpus,
            "embedder": embedder.sha256,
            "precision": precision_of(embedder),
            "batch size": batch_size,
            "share": [first, last],
        }
        vectors = _embed(part, embedder, asked, progress)
        manifest = CorpusManifest(
            embedder=embedder.name,
            embedder_sha256=embedder.sha256,
            precision=precision_of(embedder),
            spec=spec,
            dim=vectors.shape[1],
            corpus_sha256=corpus,
            passages=last - first,
            shard=Shard(number=shard[0], of=shard[1]) if shard else None,
            sources=records,
            files={},
        )
        return _finish(part, out, manifest, progress)
    finally:
        if not (part / "state.json").exists():  # nothing is embedded that could be gone on with
            shutil.rmtree(part, ignore_errors=True)


def merge(shards: Sequence[str | Path], out: str | Path, progress: Progress = quiet) -> CorpusManifest:
    """Join the shards of one corpus into the index that a single build would have made.

    Raises:
        KnowledgeError: a folder is no shard or was changed, one is missing, or they are of different builds.
    """
    out = Path(out).absolute()
    check_target(out)
    if finished := [folder for folder in map(Path, shards) if schema_of(folder) == "merl/index/v1"]:
        raise KnowledgeError(f"{finished[0]} is a finished index, not a shard; it needs no merging")
    found = {Path(folder): read_corpus_manifest(Path(folder)) for folder in shards}
    folders = _in_order(found)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}.", suffix=".part", dir=out.parent) as name:
        part = Path(name)
        with (part / "passages.jsonl").open("wb") as joined:
            for folder in folders:
                with (folder / "passages.jsonl").open("rb") as lines:
                    shutil.copyfileobj(lines, joined)
        first = found[folders[0]]
        if sha256(part / "passages.jsonl") != first.corpus_sha256:
            raise KnowledgeError("the shards do not make up their corpus; build them with one batch size")
        shape = (sum(found[folder].passages for folder in folders), first.dim)
        vectors = open_memmap(part / "vectors.npy", mode="w+", dtype=np.float32, shape=shape)
        start = 0
        for folder in folders:
            rows = np.load(folder / "vectors.npy", mmap_mode="r")
            vectors[start : start + len(rows)] = rows
            start += len(rows)
        vectors.flush()
        whole = first.model_copy(update={"passages": len(vectors), "shard": None})
        return _finish(part, out, whole, progress)


def _begin(sources: Sequence[Source], out: Path, shard: tuple[int, int] | None) -> Path:
    labels = [source.label for source in sources]
    if not sources:
        raise UsageError("an index needs at least one source; name it with --source")
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise UsageError(f"the source {twice!r} is given twice; its passages would have the same ids")
    if shard and not 1 <= shard[0] <= shard[1]:
        raise UsageError(f"there is no shard {shard[0]}/{shard[1]}; shards are 1/N to N/N")
    check_target(out)
    out = out.absolute()
    part = out.with_name(f".{out.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    return part


def _write_passages(sources: Sequence[Source], path: Path, progress: Progress) -> tuple[SourceRecord, ...]:
    records = []
    with path.open("w", encoding="utf-8") as handle:
        for source in sources:
            count = 0
            for passage in source.passages(progress):
                handle.write(passage.model_dump_json() + "\n")
                count += 1
            if not count:
                raise KnowledgeError(
                    f"the source {source.label!r} gave no passage; check its path and filters"
                )
            records.append(
                SourceRecord(
                    name=source.label,
                    version=source.version,
                    licence=source.licence,
                    attribution=source.attribution,
                    options=source.options,
                    passages=count,
                    skipped=dict(sorted(source.skipped.items())),
                )
            )
    return tuple(records)


def _share(count: int, batch_size: int, shard: tuple[int, int] | None) -> tuple[int, int]:
    """Return the first passage of a share and the one after its last."""
    number, of = shard or (1, 1)
    batches = -(-count // batch_size)
    if of > batches:
        raise KnowledgeError(f"{count} passages are {batches} batches; {of} shards are too many for them")
    return batches * (number - 1) // of * batch_size, min(count, batches * number // of * batch_size)


def _cut(corpus: Path, first: int, last: int, share: Path) -> None:
    with corpus.open("rb") as lines, share.open("wb") as handle:
        handle.writelines(islice(lines, first, last))
    corpus.unlink()


def _embed(part: Path, embedder: Embedder, asked: dict[str, Any], progress: Progress) -> NDArray[np.float32]:
    """Embed the passages of a part folder, from where ``state.json`` says, and return them from disk."""
    state, path = part / "state.json", part / "vectors.npy"
    count = asked["share"][1] - asked["share"][0]
    done = _done(state, asked) if path.is_file() else 0
    with (part / "passages.jsonl").open(encoding="utf-8") as lines:
        for _ in islice(lines, done):
            pass
        while texts := [json.loads(line)["text"] for line in islice(lines, asked["batch size"])]:
            embeddings = embedder.encode(texts)  # (batch, dim)
            if not np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3):
                raise KnowledgeError(
                    f"{embedder.name} gave vectors that are not of unit length; their products are no cosines"
                )
            # opened anew for every batch, so that what is written does not stay in memory
            rows = open_memmap(path, mode="r+") if done else _new(path, (count, embeddings.shape[1]))
            rows[done : done + len(texts)] = embeddings
            rows.flush()
            done += len(texts)
            write_text(state, json.dumps({**asked, "done": done}))
            progress(done, count, "embedding")
    return np.load(path, mmap_mode="r")


def _new(path: Path, shape: tuple[int, int]) -> np.memmap[Any, np.dtype[np.float32]]:
    return open_memmap(path, mode="w+", dtype=np.float32, shape=shape)


def _done(state: Path, asked: dict[str, Any]) -> int:
    """Return how many passages were embedded before this build was cut off.

    Raises:
        KnowledgeError: that was another build, or its vectors are damaged.
    """
    try:
        kept = json.loads(state.read_text(encoding="utf-8"))
        done = kept.pop("done")
    except (FileNotFoundError, ValueError, KeyError):
        return 0
    if changed := [key for key in asked if kept.get(key) != asked[key]]:
        raise KnowledgeError(
            f"{state.parent} holds a build that was cut off, with another {' and '.join(changed)};"
            " repeat that one, or delete the folder"
        )
    try:
        np.load(state.with_name("vectors.npy"), mmap_mode="r")  # "r+" would fill up what is missing
    except (ValueError, EOFError):
        raise KnowledgeError(f"the vectors in {state.parent} are damaged; delete the folder") from None
    logger.info("going on after %d embedded passages", done)
    return int(done)


def _finish(part: Path, out: Path, manifest: CorpusManifest, progress: Progress) -> CorpusManifest:
    """Put what a part folder holds in place: the index, or of a shard its vectors, with the passages."""
    import faiss

    finished = part / "finished"
    shutil.rmtree(finished, ignore_errors=True)
    finished.mkdir()
    vectors = part / "vectors.npy"
    files = {"passages.jsonl": sha256(part / "passages.jsonl")}
    if manifest.shard:
        files["vectors.npy"] = sha256(vectors)
    else:
        index = index_vectors(np.load(vectors, mmap_mode="r"), progress)
        faiss.write_index(index, str(finished / "index.faiss"))
        files["index.faiss"] = sha256(finished / "index.faiss")
        write_tables(part / "passages.jsonl", finished, manifest.passages, progress)
        files |= {name: sha256(finished / name) for name in (NAMES, CONCEPTS)}
        manifest = manifest.model_copy(update={"structure": structure_for(manifest.passages)})
    manifest = manifest.model_copy(update={"files": files})
    manifest.write(finished)
    (part / "passages.jsonl").rename(finished / "passages.jsonl")
    if manifest.shard:
        vectors.rename(finished / vectors.name)  # last: a kill before loses no embedding
    replace_folder(finished, out)
    shutil.rmtree(part, ignore_errors=True)
    return manifest


def _in_order(found: dict[Path, CorpusManifest]) -> list[Path]:
    """Return the folders of all shards of one build, the first shard first.

    Raises:
        KnowledgeError: they are not that.
    """
    places: dict[int, Path] = {}
    kinds = set()
    for folder, manifest in found.items():
        if manifest.shard is None:
            raise KnowledgeError(f"{folder} is no shard but a whole index; it needs no merging")
        same = (manifest.corpus_sha256, manifest.embedder_sha256, manifest.precision, manifest.dim)
        kinds.add((manifest.shard.of, *same))
        places[manifest.shard.number] = folder
    if len(kinds) != 1:
        raise KnowledgeError(
            "the shards come from different builds; build all from the same sources with the same embedder"
        )
    of = kinds.pop()[0]
    if missing := [str(number) for number in range(1, of + 1) if number not in places]:
        raise KnowledgeError(f"of {of} shards {', '.join(missing)} is missing; name all their folders")
    return [places[number] for number in range(1, of + 1)]
