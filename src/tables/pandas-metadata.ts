import type { ArrowTypeName, ColumnSpec } from './table-spec.ts';

/**
 * The value of the schema's metadata key `pandas`, as pyarrow understands it: which pandas type a column
 * gets. Without it pandas turns integers with nulls into floats, which are exact only up to 2^53; with it
 * `pandas.read_feather` gives nullable integers, exact to 64 bits, whether or not this trace has nulls.
 * Undefined where no column needs it.
 *
 * The format is pandas' own: "Storing pandas DataFrame objects in Apache Arrow", in pandas' developer
 * documentation.
 */
export function pandasMetadata(columns: readonly ColumnSpec[]): string | undefined {
  const described = columns
    .filter(({ type, nullable }) => nullable && PANDAS_TYPES[type])
    .map(({ name, type }) => {
      return { name, field_name: name, pandas_type: type, numpy_type: PANDAS_TYPES[type], metadata: null };
    });
  if (described.length === 0) return undefined;
  const creator = { library: 'xenscope', version: '1' };
  return JSON.stringify({ index_columns: [], column_indexes: [], columns: described, creator });
}

const PANDAS_TYPES: Partial<Record<ArrowTypeName, string>> = {
  int64: 'Int64',
  uint64: 'UInt64',
  uint32: 'UInt32',
  int32: 'Int32',
  uint16: 'UInt16',
  uint8: 'UInt8',
  bool: 'boolean',
};
