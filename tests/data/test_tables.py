"""Tables of files and frames: marks and commas as people write them, and one sentence for each kind of bad file."""

import importlib.util

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from symjax.data import as_table, read_table

TEXT = "date,OT,site\n2026-01-01 00:00,1.5,a\n2026-01-01 01:00,-2e1,b\n2026-01-01 02:00,,b\n"
KINDS = {"date": "time", "OT": "number", "site": "text"}
TIMES = np.array(["2026-01-01T00", "2026-01-01T01", "2026-01-01T02"], "datetime64[ns]")


def read(tmp_path, content, name="my.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return read_table(tmp_path / name)


def assert_as_text(table):
    assert {name: column.kind for name, column in table.columns.items()} == KINDS
    assert [column.stray for column in table.columns.values()] == [None] * 3
    np.testing.assert_array_equal(table["OT"].values, [1.5, -20, np.nan])
    np.testing.assert_array_equal(table["date"].values, TIMES)
    assert table["date"].values.dtype == "datetime64[ns]"
    assert table["site"].values.tolist() == ["a", "b", "b"]


GAPS = {"gap": pd.array([1, None], dtype="Int64"), "unsure": pd.array([True, None], dtype="boolean")}
GERMAN = "date;OT;site\n01.01.2026 00:00;1,5;a\n01.01.2026 01:00;-2,0e1;b\n01.01.2026 02:00;;b\n"
AMERICAN = TEXT.replace("2026-01-01", "01/01/2026")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT, "utf-8"),
        (TEXT, "utf-8-sig"),
        (TEXT, "utf-16"),
        (TEXT + "\n\n", "utf-8"),
        (TEXT.replace("\n", "\r\n"), "utf-8"),
        (TEXT.replace(",", "\t"), "utf-8"),
        (TEXT.replace(",", " , "), "utf-8"),
        (TEXT.replace(":00,", ":00+00:00,"), "utf-8"),
        (GERMAN, "utf-8-sig"),
        (AMERICAN, "utf-8"),
    ],
)
def test_one_table_however_it_is_written(tmp_path, content, encoding):
    assert_as_text(read(tmp_path, content, encoding=encoding))


def test_days_and_months_are_told_apart_by_the_values(tmp_path):
    for form in ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d"):
        days = pd.date_range("2026-01-01", periods=40)
        table = read(tmp_path, "\n".join(["day", *days.strftime(form)]))
        np.testing.assert_array_equal(table["day"].values, days.to_numpy())


def test_numbers_are_read_to_the_last_bit(tmp_path):
    numbers = np.random.default_rng(0).standard_normal(200) * 10.0 ** np.arange(-100, 100)
    np.testing.assert_array_equal(read(tmp_path, "\n".join(["x", *map(repr, numbers.tolist())]))["x"].values, numbers)


def test_frames_are_tables(tmp_path):
    frame = pd.DataFrame({"date": TIMES, "OT": [1.5, -20, np.nan], "site": ["a", "b", "b"]})
    assert_as_text(as_table(frame))
    assert_as_text(as_table(frame.set_index("date")))
    assert_as_text(as_table(frame.assign(date=frame["date"].astype(str))))
    assert_as_text(as_table(frame.assign(date=frame["date"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))))
    assert_as_text(as_table(pa.Table.from_pandas(frame)))
    frame.to_parquet(tmp_path / "my.parquet")
    table = read_table(tmp_path / "my.parquet")
    assert_as_text(table)
    assert table.place(1, "OT").endswith("my.parquet, row 1, column 'OT'")
    whole = as_table(pd.DataFrame({"n": [1, 2], "flag": [True, False], "none": [None, None]}).assign(**GAPS))
    assert [(column.kind, column.values.dtype) for column in whole.columns.values()] == [("number", float)] * 5
    numbered = as_table(pd.DataFrame([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(numbered["1"].values, [2, 4])


def test_gaps_are_filled_forward_and_only_when_asked(tmp_path):
    table = read(tmp_path, "a,b\n,1\n2,\n,3\n")
    assert table.numbers("b", np.arange(3), fill=True).tolist() == [1, 1, 3]
    with pytest.raises(ValueError, match=r"my.csv, line 3, column 'b': expected a number, got nothing; .*--fill True"):
        table.numbers("b", np.arange(3))
    with pytest.raises(ValueError, match=r"my.csv, line 2, column 'a': .* nothing; none comes before it"):
        table.numbers("a", np.arange(3), fill=True)


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["1", "2", "x3"], r"my.csv, line 4, column 'a': expected a number, got 'x3'; repair it"),
        (["1", "2", "12_3"], r"my.csv, line 4, column 'a': expected a number, got '12_3'"),
        (["1", "1,000", "3"], r"my.csv, line 3, column 'a': expected a number, got '1,000'"),
        (["u", "v", "w"], r"my.csv, line 2, column 'a': expected a number, got 'u'"),
        (["1", "-inf", "3"], r"my.csv, line 3, column 'a': expected a finite number, got -inf"),
        (["2026-01-01", "2026-01-02", "2026-01-03"], r"my.csv, line 2, column 'a': expected a number, got '2026-01-01"),
    ],
)
def test_a_value_that_is_no_number_is_named(tmp_path, cells, sentence):
    table = read(tmp_path, "a,b\n" + "".join(f'"{cell}",1\n' for cell in cells))
    with pytest.raises(ValueError, match=sentence):
        table.numbers("a", np.arange(3))


