from __future__ import annotations

from framework.model.date_format import DateFormat
from framework.model.measurements import ColumnProfile
from framework.model.notation import PLAIN, Notation
from tests.rows.conftest import Bench


def profile_of(bench: Bench, *texts: str) -> ColumnProfile:
    content = "n,v\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts))
    return bench.profile(bench.batch(content.encode()), ["v"])["v"]


def test_whole_numbers(bench: Bench) -> None:
    assert profile_of(bench, "0", "-12", "", "300") == ColumnProfile(
        values=3, integers=3, numbers=3, booleans=0, dates=0, timestamps=0,
        longest_bytes=3, integer_digits=3, scale=0, smallest=-12, largest=300,
    )  # fmt: skip


def test_numbers_with_a_point(bench: Bench) -> None:
    assert profile_of(bench, "1.50", ".125", "-0.5", "1234", "0") == ColumnProfile(
        values=5, integers=2, numbers=5, booleans=0, dates=0, timestamps=0,
        longest_bytes=4, integer_digits=4, scale=3, smallest=0, largest=1234,
    )  # fmt: skip


def test_numbers_beyond_38_digits_have_no_range(bench: Bench) -> None:
    profile = profile_of(bench, "1", "9" * 39)
    assert (profile.integers, profile.integer_digits, profile.smallest, profile.largest) == (2, 39, None, None)
    assert profile_of(bench, "-" + "9" * 38).smallest == -int("9" * 38)


def test_text_that_only_looks_like_a_number(bench: Bench) -> None:
    profile = profile_of(bench, "00501", "+49", "1e3", " 7", "-00", "5.", "1_0")
    assert (profile.values, profile.integers, profile.numbers, profile.smallest) == (7, 0, 0, None)


def test_a_zero_with_a_sign_is_a_whole_number(bench: Bench) -> None:
    profile = profile_of(bench, "-0", "7")
    assert (profile.integers, profile.smallest, profile.largest) == (2, 0, 7)


def test_a_fraction_of_zeros_counts_for_the_range(bench: Bench) -> None:
    profile = profile_of(bench, "10.00", "-3000000000.0", "5", "0.5")
    assert (profile.integers, profile.numbers, profile.scale) == (1, 4, 1)
    assert (profile.smallest, profile.largest) == (-3_000_000_000, 10)


def test_days_are_real_days(bench: Bench) -> None:
    profile = profile_of(bench, "2024-02-29", "2023-02-29", "2024-01-05 10:00", "2024-01-05T10:00:00.5", "0000-01-01")
    assert (profile.values, profile.dates, profile.timestamps) == (5, 1, 2)


def test_times_with_an_offset_are_counted_apart(bench: Bench) -> None:
    texts = ["2024-02-29 10:00+02", "2024-02-29T10:00:00Z", "2024-02-30 10:00Z", "2024-02-29 10:00", "2024-02-29Z"]
    profile = profile_of(bench, *texts)
    assert (profile.values, profile.dates, profile.timestamps, profile.zoned) == (5, 0, 1, 2)


def test_times_of_day_are_counted_where_a_format_describes_them(bench: Bench) -> None:
    texts = ["09:05", "9:05", "24:00", "2024-02-29", "7"]
    content = ("v\n" + "".join(f"{text}\n" for text in texts)).encode()
    formats = Notation(formats=(DateFormat("HH:mm"),))

    profile = bench.profile(bench.batch(content), ["v"], formats)["v"]

    assert (profile.values, profile.times, profile.dates, profile.integers) == (5, 1, 1, 1)
    assert profile_of(bench, "09:05").times == 0


def test_booleans_and_bytes(bench: Bench) -> None:
    profile = profile_of(bench, "true", "FALSE", "yes", "'ü'", '""')
    assert (profile.values, profile.booleans, profile.longest_bytes) == (5, 2, 5)
    assert profile_of(bench, "üü").longest_bytes == 4


def test_nulls_have_no_values(bench: Bench) -> None:
    assert profile_of(bench, "", "") == ColumnProfile(0, 0, 0, 0, 0, 0, 0, 0, 0, None, None)
    assert profile_of(bench).values == 0


def test_all_files_that_have_the_column_count(bench: Bench) -> None:
    late = b"a,b\n" + b"some text,3\n" * 30_000 + b'"x\ny",70\n'
    batch = bench.batch({"1.csv": b"a\n1\n", "2.csv": b"b,a\n5,x\n1,2,3\n", "3.csv": late})
    profile = bench.profile(batch, ["b", "a"])
    assert (profile["b"].values, profile["b"].smallest, profile["b"].largest) == (30_002, 3, 70)
    assert (profile["a"].values, profile["a"].integers) == (30_003, 1)


def test_a_thousand_columns_need_no_more_than_a_few(bench: Bench) -> None:
    names = [f"c{number}" for number in range(1000)]
    texts = [("7", "-0.25", "true", "2024-02-29", "x")[number % 5] for number in range(1000)]
    rows = [",".join(names), ",".join(texts), ",".join(texts)]

    found = bench.profile(bench.batch("\n".join([*rows, ""]).encode()), names)

    few = bench.profile(bench.batch("\n".join(",".join(row.split(",")[:5]) for row in [*rows, ""]).encode()), names[:5])
    assert [found[name] for name in names] == [few[f"c{number % 5}"] for number in range(1000)]
    assert (few["c0"].integers, few["c1"].scale, few["c2"].booleans, few["c3"].dates, few["c4"].values) == (
        2,
        2,
        2,
        2,
        2,
    )


def test_null_markers_are_counted_where_no_other_text_is_among_the_values(bench: Bench) -> None:
    profile = profile_of(bench, "1.5", "NA", "7", '""', "-", "NA", "")
    assert (profile.values, profile.numbers, profile.null_markers) == (6, 2, {"NA": 2, "": 1, "-": 1})
    assert profile_of(bench, "1.5", "NA", "x").null_markers == {}
    assert profile_of(bench, "NA", "na", "Null").null_markers == {"NA": 1, "na": 1, "Null": 1}
    assert profile_of(bench, "-1", "2024-01-31", "true", "1e5").null_markers == {}


def test_null_markers_of_all_files_and_notations_are_counted(bench: Bench) -> None:
    batch = bench.batch({"1.csv": b"a,b,c\nNA,-,-\n", "2.csv": b"a,b,c\n1,5,5\n", "3.csv": b"a,b,c\nn/a,-,x\n"})
    notation = Notation(null_values=("n/a",), booleans=(("-", "+"),))
    with bench.open(batch) as rows:
        found = rows.profile({"a": PLAIN, "b": notation, "c": PLAIN})
    assert [found[name].null_markers for name in "abc"] == [{"NA": 1, "n/a": 1}, {}, {}]
    assert found["b"].booleans == 2
