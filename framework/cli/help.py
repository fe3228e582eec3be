"""What --help shows below the options: examples, exit codes, and where the documentation is."""

from __future__ import annotations

import argparse

from framework.resources import docs_folder

EXAMPLES: dict[str | None, tuple[tuple[str, str], ...]] = {
    None: (
        ("feedway validate", "check all specs, offline"),
        ("feedway plan orders --sql", "what would a run do?"),
        ("feedway run orders customers", "load what is pending"),
        ("feedway --env prod run --all", "load every feed, on AWS"),
        ('feedway sandbox sql "select * from feedway.job_sts"', ""),
    ),
    "init": (
        ("feedway init orders --from orders.csv", "from a file of the feed"),
        ("feedway init orders --from january.csv february.csv", "from several"),
        ("feedway init orders --from orders.csv --keys order_id,line", ""),
    ),
    "land": (
        ("feedway land orders orders_7.csv", "into the inbox of the feed"),
        ("feedway land orders orders_*.csv --env prod", ""),
    ),
    "test": (
        ("feedway test", "every feed that has tests"),
        ("feedway test orders", ""),
    ),
    "validate": (
        ("feedway validate", "every spec of the project"),
        ("feedway validate orders", ""),
        ("feedway validate --project s3://acme-lake/feedway", "specs in S3"),
    ),
    "plan": (
        ("feedway plan orders", "files, changes, warnings"),
        ("feedway plan orders --sql", "with the statements"),
        ("feedway plan orders --sample 1000", "big files, in part"),
        ("feedway plan orders --file data/archive/2026/01/orders_7.csv --again", ""),
    ),
    "run": (
        ("feedway run orders customers", "two feeds, side by side"),
        ("feedway run --all --env prod", "every feed of the project"),
        ("feedway run --tag daily --result s3://acme-results/today.json", ""),
        ("feedway run orders --file data/archive/2026/01/orders_7.csv --again", ""),
    ),
    "replay": (
        ("feedway replay orders", "files that were set aside"),
        ("feedway replay orders --file data/unprocessed/2026/01/orders_7.csv", ""),
        ("feedway replay orders --quarantine corrected.csv", "bad rows"),
    ),
    "skip": (
        ("feedway skip data/in/orders/orders_7.csv", ""),
        ('feedway skip data/unprocessed/2026/01/orders_7.csv --reason "sent by mistake"', ""),
    ),
    "quarantine": (
        ("feedway quarantine list", "files with bad rows, and why"),
        ("feedway quarantine show orders", "those of the newest load"),
        ("feedway quarantine show --run 4be07a15 orders", ""),
        ("feedway quarantine export orders --file orders_7.csv", ""),
        ("feedway replay orders --quarantine orders-4be07a15.csv", ""),
    ),
    "status": (
        ("feedway status", "every feed, and what needs attention"),
        ("feedway status --tag daily --env prod", ""),
    ),
    "history": (
        ("feedway history orders", "past loads, newest first"),
        ("feedway history --status FAILED --since 7d", ""),
        ("feedway history --file orders_7.csv", "what became of a file"),
    ),
    "logs": (
        ("feedway logs 4be07a15", "a load, by the start of its run_id"),
        ("feedway logs orders", "the latest load of a feed"),
    ),
    "changes": (
        ("feedway changes orders", "how the table changed, and why"),
        ("feedway changes --since 7d", ""),
    ),
    "explain": (
        ("feedway explain orders amount", "by which file, value or rule"),
        ('feedway explain orders "Order Amount"', "by its header in the files"),
    ),
    "stale": (
        ("feedway stale", "feeds that are late"),
        ("feedway stale --notify --env prod", "send them to the environment's targets"),
    ),
    "report": (
        ("feedway report site --env prod", "open site/index.html"),
        ("feedway report site orders 'sales_*' --since 90d", ""),
    ),
    "check": (
        ("feedway check --env prod", "what is missing, and what to do"),
        ("feedway check --env prod --create", "create the control schema"),
    ),
    "prune": (
        ("feedway prune 400d", "how many rows are old"),
        ("feedway prune 400d --yes", "delete them"),
    ),
    "restore-views": (
        ("feedway restore-views", "every view in the journal"),
        ("feedway restore-views reporting.v_orders", ""),
        ("feedway restore-views --forget reporting.v_orders", "it was made by hand"),
    ),
    "sandbox": (
        ("feedway sandbox up", "keep it running between commands"),
        ('feedway sandbox sql "select * from public.orders"', ""),
        ("feedway sandbox reset --yes", "stop it and remove its data"),
    ),
    "completion": (
        ('eval "$(feedway completion bash)"', "in ~/.bashrc"),
        ('eval "$(feedway completion zsh)"', "in ~/.zshrc, after compinit"),
        ("feedway completion fish | source", "in config.fish"),
        ("feedway completion tcsh > ~/.feedway.tcsh", "to source in ~/.tcshrc"),
    ),
}
"""Command lines with what they are for, by command; None for the program itself."""
EXIT_CODES = {
    0: "all done, or nothing to do",
    1: "unexpected, failures of several classes, or no command; a test failed",
    2: "a spec, an option, a setting of AWS, a missing package, a refused file",
    3: "a source file",
    4: "a schema change was refused, or a view could not be restored",
    5: "the warehouse, S3 or credentials, a full disk, Spark, a wrong clock",
    6: "status, stale: a feed needs attention; plan --detailed-exitcode: changes",
    130: "interrupted (Ctrl-C)",
    143: "terminated (SIGTERM)",
}
_MARGIN = 26
"""Columns before the help of an option: --allow-new-columns fits."""


class Layout(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of examples and exit codes; the help of options begins in one column."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=_MARGIN)


def epilog_of(command: str | None) -> str:
    """Return examples of a command and the exit codes, which are the same for all; of the program, its docs too."""
    examples = EXAMPLES[command]
    width = max((len(line) for line, remark in examples if remark), default=0)
    lines = [f"  {line:<{width}}  # {remark}" if remark else f"  {line}" for line, remark in examples]
    codes = [f"  {code:<5}{meaning}" for code, meaning in EXIT_CODES.items()]
    docs = ["", "docs/ in messages is this folder:", f"  {docs_folder()}"] if command is None else []
    return "\n".join(["examples:", *lines, "", "exit codes:", *codes, *docs])
