from __future__ import annotations

from framework.model.measurements import BadRow, ColumnMeasurement, FileMeasurement, RowRange
from framework.model.staging import FromFile
from tests.rows.conftest import Bench, column


def test_nothing_is_written_without_a_destination(bench: Bench) -> None:
    batch = bench.batch(b"a\n1\nx\n")
    before = sorted(bench.folder.rglob("*"))
    seen = bench.measure(batch, [column("a", "integer")], None)
    assert seen.files == (FileMeasurement(0, 2, 1, 1),)
    assert sorted(bench.folder.rglob("*")) == before


def test_a_header_without_rows_is_measured_as_none(bench: Bench) -> None:
    seen, rows = bench.stage(bench.batch(b"a,b\n"), [column("a", "integer", required=True)])
    assert rows == []
    assert seen.files == (FileMeasurement(0, 0, 0, 0),)
    assert seen.columns == {"a": ColumnMeasurement()}


def test_a_row_counts_once_however_much_is_wrong(bench: Bench) -> None:
    content = b"k,n\n1,1\n,x\nx,x\n1,2,3\n4\n5,5\n"
    seen, rows = bench.stage(bench.batch(content), [column("k", "integer", required=True), column("n", "integer")])
    assert [row[:2] for row in rows] == [(1, 1), (5, 5)]
    assert seen.files == (FileMeasurement(0, 6, 2, 4),)
    assert seen.malformed_rows == 2
    assert (seen.columns["k"].misfits, seen.columns["k"].null_keys, seen.columns["n"].misfits) == (1, 1, 2)


def test_the_field_count_is_seen_when_few_columns_are_asked_for(bench: Bench) -> None:
    for content in (b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n4,5,6\n", b'a,b,c\n1,2,"\n"\n1,"2\n"\n1,2,3,4\n4,5,6\n'):
        for asked in ("a", "b", "c"):
            seen, rows = bench.stage(bench.batch(content), [column(asked, "varchar(5)")])
            assert (seen.malformed_rows, len(rows)) == (2, 2)
    seen, rows = bench.stage(bench.batch(content), [])
    assert (seen.malformed_rows, [row[0] for row in rows]) == (2, [0, 0])


def test_files_are_measured_apart(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b"a\n1\nx\n", "2.csv": b"a\n", "3.csv": b"a\n1\n2\n3\n"})
    seen, _ = bench.stage(batch, [column("a", "integer")])
    assert seen.files == (FileMeasurement(0, 2, 1, 1), FileMeasurement(1, 0, 0, 0), FileMeasurement(2, 3, 3, 0))
    assert (seen.rows_staged, seen.rows_bad) == (4, 1)


def test_lengths_are_bytes_of_the_texts_that_fit(bench: Bench) -> None:
    content = "a,b\nxx,1\nééé,\nwaytoolong,\n,\n".encode()
    columns = [column("a", "varchar(8)", measure_length=True), column("b", "varchar(8)")]
    seen, _ = bench.stage(bench.batch(content), columns)
    assert seen.columns["a"] == ColumnMeasurement(longest_bytes=6, misfits=1)
    assert seen.columns["b"].longest_bytes == 0


def test_numbers_that_a_wider_type_holds_are_described(bench: Bench) -> None:
    content = b"i,d\n1,1\n3000000000,1\n-40000,10.123\n-7.250,0.5\nx,12345\n" + b"9" * 39 + b",1e9\n"
    columns = [column("i", "smallint"), column("d", "decimal(4,1)")]
    seen, _ = bench.stage(bench.batch(content), columns)
    assert seen.columns["i"] == ColumnMeasurement(misfits=5, wider=4, integer_digits=39, scale=2)
    assert seen.columns["d"] == ColumnMeasurement(
        misfits=3, wider=3, integer_digits=10, scale=3, smallest=12345, largest=1_000_000_000
    )
    fewer = bench.batch(content.replace(b"9" * 39, b""))
    seen, _ = bench.stage(fewer, columns)
    assert (seen.columns["i"].smallest, seen.columns["i"].largest) == (-40000, 3000000000)


