"""The demo's model: countries and their subdivisions, languages, scripts and currencies.

The same tables as in demo.c. Each class is a table, each `Mapped` attribute a column or a relationship.
"""

from typing import List, Optional

from cormorant import Column, ForeignKey, String, Table
from cormorant.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


country_currencies = Table(
    "country_currencies",
    Base.metadata,
    Column("country_id", ForeignKey("countries.id"), primary_key=True),
    Column("currency_id", ForeignKey("currencies.id"), primary_key=True),
)

country_languages = Table(
    "country_languages",
    Base.metadata,
    Column("country_id", ForeignKey("countries.id"), primary_key=True),
    Column("language_id", ForeignKey("languages.id"), primary_key=True),
)


class Country(Base):
    __tablename__ = "countries"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(2), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    flag: Mapped[Optional[str]] = mapped_column(String(8))
    subdivisions: Mapped[List["Subdivision"]] = relationship(
        back_populates="country", order_by="Subdivision.code", cascade="all, delete-orphan"
    )
    currencies: Mapped[List["Currency"]] = relationship(
        secondary=country_currencies, back_populates="countries", order_by="Currency.code"
    )
    languages: Mapped[List["Language"]] = relationship(
        secondary=country_languages, back_populates="countries", order_by="Language.code"
    )


class Subdivision(Base):
    __tablename__ = "subdivisions"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(6), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(80))
    country_id: Mapped[int] = mapped_column(ForeignKey("countries.id"), index=True)
    parent_id: Mapped[Optional[int]] = mapped_column(ForeignKey("subdivisions.id"), index=True)
    country: Mapped["Country"] = relationship(back_populates="subdivisions")
    parent: Mapped[Optional["Subdivision"]] = relationship(back_populates="parts", remote_side=[id])
    parts: Mapped[List["Subdivision"]] = relationship(back_populates="parent", order_by="Subdivision.code")


class Script(Base):
    __tablename__ = "scripts"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(4), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    languages: Mapped[List["Language"]] = relationship(back_populates="script", order_by="Language.code")


class Language(Base):
    __tablename__ = "languages"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(3), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    script_id: Mapped[Optional[int]] = mapped_column(ForeignKey("scripts.id"))
    script: Mapped[Optional["Script"]] = relationship(back_populates="languages")
    countries: Mapped[List["Country"]] = relationship(
        secondary=country_languages, back_populates="languages", order_by="Country.name"
    )


class Currency(Base):
    __tablename__ = "currencies"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(3), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    symbol: Mapped[Optional[str]] = mapped_column(String(4))
    countries: Mapped[List["Country"]] = relationship(
        secondary=country_currencies, back_populates="currencies", order_by="Country.name"
    )
