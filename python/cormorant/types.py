"""The SQL types, as ``from cormorant.types import Integer``."""

from __future__ import annotations

from .sql.sqltypes import (
    BIGINT, BINARY, BLOB, BOOLEAN, CHAR, CLOB, DATE, DATETIME, DECIMAL, DOUBLE, DOUBLE_PRECISION, FLOAT, INT, INTEGER, JSON,
    NCHAR, NULLTYPE, NUMERIC, NVARCHAR, REAL, SMALLINT, STRINGTYPE, TEXT, TIME, TIMESTAMP, UUID, VARBINARY, VARCHAR,
    BigInteger, Boolean, Concatenable, Date, DateTime, Double, Enum, ExternalType, Float, Indexable, Integer, Interval,
    LargeBinary, NullType, Numeric, PickleType, SchemaType, SmallInteger, String, Text, Time, TypeDecorator, TypeEngine,
    Unicode, UnicodeText, UserDefinedType, Uuid, _of, to_instance,
)  # fmt: skip

__all__ = [
    "BIGINT", "BINARY", "BLOB", "BOOLEAN", "CHAR", "CLOB", "DATE", "DATETIME", "DECIMAL", "DOUBLE", "DOUBLE_PRECISION",
    "FLOAT", "INT", "INTEGER", "JSON", "NCHAR", "NULLTYPE", "NUMERIC", "NVARCHAR", "REAL", "SMALLINT", "STRINGTYPE",
    "TEXT", "TIME", "TIMESTAMP", "UUID", "VARBINARY", "VARCHAR", "BigInteger", "Boolean", "Concatenable", "Date",
    "DateTime", "Double", "Enum", "ExternalType", "Float", "Indexable", "Integer", "Interval", "LargeBinary", "NullType",
    "Numeric", "PickleType", "SchemaType", "SmallInteger", "String", "Text", "Time", "TypeDecorator", "TypeEngine",
    "Unicode", "UnicodeText", "UserDefinedType", "Uuid", "_of", "to_instance",
]  # fmt: skip