def test_numbers_with_an_exponent_need_a_wider_decimal(bench: Bench) -> None:
    columns = [column("d", "decimal(4,1)")]
    content = b"d\n1e2\n1.5e-1\n-12.5e3\n2500e-3\n0e99\n1e400\nx\n"
    seen, _ = bench.stage(bench.batch(content.replace(b"1e400\n", b"")), columns)
    # 1e2 and 0e99 fit; 0.15 and 2.5 have up to 2 digits after the point, and -12500 has 5 before it.
    assert seen.columns["d"] == ColumnMeasurement(
        misfits=3, wider=2, integer_digits=5, scale=2, smallest=-12500, largest=-12500
    )
    seen, _ = bench.stage(bench.batch(content), columns)
    assert (seen.columns["d"].misfits, seen.columns["d"].wider, seen.columns["d"].integer_digits) == (4, 3, 401)
    assert (seen.columns["d"].smallest, seen.columns["d"].largest) == (None, None)


def test_numbers_with_an_exponent_may_be_codes_among_integers(bench: Bench) -> None:
    columns = [column("i", "integer")]
    seen, _ = bench.stage(bench.batch(b"i\n7\n12e4\n3000000000\n"), columns)
    assert seen.columns["i"] == ColumnMeasurement(
        misfits=2, wider=1, integer_digits=10, smallest=3_000_000_000, largest=3_000_000_000
    )
    seen, _ = bench.stage(bench.batch(b"i\n7\n12e4\n1.5\n"), columns)
    assert seen.columns["i"] == ColumnMeasurement(
        misfits=2, wider=2, integer_digits=6, scale=1, smallest=120_000, largest=120_000
    )


def test_a_fraction_of_zeros_asks_for_no_scale(bench: Bench) -> None:
    content = b"i,j\n5.0,3000000000.00\n-0,-1.0\n7.5,4000000000\n"
    seen, rows = bench.stage(bench.batch(content), [column("i", "integer"), column("j", "integer")])
    assert (seen.columns["i"].misfits, seen.columns["i"].wider, seen.columns["i"].scale) == (1, 1, 1)
    assert seen.columns["j"] == ColumnMeasurement(
        misfits=2, wider=2, integer_digits=10, smallest=3_000_000_000, largest=4_000_000_000
    )
    assert [row[:2] for row in rows] == [(0, -1)]


def test_times_of_day_would_need_a_timestamp(bench: Bench) -> None:
    content = b"d\n2024-01-05\n2024-01-05 10:00\n2024-02-30 10:00\nx\n"
    seen, _ = bench.stage(bench.batch(content), [column("d", "date")])
    assert (seen.columns["d"].misfits, seen.columns["d"].wider) == (3, 1)


def test_a_misfit_in_a_fill_makes_every_row_bad_and_hangs_nothing(bench: Bench) -> None:
    seen, rows = bench.stage(bench.batch(b"a\n1\n2\n"), [column("b", "integer", value=FromFile(fill="x"))])
    assert (seen.rows_bad, rows) == (2, [])
    seen, rows = bench.stage(bench.batch(b"a\n1\n2\n"), [column("b", "integer", required=True)])
    assert (seen.rows_bad, seen.columns["b"].null_keys, rows) == (2, 2, [])


def test_the_staging_files_are_named_with_their_sizes_and_rows(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b"a\n1\n2\n", "2.csv": b"a\n", "3.csv": b"a\nx\n"})
    seen = bench.measure(batch, [column("a", "integer")], "s3://lake/staging/named")
    (file,) = seen.staging_files
    (path,) = bench.parquet_files("staging/named")
    assert (file.url, file.size_bytes) == (f"s3://lake/staging/named/{path.name}", path.stat().st_size)
    one, _, three = (layout.url for layout in batch.files)
    assert file.rows == (RowRange(one, 1, 2), RowRange(three, 1, 1))
    assert bench.measure(bench.batch(b"a\nx\n"), [column("a", "integer")], "s3://lake/staging/none").staging_files == ()


