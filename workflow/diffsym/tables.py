"""The Arrow schemas of all tables, and the only functions that read and write them.

Each table is a Parquet file (zstd). The schemas are documented column by column through field
metadata, exported to `workflow/schemas/tables.json`, and checked on every read and write.
"""

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import DTypeLike, NDArray
from scipy.sparse import csr_array

from diffsym.errors import DiffsymError
from diffsym.files import atomic_path

ROLES = ("train", "validation", "test")


def _field(name: str, dtype: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, dtype, nullable=nullable, metadata={"description": description})


STRUCTURE_ID = _field("structure_id", pa.string(), "identifier, source:entry")

STRUCTURES = pa.schema(
    [
        STRUCTURE_ID,
        _field("source", pa.string(), "name of the source in the configuration"),
        _field("entry_id", pa.string(), "identifier of the entry within its source"),
        _field("name", pa.string(), "mineral or compound name", nullable=True),
        _field("formula", pa.string(), "reduced formula"),
        _field("lattice", pa.list_(pa.float64(), 9), "primitive cell, row vectors, A"),
        _field("atomic_numbers", pa.list_(pa.uint8()), "one per scatterer (site and species)"),
        _field("frac_coords", pa.list_(pa.float64()), "three per scatterer, flat"),
        _field("occupancies", pa.list_(pa.float64()), "one per scatterer"),
        _field("orbits", pa.list_(pa.uint16()), "index of the orbit's first scatterer"),
        _field("conventional_lattice", pa.list_(pa.float64(), 9), "standard conventional cell, A"),
        _field("conventional_atomic_numbers", pa.list_(pa.uint8()), "one per scatterer"),
        _field("conventional_frac_coords", pa.list_(pa.float64()), "three per scatterer, flat"),
        _field("conventional_occupancies", pa.list_(pa.float64()), "one per scatterer"),
        _field("declared_symbol", pa.string(), "space group as the source gives it", nullable=True),
        _field("declared_space_group", pa.uint8(), "its number", nullable=True),
        _field("space_group", pa.uint8(), "number determined by spglib"),
        _field("hall_number", pa.uint16(), "Hall number determined by spglib, 1 ... 530"),
        _field(
            "space_group_by_tolerance",
            pa.list_(pa.field("element", pa.uint8(), nullable=True)),
            "number at each tolerance of the configuration; null where spglib found none",
        ),
        _field("crystal_system", pa.string(), "crystal system of space_group"),
        _field("structure_type", pa.string(), "protostructure label without chemistry"),
        _field("primitive_volume", pa.float64(), "volume of the primitive cell, A^3"),
        _field("number_density", pa.float64(), "atoms per A^3, weighted by occupancy"),
        _field("density", pa.float64(), "mass density, g/cm^3"),
        _field("members", pa.list_(pa.string()), "all entries merged into this one, sorted"),
        _field("licence", pa.string(), "terms of use of the source"),
        _field("reference", pa.string(), "publication or citation of the entry"),
    ],
    metadata={"description": "one row per unique structure"},
)

REJECTED = pa.schema(
    [
        STRUCTURE_ID,
        _field("source", pa.string(), "name of the source in the configuration"),
        _field("entry_id", pa.string(), "identifier of the entry within its source"),
        _field("stage", pa.string(), "stage that rejected the entry"),
        _field("code", pa.string(), "enumerated reason"),
        _field("reason", pa.string(), "the reason as a sentence"),
    ],
    metadata={"description": "one row per rejected entry"},
)

DUPLICATES = pa.schema(
    [
        STRUCTURE_ID,
        _field("representative_id", pa.string(), "the structure that was kept in its place"),
    ],
    metadata={"description": "one row per duplicate entry"},
)

SPLIT = pa.schema(
    [
        STRUCTURE_ID,
        _field("space_group", pa.uint8(), "determined space-group number"),
        _field("role", pa.string(), "train, validation or test"),
        _field("fold", pa.int8(), "cross-validation fold within train and validation, -1 in test"),
        _field("group", pa.string(), "the key that may not be on both sides"),
    ],
    metadata={"description": "one row per structure"},
)

