"""Reads Arrow files as a notebook would and prints what it found as JSON, for arrow.test.ts to compare.

    read_arrow.py pyarrow|pandas|polars FILE...

For each file: the type of every column, and all values. Integers are printed as decimal text, so that none is rounded
on the way; absent values are null. A value that the reader turned into a float shows as one ("1.0").
"""

import json
import sys


def text(value):
    if isinstance(value, (list, tuple)) or hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0:
        return [text(item) for item in value]
    if isinstance(value, (bool, str)):
        return value
    if value is None or value.__class__.__name__ == "NAType" or value != value:
        return None
    if hasattr(value, "item"):
        return text(value.item())
    return str(value)


def with_pyarrow(path):
    import pyarrow.ipc as ipc

    with open(path, "rb") as file:
        streamed = file.read(6) != b"ARROW1"
    reader = ipc.open_stream(path) if streamed else ipc.open_file(path)
    table = reader.read_all()
    table.validate(full=True)
    columns = {name: [text(v) for v in table.column(name).to_pylist()] for name in table.column_names}
    types = {field.name: str(field.type) for field in table.schema}
    docs = {field.name: (field.metadata or {}).get(b"doc", b"").decode() for field in table.schema}
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    batches = [] if streamed else [reader.get_batch(i).num_rows for i in range(reader.num_record_batches)]
    return {"types": types, "columns": columns, "docs": docs, "metadata": metadata, "batches": batches}


def with_pandas(path):
    import pandas

    frame = pandas.read_feather(path)
    types = {name: str(frame[name].dtype) for name in frame.columns}
    return {"types": types, "columns": {name: [text(v) for v in frame[name]] for name in frame.columns}}


def with_polars(path):
    import polars

    with open(path, "rb") as file:
        streamed = file.read(6) != b"ARROW1"
    frame = polars.read_ipc_stream(path) if streamed else polars.scan_ipc(path).collect()
    if not streamed:
        assert frame.equals(polars.read_ipc(path, memory_map=False)), "mapped and copied, the file reads differently"
    types = {name: str(dtype).split("(")[0] for name, dtype in frame.schema.items()}
    return {"types": types, "columns": {name: [text(v) for v in frame[name].to_list()] for name in frame.columns}}


READERS = {"pyarrow": with_pyarrow, "pandas": with_pandas, "polars": with_polars}

if __name__ == "__main__":
    read = READERS[sys.argv[1]]
    json.dump({path: read(path) for path in sys.argv[2:]}, sys.stdout)