@pytest.mark.parametrize("bad", ["soon", "9999-12-31", "31.12.2026"])
def test_a_value_that_is_no_time_is_named(tmp_path, bad):
    table = read(tmp_path, f"a\n2026-01-01\n2026-01-02\n{bad}\n")
    with pytest.raises(ValueError, match=f"my.csv, line 4, column 'a': expected a time, got '{bad}'; repair it"):
        table.require_kind("a", "time")


def test_the_nearest_column_is_offered(tmp_path):
    table = read(tmp_path, "Load,temperature\n1,2\n")
    with pytest.raises(ValueError, match=r"my.csv has no column 'temprature'; did you mean 'temperature'\?"):
        table["temprature"]
    with pytest.raises(ValueError, match="did you mean 'Load'"):
        table["load"]
    with pytest.raises(ValueError, match="choose among Load, temperature"):
        table["zzz"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("my.csv", "", "my.csv is empty; expected a line of column names"),
        ("my.csv", b"\xef\xbb\xbf", "my.csv is empty"),
        ("my.csv", "a,b\n", "my.csv has names of columns and no rows"),
        ("my.csv", "a,b\n\n\n", "my.csv has names of columns and no rows"),
        ("my.csv", "\n1,2\n", "my.csv: column 1 has no name"),
        ("my.csv", ",a\n0,2\n", "my.csv: column 1 has no name; name it, or write the file without row numbers"),
        ("my.csv", "a,b,a\n1,2,3\n", "my.csv: columns 1 and 3 are both called 'a'"),
        ("my.csv", "a,b\n1,2,3\n", "my.csv, line 2 has more values than line 1 has names"),
        ("my.csv", "a,b\n1,2\n1,2,3\n", "cannot read .*my.csv: .* Expected 2 fields in line 3, saw 3; repair the line"),
        ("my.csv", 'a,b\n"1,2\n', "cannot read .*my.csv: .* EOF inside string"),
        ("my.csv", "a,b\né,1\n".encode("latin-1"), "my.csv: it is not text in UTF-8; save it as csv in UTF-8"),
        ("my.csv", b"\xff\xfea,b", "my.csv: it is not text in UTF-8"),
        ("my.parquet", "a,b\n1,2\n", "cannot read .*my.parquet: .*; expected a parquet file"),
    ],
)
def test_a_bad_file_gets_one_sentence(tmp_path, name, content, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        read(tmp_path, content, name)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_and_what_is_no_frame(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nowhere.csv"):
        read_table(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="is a folder; expected a csv or a parquet file"):
        read_table(tmp_path)
    with pytest.raises(TypeError, match="expected a data frame of pandas, polars or pyarrow, got dict"):
        as_table({"a": [1]})
    for twice in (pa.table([[1], [2]], names=["a", "a"]), pd.DataFrame([[1, 2]], columns=["a", "a"])):
        with pytest.raises(ValueError, match="the data frame: columns 1 and 2 are both called 'a'"):
            as_table(twice)


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"my.parquet needs pyarrow: pip install 'symjax\[data\]', or"):
        read(tmp_path, b"PAR1PAR1", "my.parquet")
