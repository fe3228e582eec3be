from __future__ import annotations

import gzip
import random

import pytest

from framework.errors import SourceFileError
from framework.model.csv_options import CsvOptions
from framework.model.files import SourceBatch
from tests.rows.conftest import Bench, column

START = b"a,b\n" + b"1,some text\n" * 10
BROKEN = {
    "unclosed at the end": (START + b'2,"z', "not closed"),
    "unclosed before more": (START + b'2,"z\n3,x\n', "not closed"),
    "text after a quote": (START + b'2,"x"y\n3,x\n', "RFC 4180"),
    "blank after a quote": (START + b'2,"x" \n3,x\n', "RFC 4180"),
    "blank before a quote": (START + b'2, "x"\n3,x\n', "RFC 4180"),
    "quote in a field": (START + b'2,5"x\n3,x\n', "quote"),
    "quotes in a field": (START + b'2,5"x"y\n3,x\n', "RFC 4180"),
    "doubled quote in a field": (START + b'2,5""x\n3,x\n', "RFC 4180"),
    "latin-1": (START + b"2,\xe9\n" + START, "not valid"),
    "latin-1, quoted": (START + b'2,"\xe9"\n', "not valid"),
}


def broken(bench: Bench, batch: SourceBatch, profile: bool = True) -> SourceFileError:
    columns = [column("a", "varchar(5)")]
    with pytest.raises(SourceFileError) as staging:
        bench.measure(batch, columns, None)
    if not profile:
        return staging.value
    with pytest.raises(SourceFileError) as profiling:
        bench.profile(batch, ["a"])
    assert profiling.value.keys == staging.value.keys
    return staging.value


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("layout", ["lines", "fields"])
def test_a_broken_file_is_refused_as_a_whole(bench: Bench, case: str, layout: str) -> None:
    content, message = BROKEN[case]
    if layout == "fields":
        content = content.replace(b"1,some", b'1,"\n"\n1,some', 1)
    batch = bench.batch({"good.csv": b"a,b\n1,2\n", "bad.csv": content})
    error = broken(bench, batch, profile=False)
    assert error.keys == (batch.files[1].file.key,)
    assert message in str(error)
    may_load = "latin" in case
    has_other_quotes = "RFC 4180" in str(error)
    assert error.needs_new_file == (not may_load and not has_other_quotes)
    assert ("quoting: lenient" in str(error)) == has_other_quotes
    assert ("set source.options.encoding to" in str(error)) == may_load


@pytest.mark.parametrize("record", [b"4,a", b'4,"a"', b"", b"4,", b'4,""', b" "])
def test_a_line_end_with_a_second_carriage_return_breaks_the_file(bench: Bench, record: bytes) -> None:
    error = broken(bench, bench.batch(b"a,b\n1,x\n" + record + b"\r\r\n5,y\n"), profile=False)

    assert "record 2: the quoting" in str(error)


def test_the_faulty_record_is_named_however_far_it_is(bench: Bench) -> None:
    batch = bench.batch(START.replace(b"1,some", b"1,some text\n" * 30_000 + b"1,some", 1) + b'2,"x"y\n')
    assert "record 30011: the quoting" in str(broken(bench, batch))


def test_every_broken_file_is_named(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b'a\n"x"y\n', "2.csv": b"a\n1\n", "3.csv": b'a\n1\n"\n'})
    assert broken(bench, batch).keys == (batch.files[0].file.key, batch.files[2].file.key)


def test_bytes_that_windows_1252_has_no_letter_for(bench: Bench) -> None:
    batch = bench.batch(START + b"2,\x81\n", CsvOptions(",", "windows-1252"))
    assert "not valid" in str(broken(bench, batch))


def test_a_gzip_file_cut_off_is_broken(bench: Bench) -> None:
    numbers = random.Random(1)
    content = b"a,b\n" + b"".join(b"%d,%d\n" % (n, numbers.randrange(10**9)) for n in range(60_000))
    packed = gzip.compress(content)
    batch = bench.batch({"good.gz": packed, "good.csv": START, "cut.gz": packed[: len(packed) // 2]})
    error = broken(bench, batch)
    assert error.keys == (batch.files[2].file.key,)
    assert "cut off" in str(error)


@pytest.mark.parametrize(
    "content", [b'"a",b\n1,2\r3,4\r', b"a,b\n1,2\n3,4\r5,6\n", b'a,b\n1,"\n"\n3,4\r5,6\n', b"a,b\r1,2\n3,4\r"]
)
def test_a_line_end_that_is_not_the_headers_breaks_the_file(bench: Bench, content: bytes) -> None:
    assert "carriage return" in str(broken(bench, bench.batch(content)))


def test_two_carriage_returns_are_no_line_end(bench: Bench) -> None:
    assert "carriage return" in str(broken(bench, bench.batch(b"a,b\r\n1,2\r\r\n3,4\r\n")))


def test_a_file_that_is_gone_is_named(bench: Bench) -> None:
    batch = bench.batch({"here.csv": START, "gone.csv": START})
    # Through S3: what goes from the folder itself, S3 has seen a moment later only.
    bench.lake.delete([batch.files[1].file.key])
    error = broken(bench, batch)
    assert error.keys == (batch.files[1].file.key,)
    assert "gone" in str(error)