FILTER = pa.schema(
    [
        STRUCTURE_ID,
        _field("space_group", pa.uint8(), "determined space-group number"),
        _field("ln_volume", pa.float64(), "U = ln(V / A^3), V the volume of the primitive cell"),
        _field("ln_density", pa.float64(), "eta = ln(n A^3 / V), n the number of atoms in it"),
        _field("kept", pa.bool_(), "not an outlier: takes part in training"),
    ],
    metadata={"description": "one row per structure of the class set"},
)


REFLECTIONS = pa.schema(
    [
        STRUCTURE_ID,
        _field("d_star", pa.list_(pa.float64()), "1/d of each line, 1/A, never falling"),
        _field(
            "intensity",
            pa.list_(pa.float32()),
            "sum of |F|^2 over the reflections of the line, of the primitive cell: electrons^2",
        ),
        _field(
            "axis_cosine",
            pa.list_(pa.float32()),
            "|cos| of the angle between a line's reflections and the preferred axis; reflections "
            "that differ in it are separate lines of the same d*; null without such an axis",
            nullable=True,
        ),
    ],
    metadata={"description": "one row per structure, in the order of the structures table"},
)


MEASURED = pa.schema(
    [
        _field("pattern_id", pa.string(), "identifier, set:pattern"),
        _field("space_group", pa.uint8(), "number that the set gives", nullable=True),
        _field(
            "primitive_volume",
            pa.float64(),
            "volume of the primitive cell that the set gives, A^3",
            nullable=True,
        ),
        _field("wavelengths", pa.list_(pa.float64()), "lines of the radiation, A"),
        _field("weights", pa.list_(pa.float64()), "share of each line, sum 1"),
        _field("two_theta", pa.list_(pa.float64()), "angles, degrees, rising"),
        _field("intensity", pa.list_(pa.float32()), "one per angle, as measured"),
    ],
    metadata={"description": "one row per measured powder pattern"},
)


ANSWERED = pa.schema(
    [
        _field("pattern_id", pa.string(), "identifier, set:pattern"),
        _field("space_group", pa.uint8(), "number that the set gives", nullable=True),
        _field("ranked", pa.list_(pa.uint8()), "numbers of space groups, the likeliest first"),
        _field("probabilities", pa.list_(pa.float64()), "of these, calibrated"),
        _field("certain", pa.bool_(), "whether the first can be relied on"),
        _field("certainty", pa.float64(), "probability of the first and its mirror image"),
        _field("reason", pa.string(), "why it is certain, or not: a sentence"),
        _field("set_90", pa.list_(pa.uint8()), "groups that hold the right one in 90 % of cases"),
        _field("nearest", pa.list_(pa.string()), "identifiers of structures, the nearest first"),
        _field("formulas", pa.list_(pa.string()), "of these"),
        _field("nearest_groups", pa.list_(pa.uint8()), "their space groups"),
        _field("scores", pa.list_(pa.float64()), "their cosines with the pattern, 0 to 1"),
        _field("repairs", pa.list_(pa.string()), "what was put right: sentences"),
    ],
    metadata={"description": "one row per measured powder pattern, in the order of its set"},
)


def descriptor_schema(size: int, dtype: DTypeLike = np.float32) -> pa.Schema:
    """Schema of a descriptor table with `size` values per structure."""
    values = pa.list_(pa.from_numpy_dtype(np.dtype(dtype)), size)
    return pa.schema(
        [
            STRUCTURE_ID,
            _field("descriptor", values, f"{size} values"),
        ],
        metadata={"description": "one row per structure, in the order of the structures table"},
    )


def sparse_descriptor_schema(size: int) -> pa.Schema:
    """Schema of a descriptor table whose `size` values per structure are mostly zero."""
    return pa.schema(
        [
            STRUCTURE_ID,
            _field(
                "bins", pa.list_(pa.uint16()), f"which of the {size} values are not zero, rising"
            ),
            _field("values", pa.list_(pa.float32()), "these values, one per bin"),
        ],
        metadata={
            "description": "one row per structure, in the order of the structures table",
            "size": str(size),
        },
    )


