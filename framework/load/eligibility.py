"""Which of a run's files are still to load, given what other runs have loaded before and meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from framework.load.order import is_after, order_of
from framework.load.request import is_again
from framework.load.run import Run
from framework.model.observation import Observation
from framework.plan.audit import LoadFile
from framework.plan.precedence import EnteredFile, Precedence, was_delivered_again
from framework.plan.same_content import loaded_on
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.audit import read_newest_loads, read_seen_files
from framework.warehouse.ledger import read_entered, read_later_files

Reasons = Mapping[LoadFile, str]


def superseded_before(run: Run, files: Sequence[LoadFile]) -> dict[LoadFile, str]:
    """Return the picked files that are superseded, with the reason: the audit shows a later one as loaded."""
    spec = run.spec
    newest = read_newest_loads(run.warehouse, [order_of(spec, run.lake)]).get(spec.pipeline)
    if newest is None:
        return {}
    key, arrival = newest
    return {
        file: _superseded_by(spec, f"{key}, which arrived {arrival:%Y-%m-%d %H:%M:%S}")
        for file in files
        if is_after(spec, newest, file.source)
    }


def superseded_meanwhile(
    run: Run, files: Sequence[LoadFile], precedence: Precedence
) -> tuple[dict[LoadFile, str], frozenset[str]]:
    """Return the files that are superseded, with the reason: the ledger has a later one.

    The second value are loaded files, by the sha256 of their identity, that come after none of the remaining files,
    so that no merge stops for them again.
    """
    bounds = precedence.bounds([file.source for file in files])
    later = read_later_files(run.warehouse, run.target, bounds)
    found = {}
    for file in files:
        after = [entered for entered in later if precedence.is_after(entered, file.source)]
        if after:
            last = max(after, key=lambda entered: (entered.arrived_at, entered.key))
            found[file] = _superseded_by(run.spec, f"{last.key}, which arrived {last.arrived_at:%Y-%m-%d %H:%M:%S}")
    left = [file for file in files if file not in found]
    earlier = frozenset(
        entered.identity_sha256
        for entered in later
        if not any(precedence.is_after(entered, file.source) for file in left)
    )
    return found, earlier


def _superseded_by(spec: PipelineSpec, later: str) -> str:
    return (
        f"{later} and comes after it, is loaded into {spec.target.table} already, and this file could put older "
        "rows in the place of newer ones"
    )


def loaded_already(run: Run, files: Sequence[LoadFile]) -> tuple[dict[LoadFile, str], tuple[LoadFile, ...]]:
    """Return the files that the ledger holds, with when each was first loaded; and the others.

    A file that was redelivered after another version is loaded again, with the next generation.
    """
    entered = read_entered(run.warehouse, run.target, [file.source for file in files])
    generations = _generations(entered)
    known = [file.source for file in files if file.source.identity.sha256 in generations]
    seen = read_seen_files(run.warehouse, run.target, known) if known else []
    loaded: dict[LoadFile, str] = {}
    others = []
    for file in files:
        sha256 = file.source.identity.sha256
        if sha256 not in generations:
            others.append(file)
        elif was_delivered_again(file.source, entered, seen, run.spec.load.mode.replaces_table):
            others.append(replace(file, generation=generations[sha256] + 1))
            run.log.info("the file was delivered again after another one", file=file.source.url)
        else:
            own = [each for each in entered if each.identity_sha256 == sha256]
            first = min(own, key=lambda each: each.generation)
            loaded[file] = f"already {loaded_on(first.loaded_at, first.run_id)}"
    return loaded, tuple(others)


def known_as_loaded(
    run: Run, files: tuple[LoadFile, ...], observed: Observation
) -> tuple[dict[LoadFile, str], tuple[LoadFile, ...]]:
    """Return `loaded_already` of the files that the audit knows as loaded; none is where one is to be loaded again."""
    known = [file for file in files if observed.history_of(file.source.identity).generation]
    if is_again(run.request) or not known:
        return {}, files
    loaded, others = loaded_already(run, known)
    numbered = {file.source: file for file in others}
    return loaded, tuple(numbered.get(file.source, file) for file in files if file not in loaded)


def as_next_generation(run: Run, files: Sequence[LoadFile]) -> tuple[LoadFile, ...]:
    """Return the files, each with one generation more than the ledger holds, to load them in any case."""
    generations = _generations(read_entered(run.warehouse, run.target, [file.source for file in files]))
    return tuple(replace(file, generation=generations.get(file.source.identity.sha256, 0) + 1) for file in files)


def _generations(entered: Sequence[EnteredFile]) -> dict[str, int]:
    generations: dict[str, int] = {}
    for each in entered:
        generations[each.identity_sha256] = max(each.generation, generations.get(each.identity_sha256, 0))
    return generations
