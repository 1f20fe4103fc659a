"""The four kinds of world.py as mapped classes, of whatever package is to be tested."""

from importlib import import_module
from typing import Any

from .world import REFERENCES, State, kind_of

ROWS = {
    "owner": "SELECT label, name, number FROM owners",
    "kid": "SELECT k.label, k.name, k.number, o.label FROM kids k LEFT JOIN owners o ON o.id = k.owner_id",
    "pet": "SELECT p.label, p.name, p.number, o.label, l.label, p.mark_label FROM pets p"
    " LEFT JOIN owners o ON o.id = p.owner_id LEFT JOIN pets l ON l.id = p.leader_id",
    "tag": "SELECT label, name, number FROM tags",
}
PAIRS = "SELECT k.label, x.tag_label FROM kid_tags x LEFT JOIN kids k ON k.id = x.kid_id"
# References that lead nowhere, which the statements above would show as none.
LOST = (
    "SELECT count(*) FROM kids WHERE owner_id IS NOT NULL AND owner_id NOT IN (SELECT id FROM owners)",
    "SELECT count(*) FROM pets WHERE owner_id IS NOT NULL AND owner_id NOT IN (SELECT id FROM owners)",
    "SELECT count(*) FROM pets WHERE leader_id IS NOT NULL AND leader_id NOT IN (SELECT id FROM pets)",
    "SELECT count(*) FROM kid_tags WHERE tag_label NOT IN (SELECT label FROM tags)",
)


def begin_at_once(core: Any, engine: Any) -> None:
    """SQLAlchemy's documented recipe: without it a savepoint with which a transaction begins is the transaction."""

    @core.event.listens_for(engine, "connect")  # type: ignore[untyped-decorator]
    def connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None

    @core.event.listens_for(engine, "begin")  # type: ignore[untyped-decorator]
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")


class Mapping:
    """The classes by kind, their engine (in memory), and what the tables hold."""

    def __init__(self, package: str, url: Any = "sqlite://") -> None:
        self.package = package
        self.core, self.orm = import_module(package), import_module(f"{package}.orm")
        core, orm, Column = self.core, self.orm, self.core.Column
        Base = orm.declarative_base()

        kid_tags = core.Table(
            "kid_tags",
            Base.metadata,
            Column("kid_id", core.ForeignKey("kids.id"), primary_key=True),
            Column("tag_label", core.ForeignKey("tags.label"), primary_key=True),
        )

        class Owner(Base):  # type: ignore[valid-type, misc]
            __tablename__ = "owners"
            id = Column(core.Integer, primary_key=True)
            label = Column(core.String(20), unique=True, nullable=False)
            name = Column(core.String(50))
            number = Column(core.BigInteger)
            kids = orm.relationship("Kid", back_populates="owner", cascade="all, delete-orphan")
            pets = orm.relationship("Pet", back_populates="owner", order_by="Pet.label")

        class Kid(Base):  # type: ignore[valid-type, misc]
            __tablename__ = "kids"
            id = Column(core.Integer, primary_key=True)
            label = Column(core.String(20), unique=True, nullable=False)
            name = Column(core.String(50))
            number = Column(core.BigInteger)
            owner_id = Column(core.Integer, core.ForeignKey("owners.id"))
            owner = orm.relationship("Owner", back_populates="kids")
            tags = orm.relationship("Tag", secondary=kid_tags, back_populates="kids")

        class Pet(Base):  # type: ignore[valid-type, misc]
            __tablename__ = "pets"
            id = Column(core.Integer, primary_key=True)
            label = Column(core.String(20), unique=True, nullable=False)
            name = Column(core.String(50))
            number = Column(core.BigInteger)
            owner_id = Column(core.Integer, core.ForeignKey("owners.id"))
            leader_id = Column(core.Integer, core.ForeignKey("pets.id"))
            mark_label = Column(core.String(20), core.ForeignKey("tags.label"))
            owner = orm.relationship("Owner", back_populates="pets")
            leader = orm.relationship("Pet", back_populates="followers", remote_side=[id])
            followers = orm.relationship("Pet", back_populates="leader")
            mark = orm.relationship("Tag")

        class Tag(Base):  # type: ignore[valid-type, misc]
            __tablename__ = "tags"
            label = Column(core.String(20), primary_key=True)
            name = Column(core.String(50))
            number = Column(core.BigInteger)
            kids = orm.relationship("Kid", secondary=kid_tags, back_populates="tags")

        self.classes: dict[str, Any] = {"owner": Owner, "kid": Kid, "pet": Pet, "tag": Tag}
        self.metadata = Base.metadata
        self.engine = core.create_engine(url)
        if core.__name__ == "sqlalchemy":
            begin_at_once(core, self.engine)
        self.metadata.create_all(self.engine)

    def class_of(self, label: str) -> Any:
        return self.classes[kind_of(label)]

    def clear(self) -> None:
        """Empty the tables for the next program."""
        with self.engine.begin() as connection:
            # MariaDB looks at each row that goes, not at what is left in the end.
            connection.execute(self.core.text("UPDATE pets SET leader_id = NULL"))
            for table in ("kid_tags", "kids", "pets", "owners", "tags"):
                connection.execute(self.core.text(f"DELETE FROM {table}"))

    def rows(self, connection: Any) -> State:
        """What the tables hold, as seen by a session or a connection."""
        state = State({}, set())
        for kind, statement in ROWS.items():
            for label, name, number, *references in connection.execute(self.core.text(statement)):
                state.objects[label] = {"name": name, "number": number, **dict(zip(REFERENCES[kind], references))}
        state.pairs.update((kid, tag) for kid, tag in connection.execute(self.core.text(PAIRS)))
        for statement in LOST:
            if connection.execute(self.core.text(statement)).scalar():
                raise AssertionError(f"a reference leads nowhere: {statement}")
        return state