def image_descriptor_schema(shape: tuple[int, int, int]) -> pa.Schema:
    """Schema of a descriptor table with one image per structure: height, width and channels."""
    height, width, channels = shape
    return pa.schema(
        [
            STRUCTURE_ID,
            _field(
                "descriptor",
                pa.binary(math.prod(shape)),
                f"{channels} channels one after the other, {height} rows of {width} bytes each",
            ),
        ],
        metadata={
            "description": "one row per structure, in the order of the structures table",
            "shape": json.dumps(list(shape)),
        },
    )


def predictions_schema(
    classes: Sequence[int], ln_volume: tuple[float, float] | None = None
) -> pa.Schema:
    """Schema of a predictions table over the given space-group numbers.

    Parameters
    ----------
    classes
        Space-group numbers.
    ln_volume
        Mean and standard deviation of ln(V / A^3) over the training part, for networks that
        predict the primitive volume V too; it is kept as metadata, and two columns are added.
    """
    fields = [
        STRUCTURE_ID,
        _field("role", pa.string(), "validation, test, or measured"),
        _field("member", pa.int16(), "number of the ensemble member"),
        _field(
            "space_group",
            pa.uint8(),
            "true space-group number; null where that of a measured pattern is unknown",
            nullable=True,
        ),
        _field("probabilities", pa.list_(pa.float32(), len(classes)), "one per class"),
    ]
    metadata = {
        "description": "one row per structure or measured pattern and ensemble member",
        "classes": json.dumps([int(number) for number in classes]),
    }
    if ln_volume is not None:
        fields += [
            _field("volume", pa.float64(), "predicted volume of the primitive cell, A^3"),
            _field("true_volume", pa.float64(), "its true volume, A^3", nullable=True),
        ]
        metadata["ln_volume"] = json.dumps(list(ln_volume))
    return pa.schema(fields, metadata=metadata)


def documentation() -> dict[str, Any]:
    """All schemas as JSON: table -> what a row stands for, and column -> type and description."""
    tables = {
        "structures": STRUCTURES,
        "rejected": REJECTED,
        "duplicates": DUPLICATES,
        "filter": FILTER,
        "split": SPLIT,
        "reflections": REFLECTIONS,
        "descriptor": descriptor_schema(209),
        "sparse_descriptor": sparse_descriptor_schema(10_001),
        "image_descriptor": image_descriptor_schema((224, 224, 3)),
        "measured": MEASURED,
        "predictions": predictions_schema(range(1, 231), (0.0, 1.0)),
    }
    return {
        name: {
            "row": schema.metadata[b"description"].decode(),
            "columns": [
                {
                    "name": field.name,
                    "type": str(field.type),
                    "nullable": field.nullable,
                    "description": field.metadata[b"description"].decode(),
                }
                for field in schema
            ],
        }
        for name, schema in tables.items()
    }


def conform(table: pa.Table, schema: pa.Schema, name: str | Path) -> pa.Table:
    """Return `table` in exactly the given schema, or say which column does not fit.

    Parameters
    ----------
    table
        Table with the columns of the schema in any order; types are cast where no value changes.
    schema
        The documented schema.
    name
        File or table name for the message.

    Raises
    ------
    DiffsymError
        If a column is missing, unknown, of the wrong type, or null where it must not be.
    """
    unknown = sorted(set(table.column_names) ^ set(schema.names))
    if unknown:
        raise DiffsymError(
            f"{name}: the columns do not match the schema (missing or unknown: "
            f"{', '.join(unknown)}); delete the file and rerun the stage that writes it"
        )
    columns = []
    for field in schema:
        column = table.column(field.name)
        if column.type != field.type:
            try:
                column = column.cast(field.type)
            except pa.ArrowException as error:
                raise DiffsymError(
                    f"{name}: column {field.name} is {column.type}, not {field.type} ({error}); "
                    "delete the file and rerun the stage that writes it"
                ) from None
        if not field.nullable and column.null_count:
            raise DiffsymError(f"{name}: column {field.name} has {column.null_count} empty values")
        columns.append(column)
    return pa.table(columns, schema=schema)


