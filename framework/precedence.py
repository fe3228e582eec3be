"""What other runs have loaded meanwhile or before, and what of a run's own files that leaves to be loaded."""

from __future__ import annotations

from collections.abc import Sequence

from framework.bookkeeping import Books
from framework.lake.s3 import Lake
from framework.results import LoadRequest
from framework.schema.precedence import EnteredFile, Precedence, was_delivered_again
from framework.schema.same_content import loaded_on
from framework.schema.values import SourceFile
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.control import read_newest_load, read_seen_files
from framework.warehouse.ledger import read_entered, read_later_files


def is_picked(request: LoadRequest) -> bool:
    """Say whether somebody has asked for files that may come after newer ones."""
    return request.unprocessed or request.file_key is not None


def precedence_of(spec: PipelineSpec, lake: Lake, request: LoadRequest) -> Precedence | None:
    """Return by what a loaded file comes after one of this request; None where their order decides nothing.

    It decides which rows stay in replace mode, and in upsert mode without `order_by`. Of a feed that is ordered
    by name, pending files with the names of earlier deliveries are usual, so a loaded one comes after
    them only if it arrived later too. Corrected rows overwrite nothing and may come when they like.
    """
    decides = spec.load.mode == "replace" or (spec.load.mode == "upsert" and not spec.load.order_by)
    if not decides or request.out_of_order or request.keeps_stored:
        return None
    if spec.source.order == "name":
        return Precedence(not is_picked(request), True, lake.key(spec.source.prefix))
    return Precedence(True, False)


def why_overtaken(books: Books, files: Sequence[SourceFile]) -> dict[str, str]:
    """Return why picked files may not be loaded any more, by object key: the audit shows a later one as loaded."""
    spec = books.spec
    by_name = spec.source.order == "name"
    folder = books.services.lake.key(spec.source.prefix) if by_name else None
    newest = read_newest_load(books.warehouse, spec.target.table, folder)
    if newest is None:
        return {}
    newest_key, newest_arrival = newest
    return {
        file.key: _overtaken_by(spec, file, f"{newest_key}, which arrived {newest_arrival:%Y-%m-%d %H:%M:%S}")
        for file in files
        if (newest_key > file.identity.key if by_name else newest_arrival > file.arrived_at)
    }


def overtaken_meanwhile(books: Books, files: Sequence[SourceFile], precedence: Precedence) -> dict[str, str]:
    """Return why files may not be loaded any more, by object key: the ledger has a later one.

    The books take note of those that come after none of the files, so that no merge stops for them again.
    """
    bounds = precedence.bounds(files)
    later = read_later_files(books.warehouse, books.spec.target.table, bounds)
    found = {}
    for file in files:
        after = [entered for entered in later if precedence.is_after(entered, file)]
        if after:
            last = max(after, key=lambda entered: (entered.arrived_at, entered.key))
            told = f"{last.key}, which arrived {last.arrived_at:%Y-%m-%d %H:%M:%S}"
            found[file.key] = _overtaken_by(books.spec, file, told)
    left = [file for file in files if file.key not in found]
    books.harmless |= {
        entered.identity_sha256 for entered in later if not any(precedence.is_after(entered, file) for file in left)
    }
    return found


def _overtaken_by(spec: PipelineSpec, file: SourceFile, later: str) -> str:
    return (
        f"{later} and comes after it, is loaded into {spec.target.table} already, and this file could put older "
        "rows in the place of newer ones"
    )


def loaded_already(books: Books, files: Sequence[SourceFile]) -> dict[SourceFile, str]:
    """Return those of the files that the ledger holds, with when each was first loaded; let the books count the others.

    A file that was delivered again since it was loaded is to be loaded again, as a generation of its own.
    """
    warehouse, target = books.warehouse, books.spec.target.table
    entered = read_entered(warehouse, target, files)
    generations = _generations(entered)
    known = [file for file in files if file.identity.sha256 in generations]
    seen = read_seen_files(warehouse, target, known) if known else []
    loaded = {}
    for file in known:
        if was_delivered_again(file, entered, seen, books.spec.load.mode == "replace"):
            books.generations[file.key] = generations[file.identity.sha256] + 1
            books.log.info("the file was delivered again after another one", file=file.url)
        else:
            own = [each for each in entered if each.identity_sha256 == file.identity.sha256]
            first = min(own, key=lambda each: each.generation)
            loaded[file] = f"already {loaded_on(first.loaded_at, first.run_id)}"
    return loaded


def count_again(books: Books, files: Sequence[SourceFile]) -> None:
    """Let the books count files that are to be loaded whatever the ledger says."""
    entered = read_entered(books.warehouse, books.spec.target.table, files)
    generations = _generations(entered)
    books.generations |= {file.key: generations.get(file.identity.sha256, 0) + 1 for file in files}


def _generations(entered: Sequence[EnteredFile]) -> dict[str, int]:
    generations: dict[str, int] = {}
    for each in entered:
        generations[each.identity_sha256] = max(each.generation, generations.get(each.identity_sha256, 0))
    return generations