def test_bad_rows_come_by_file_and_row_with_their_reasons(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b"k,v\n1,a\n\nx,abcd\n", "2.csv": b'k,v\n\n,b\n1,"2\n",3\n2,c\ny,d\n'})
    columns = [column("k", "integer", required=True), column("v", "varchar(3)")]
    assert bench.read_bad_rows(batch, columns, 3) == (
        BadRow("1.csv", 2, "k", "x", "is not a value of integer", 4),
        BadRow("1.csv", 2, "v", "abcd", "has 4 bytes, more than varchar(3) holds", 4),
        BadRow("2.csv", 1, "k", None, "stands in an upsert key, which needs a value", 3),
        BadRow("2.csv", 2, None, '1,"2\n",3', "the record has 3 fields, the header names 2", 4),
    )
    assert len(bench.read_bad_rows(batch, columns, 99)) == 5


def test_bad_rows_of_a_file_whose_line_breaks_come_late(bench: Bench) -> None:
    content = b"k,v\n" + b"1,some text\n" * 30_000 + b'x,"a\nb"\n'
    columns = [column("k", "integer")]
    (found,) = bench.read_bad_rows(bench.batch(content), columns, 5)
    assert (found.row, found.text) == (30_001, "x")
    one_line = bench.batch(content.replace(b"a\nb", b"a b"))
    assert bench.read_bad_rows(one_line, columns, 5)[0].row == 30_001


def test_a_char_that_is_not_ascii_is_named_as_such(bench: Bench) -> None:
    batch = bench.batch("v\né\nabcd\n".encode())
    reasons = [bad.reason for bad in bench.read_bad_rows(batch, [column("v", "char(3)")], 9)]
    assert reasons == [
        "holds characters that are not ASCII, which char(3) cannot store",
        "has 4 bytes, more than char(3) holds",
    ]


def test_keys_are_proven_distinct_over_all_files_and_splits(bench: Bench) -> None:
    columns = [column("k", "varchar(9)", required=True), column("n", "integer", required=True), column("x", "integer")]

    def is_proven(*contents: str) -> bool:
        batch = bench.batch({f"{number}.csv": content.encode() for number, content in enumerate(contents)})
        return bench.stage(batch, columns)[0].has_distinct_keys

    many = "k,n,x\n" + "".join(f"k{number},1,7\n" for number in range(300))
    assert is_proven("k,n,x\na,1,5\na,2,5\nb,1,5\n", "k,n,x\nb,2,5\n", many)
    # The row that does not fit is not loaded.
    assert is_proven("k,n,x\na,1,5\na,1,no\n")
    assert not is_proven("k,n,x\na,1,5\nA ,1,6\n")
    assert not is_proven("k,n,x\na,1,5\n", "k,n,x\na,1,6\n")
    assert not is_proven(many, "k,n,x\nk299,1,8\n")
    assert not is_proven("k,n,x\né,1,5\nf,1,5\n")


def test_keys_are_not_proven_where_nothing_is_written(bench: Bench) -> None:
    assert not bench.measure(bench.batch(b"k\n1\n"), [column("k", "integer", required=True)], None).has_distinct_keys


def test_a_preview_has_the_first_cell_of_each_column_that_is_not_null(bench: Bench) -> None:
    """Of a column that later files bring, that of the first of them; of long texts, the start."""
    batch = bench.batch({"1.csv": b"a,b,c\n,x,\n7,y,\n", "2.csv": b"a,d\n8," + b"z" * 99 + b"\n"})
    columns = [column(name, "varchar(99)") for name in ("a", "b", "c", "d", "e")]

    assert bench.measure(batch, columns, None).samples == {"a": "7", "b": "x", "d": "z" * 60}


def test_rows_that_are_written_are_not_sampled(bench: Bench) -> None:
    seen, _ = bench.stage(bench.batch(b"a\n1\n"), [column("a", "integer")])

    assert seen.samples == {}