def write_table(
    table: pa.Table,
    path: str | Path,
    schema: pa.Schema,
    *,
    row_groups: Sequence[int] | None = None,
) -> None:
    """Write a checked table as Parquet (zstd), whole or not at all.

    Parameters
    ----------
    table
        Rows to write.
    path
        Parquet file.
    schema
        One of the documented schemas.
    row_groups
        Number of rows of each row group; by default one group. Empty groups are written too, so
        that group `k` is always shard `k`.
    """
    table = conform(table, schema, path)
    sizes = [table.num_rows] if row_groups is None else list(row_groups)
    if sum(sizes) != table.num_rows:
        raise ValueError(f"{path}: row groups hold {sum(sizes)} of {table.num_rows} rows")
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    write_batches(
        (table.slice(start, size) for start, size in zip(starts, sizes, strict=True)), path, schema
    )


def write_batches(batches: Iterable[pa.Table], path: str | Path, schema: pa.Schema) -> None:
    """Write tables as the row groups of one Parquet file without holding them together."""
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", **_encodings(schema)) as writer,
    ):
        for batch in batches:
            checked = conform(batch, schema, path)
            writer.write_table(checked, row_group_size=max(checked.num_rows, 1))


def _encodings(schema: pa.Schema) -> dict[str, Any]:
    """Parquet encodings that differ from the default, where they save much.

    Rising bins are stored as differences, and values, which hardly repeat, without a dictionary:
    together a third less for a sparse descriptor. Images do not benefit from a dictionary either.
    """
    if is_image(schema):
        return {"use_dictionary": ["structure_id"]}
    if not is_sparse(schema):
        return {}
    return {
        "use_dictionary": ["structure_id"],
        "column_encoding": {"bins.list.element": "DELTA_BINARY_PACKED"},
    }


