"""Published documents (公布的文件), kept by content; an edition says which of them count together."""

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel


class DocumentRow(SQLModel, table=True):
    """One document as it was published, with the signed parcel that proves it and can be passed on."""

    __tablename__ = "documents"
    hash: str = Field(primary_key=True, max_length=64)
    """SHA-256 of `doc`."""
    key: str = Field(max_length=64)
    kind: str = Field(max_length=32)
    number: int
    """Edition or roster version in which it was published; the highest under a key counts."""
    doc: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    parcel: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    __table_args__ = (Index("documents_key", "kind", "key", "number"),)
