"""COPY from Parquet files.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html and copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

from framework.sandbox.redshift_sql.parsed import CopyParquet, Parsed
from framework.sandbox.redshift_sql.reader import Reader
from framework.sandbox.redshift_sql.refusal import Refused, not_supported
from framework.sandbox.redshift_sql.word_set import word_set

_OTHER_FORMATS = ("csv", "json", "avro", "orc", "delimiter", "fixedwidth", "shapefile")
_CREDENTIALS = ("credentials", "access_key_id", "secret_access_key", "session_token")
_NOT_FOR_PARQUET = word_set(
    """
    acceptanydate blanksasnull bzip2 compression comprows compupdate dateformat emptyasnull encoding encrypted escape
    gzip ignoreallerrors ignoreblanklines ignoreheader lzop master_symmetric_key maxerror noload null quote readratio
    region removequotes roundec timeformat trimblanks truncatecolumns zstd
    """
)
_NOT_HERE = ("acceptinvchars", "explicit_ids")
SERIALIZE_TO_JSON = "SERIALIZETOJSON"
_ON_OFF = ("on", "true", "off", "false")


class _Options:
    """What follows FROM, collected in any order."""

    def __init__(self) -> None:
        self.parquet = False
        self.manifest = False
        self.iam_role: str | None = None
        self.flags: set[str] = set()
        self.refused: list[str] = []


def parse_copy(reader: Reader) -> Parsed:
    """Parse what follows COPY."""
    table = reader.relation()
    columns: tuple[str, ...] | None = None
    if reader.accept_mark("("):
        reader.place -= 1
        columns = reader.names()
    reader.expect("from")
    url = reader.text()
    options = _Options()
    while not reader.at_end:
        _read_option(reader, options)
    _check(url, options)
    copy = CopyParquet(
        schema=table.schema,
        table=table.name,
        columns=columns,
        url=url,
        manifest=options.manifest,
        iam_role=options.iam_role or "",
        options=frozenset(options.flags),
    )
    return Parsed("COPY", False, None, False, None, copy, copy)


def _read_option(reader: Reader, options: _Options) -> None:
    if reader.accept("manifest"):
        options.manifest = True
    elif reader.accept("iam_role"):
        options.iam_role = "default" if reader.accept("default") else reader.text()
    elif reader.accept("fillrecord"):
        options.flags.add("FILLRECORD")
    elif reader.accept("serializetojson"):
        options.flags.add(SERIALIZE_TO_JSON)
    elif reader.accept("statupdate"):
        any(reader.accept(word) for word in _ON_OFF)
    elif reader.accept("format") or reader.accept("as"):
        reader.accept("as")
        _read_format(reader, options)
    elif reader.sees("parquet") or any(reader.sees(word) for word in _OTHER_FORMATS):
        _read_format(reader, options)
    else:
        _read_refused(reader, options)


def _read_format(reader: Reader, options: _Options) -> None:
    if reader.accept("parquet"):
        options.parquet = True
        return
    for word in _OTHER_FORMATS:
        if reader.sees(word):
            raise not_supported(f"COPY from {word.upper()}")
    raise reader.error()


def _read_refused(reader: Reader, options: _Options) -> None:
    """The refusal has to wait: its text depends on the format, which may come later."""
    start = reader.place
    word = reader.word()
    if word in _CREDENTIALS or word in _NOT_HERE:
        raise not_supported(f"COPY with {word.upper()}")
    if word not in _NOT_FOR_PARQUET:
        reader.place = start
        raise reader.error()
    options.refused.append(word.upper())
    reader.accept("as")
    if not reader.at_end and not any(reader.accept(value) for value in (*_ON_OFF, "preset")):
        _skip_argument(reader)


def _skip_argument(reader: Reader) -> None:
    token = reader.tokens[reader.place]
    if token.text.isdigit() or token.token_type.name == "STRING":
        reader.place += 1


def _check(url: str, options: _Options) -> None:
    if not options.parquet:
        raise not_supported("COPY from delimited text")
    if options.refused:
        raise Refused(f"{options.refused[0]} argument is not supported for PARQUET based COPY")
    if not url.startswith("s3://"):
        raise not_supported("COPY from anything but S3")
    if options.iam_role is None:
        raise Refused("Must specify IAM_ROLE or CREDENTIALS for COPY", "42601")
