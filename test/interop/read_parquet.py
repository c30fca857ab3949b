"""Reads Parquet files as a notebook would and prints what it found as JSON, for parquet.test.ts to judge.

    read_parquet.py same ARROW_FILE PARQUET_FILE...     pairs: does pyarrow find the same in both?
    read_parquet.py partitions FOLDER                   rows by host and run, as pyarrow and DuckDB see the table
    read_parquet.py groups PARQUET_FILE                 row groups, compression, sums
"""

import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def plain(table):
    """Dictionaries as text: which index they use is not part of the table."""
    columns = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    return pa.table(dict(zip(table.column_names, columns)))


def same(arrow_path, parquet_path):
    import pyarrow.feather as feather

    arrow = feather.read_table(arrow_path)
    file = pq.ParquetFile(parquet_path)
    parquet = file.read()
    text = lambda items: {key.decode(): value.decode() for key, value in (items or {}).items()}
    return {
        "rows": parquet.num_rows,
        "equal": plain(arrow).equals(plain(parquet)),
        "docs": all(arrow.schema.field(n).metadata == parquet.schema.field(n).metadata for n in arrow.column_names),
        "metadata": text(arrow.schema.metadata) == text(file.schema_arrow.metadata),
        "footer": text(file.metadata.metadata),
        "created_by": file.metadata.created_by,
    }


def partitions(folder):
    import duckdb
    import pyarrow.dataset as dataset

    table = dataset.dataset(folder, partitioning="hive").to_table(columns=["host", "run", "wait_ns"])
    grouped = table.group_by(["host", "run"]).aggregate([("wait_ns", "count"), ("wait_ns", "sum")]).to_pylist()
    with_pyarrow = sorted([str(g["host"]), str(g["run"]), g["wait_ns_count"], g["wait_ns_sum"]] for g in grouped)
    found = duckdb.sql(
        f"select host, run, count(wait_ns), sum(wait_ns) from '{folder}/**/*.parquet' group by all order by all"
    ).fetchall()
    return {"pyarrow": with_pyarrow, "duckdb": [[str(h), str(r), n, int(s)] for h, r, n, s in found]}


def groups(path):
    import duckdb

    file = pq.ParquetFile(path)
    column = file.metadata.row_group(0).column(0)
    table = file.read(columns=["t_ns", "pcpu"])
    return {
        "rows": [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)],
        "compression": column.compression,
        "encodings": list(column.encodings),
        "pyarrow": [pa.compute.sum(table["t_ns"]).as_py(), pa.compute.sum(table["pcpu"]).as_py()],
        "duckdb": [int(x) for x in duckdb.sql(f"select sum(t_ns), sum(pcpu) from '{path}'").fetchone()],
    }


if __name__ == "__main__":
    import pyarrow.compute

    verb, *paths = sys.argv[1:]
    if verb == "same":
        found = [same(paths[i], paths[i + 1]) for i in range(0, len(paths), 2)]
    else:
        found = {"partitions": partitions, "groups": groups}[verb](paths[0])
    json.dump(found, sys.stdout)