def open_table(path: str | Path, schema: pa.Schema | None = None) -> pq.ParquetFile:
    """Open a Parquet file and check its columns against the schema, if one is given."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DiffsymError(
            f"{path}: not a readable Parquet file ({error}); delete it and rerun"
        ) from None
    if schema is not None and not file.schema_arrow.equals(schema):
        raise DiffsymError(
            f"{path}: the file was written with another schema; "
            "delete it and rerun the stage that writes it"
        )
    return file


def read_table(
    path: str | Path,
    schema: pa.Schema | None = None,
    columns: Sequence[str] | None = None,
    *,
    row_group: int | None = None,
) -> pa.Table:
    """Read a table whose file was checked against its schema.

    Parameters
    ----------
    path
        Parquet file.
    schema
        Documented schema; None for descriptor and prediction tables of unknown size.
    columns
        Columns to read; all by default.
    row_group
        Read only this row group (one shard) of the file.
    """
    with open_table(path, schema) as file:
        if row_group is None:
            return file.read(columns=columns)
        return file.read_row_group(row_group, columns=columns)


def read_rows(path: str | Path, structure_ids: Sequence[str]) -> pa.Table:
    """Rows of some structures of a table, in the order given.

    Other rows are skipped while reading, so a few images cost only their own memory, however many
    the table has.
    """
    wanted = pa.array(structure_ids, pa.string())
    table = pq.read_table(path, filters=pc.field("structure_id").isin(wanted))
    return table.take(pc.index_in(wanted, table["structure_id"].combine_chunks()))


def fixed_size_rows(values: NDArray) -> pa.FixedSizeListArray:
    """The rows of an (n, d) array as an Arrow column."""
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def as_matrix(column: pa.ChunkedArray) -> NDArray[np.float32]:
    """A column of fixed-size lists of numbers, single or half precision, as an (n, d) array."""
    size = column.type.list_size
    chunks = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate([np.empty(0, np.float32), *chunks]).reshape(-1, size)


def is_sparse(schema: pa.Schema) -> bool:
    """Whether a descriptor table of this schema holds only values that are not zero."""
    return "bins" in schema.names


def is_image(schema: pa.Schema) -> bool:
    """Whether a descriptor table of this schema holds images."""
    return b"shape" in (schema.metadata or {})


def image_shape(schema: pa.Schema) -> tuple[int, int, int]:
    """Height, width and channels of an image, from the schema of a descriptor table."""
    height, width, channels = json.loads(schema.metadata[b"shape"])
    return height, width, channels


def descriptor_size(schema: pa.Schema) -> int:
    """Number of values that describe a structure, from the schema of a descriptor table."""
    if is_image(schema):
        return math.prod(image_shape(schema))
    if is_sparse(schema):
        return int(schema.metadata[b"size"])
    return schema.field("descriptor").type.list_size


def descriptor_table(
    structure_ids: pa.Array | pa.ChunkedArray,
    values: NDArray | csr_array,
) -> pa.Table:
    """Descriptors as a table of their documented schema.

    Parameters
    ----------
    structure_ids
        Identifiers, (n,).
    values
        (n, size) array, dense or sparse; the columns of each sparse row rise. Or images, (n,
        height, width, channels) uint8. Their channels are stored one after the other, which zstd
        makes a quarter smaller than pixel after pixel (docs/electron.md).
    """
    if values.ndim == 4:
        n, *shape = values.shape
        schema = image_descriptor_schema(tuple(shape))
        pixels = pa.py_buffer(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))
        kind = schema.field("descriptor").type
        columns = [pa.FixedSizeBinaryArray.from_buffers(kind, n, [None, pixels])]
    elif isinstance(values, csr_array):
        schema = sparse_descriptor_schema(values.shape[1])
        starts = pa.array(values.indptr, pa.int32())
        columns = [
            pa.ListArray.from_arrays(starts, pa.array(values.indices.astype(np.uint16))),
            pa.ListArray.from_arrays(starts, pa.array(values.data)),
        ]
    else:
        schema = descriptor_schema(values.shape[1], values.dtype)
        columns = [fixed_size_rows(values)]
    return pa.table([structure_ids, *columns], schema=schema)


def rejected_table(rejections: Iterable[tuple[str, str, str]], *, stage: str) -> pa.Table:
    """Rejections of a stage as the documented table.

    Parameters
    ----------
    rejections
        Identifier (source:entry), enumerated code and sentence of each.
    stage
        What rejected them.
    """
    rows = []
    for structure_id, code, reason in rejections:
        source, entry_id = structure_id.split(":", 1)
        rows.append([structure_id, source, entry_id, stage, code, reason])
    return pa.table(
        [list(column) for column in zip(*rows, strict=True)] or [[]] * 6, schema=REJECTED
    )


def descriptor_values(table: pa.Table) -> NDArray | csr_array:
    """Values of the rows of a descriptor table, as `descriptor_table` takes them."""
    if is_image(table.schema):
        return _images(table["descriptor"], image_shape(table.schema))
    if not is_sparse(table.schema):
        return as_matrix(table["descriptor"])
    counts = pc.list_value_length(table["bins"]).to_numpy()
    return csr_array(
        (
            pc.list_flatten(table["values"]).to_numpy(),
            pc.list_flatten(table["bins"]).to_numpy(),
            np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        ),
        shape=(table.num_rows, descriptor_size(table.schema)),
    )


def _images(column: pa.ChunkedArray, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A column of images, (n, height, width, channels)."""
    height, width, channels = shape
    size = math.prod(shape)
    chunks = [
        np.frombuffer(chunk.buffers()[1], np.uint8)[
            size * chunk.offset : size * (chunk.offset + len(chunk))
        ]
        for chunk in column.chunks
        if len(chunk)
    ]
    planes = np.concatenate([np.empty(0, np.uint8), *chunks]).reshape(-1, channels, height, width)
    return planes.transpose(0, 2, 3, 1)
