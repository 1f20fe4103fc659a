"""How related objects come: one by one, with the next statement, in the same statement, or not at all."""

import pytest
from cormorant import Column, ForeignKey, Integer, String, exc, select
from cormorant.orm import (
    Load,
    Session,
    contains_eager,
    declarative_base,
    defaultload,
    defer,
    deferred,
    immediateload,
    joinedload,
    lazyload,
    load_only,
    noload,
    raiseload,
    relationship,
    selectinload,
    subqueryload,
    undefer,
)
from support import statements_of, verbs

Base = declarative_base()


class City(Base):
    __tablename__ = "cities"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    streets = relationship("Street", back_populates="city", order_by="Street.id")


class Street(Base):
    __tablename__ = "streets"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    city_id = Column(ForeignKey("cities.id"))
    city = relationship("City", back_populates="streets")
    houses = relationship("House", back_populates="street", order_by="House.number")


class House(Base):
    __tablename__ = "houses"
    id = Column(Integer, primary_key=True)
    number = Column(Integer)
    street_id = Column(ForeignKey("streets.id"))
    street = relationship("Street", back_populates="houses")


@pytest.fixture
def session(engine):
    """Three cities: one with two streets of two houses, one with an empty street, one with nothing."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            [
                City(id=1, name="oslo", streets=[
                    Street(id=1, name="a", houses=[House(id=1, number=2), House(id=2, number=1)]),
                    Street(id=2, name="b", houses=[House(id=3, number=3)]),
                ]),
                City(id=2, name="rome", streets=[Street(id=3, name="c")]),
                City(id=3, name="nowhere"),
            ]
        )  # fmt: skip
        session.commit()
        session.expunge_all()
        yield session


def walked(cities):
    return {
        city.name: [(street.name, [house.number for house in street.houses]) for street in city.streets]
        for city in cities
    }


WHOLE = {"oslo": [("a", [1, 2]), ("b", [3])], "rome": [("c", [])], "nowhere": []}


@pytest.mark.parametrize(
    "options, statements",
    [
        ([], 1 + 3 + 3),
        ([selectinload(City.streets)], 2 + 3),
        ([selectinload(City.streets).selectinload(Street.houses)], 3),
        ([selectinload(City.streets).joinedload(Street.houses)], 2),
        ([joinedload(City.streets).selectinload(Street.houses)], 2),
        ([joinedload(City.streets).joinedload(Street.houses)], 1),
        ([subqueryload(City.streets).subqueryload(Street.houses)], 3),
        ([joinedload(City.streets), joinedload(City.streets, Street.houses)], 1),
        ([selectinload(City.streets, Street.houses)], 1 + 3 + 2),
        ([defaultload(City.streets).selectinload(Street.houses)], 1 + 3 + 2),
        ([lazyload(City.streets).joinedload(Street.houses)], 1 + 3),
        ([selectinload(City.streets).options(selectinload(Street.houses), joinedload(Street.city))], 3),
        ([Load(City).selectinload(City.streets).selectinload(Street.houses)], 3),
        ([selectinload("*")], 3),
    ],
    ids=lambda value: None if isinstance(value, list) else f"{value} statements",
)
def test_every_way_of_loading_gives_the_same_objects_in_its_number_of_statements(session, engine, options, statements):
    with statements_of(engine) as sent:
        cities = session.scalars(select(City).options(*options).order_by(City.id)).unique().all()
        assert walked(cities) == WHOLE
    assert len(sent) == statements


def test_lazy_loading_asks_once_and_remembers(session, engine):
    city = session.get(City, 1)
    with statements_of(engine) as sent:
        assert len(city.streets) == 2
        assert len(city.streets) == 2
    assert verbs(sent) == ["SELECT"]
    assert "WHERE ? = streets.city_id" in sent[0].text and "ORDER BY streets.id" in sent[0].text


def test_a_reference_in_the_identity_map_needs_no_statement(session, engine):
    session.scalars(select(City)).all()
    cities = session.scalars(select(City)).all()
    with statements_of(engine) as sent:
        streets = session.scalars(select(Street)).all()
        assert [street.city.name for street in streets] == ["oslo", "oslo", "rome"]
    assert len(sent) == 1 and len(cities) == 3


def test_joined_collections_must_be_made_unique(session):
    with pytest.raises(exc.InvalidRequestError, match="unique\\(\\) method must be invoked"):
        session.scalars(select(City).options(joinedload(City.streets))).all()


def test_joined_loading_does_not_disturb_limits(session, engine):
    with statements_of(engine) as sent:
        cities = (
            session.scalars(select(City).options(joinedload(City.streets)).order_by(City.id).limit(2)).unique().all()
        )
        assert [len(city.streets) for city in cities] == [2, 1]
    assert len(sent) == 1


def test_joined_loading_does_not_change_what_is_found(session):
    houses = select(Street).options(joinedload(Street.houses)).join(Street.city).where(City.name == "oslo")
    assert [street.name for street in session.scalars(houses).unique()] == ["a", "b"]
    with_filter = select(City).options(joinedload(City.streets)).join(City.streets).where(Street.name == "a")
    city = session.scalars(with_filter).unique().one()
    assert [street.name for street in city.streets] == ["a", "b"]


def test_an_inner_join_is_used_on_request(session, engine):
    with statements_of(engine) as sent:
        streets = session.scalars(select(Street).options(joinedload(Street.city, innerjoin=True))).all()
        assert [street.city.name for street in streets] == ["oslo", "oslo", "rome"]
    assert " JOIN cities" in sent[0].text and "LEFT OUTER" not in sent[0].text and len(sent) == 1


def test_contains_eager_fills_from_the_join_that_is_there(session, engine):
    statement = select(City).join(City.streets).where(Street.name == "b").options(contains_eager(City.streets))
    with statements_of(engine) as sent:
        city = session.scalars(statement).unique().one()
        assert [street.name for street in city.streets] == ["b"]
    assert len(sent) == 1


def test_selectin_loading_takes_many_parents_in_portions(session, engine):
    session.add_all([City(id=number, streets=[Street(id=number, name=str(number))]) for number in range(10, 1210)])
    session.commit()
    session.expunge_all()
    with statements_of(engine) as sent:
        cities = session.scalars(select(City).options(selectinload(City.streets)).where(City.id >= 10)).all()
        assert all(city.streets[0].name == str(city.id) for city in cities) and len(cities) == 1200
    assert len(sent) in (2, 4)


def test_selectin_loading_of_references_asks_for_each_key_once(session, engine):
    with statements_of(engine) as sent:
        streets = session.scalars(select(Street).options(selectinload(Street.city)).order_by(Street.id)).all()
        assert [street.city.name for street in streets] == ["oslo", "oslo", "rome"]
    assert len(sent) == 2 and sorted(sent[1].parameters) == [1, 2]


def test_raise_forbids_loading(session):
    city = session.scalars(select(City).options(raiseload(City.streets)).where(City.id == 1)).one()
    with pytest.raises(exc.InvalidRequestError, match="'City.streets' is not available due to lazy='raise'"):
        city.streets
    street = session.scalars(
        select(Street).options(joinedload(Street.city), raiseload("*")).where(Street.id == 1)
    ).one()
    assert street.city.name == "oslo"
    with pytest.raises(exc.InvalidRequestError, match="'Street.houses' is not available due to lazy='raise'"):
        street.houses


def test_raise_on_sql_lets_through_what_needs_none(session):
    oslo = session.get(City, 1)
    street = session.scalars(select(Street).options(raiseload(Street.city, sql_only=True)).where(Street.id == 1)).one()
    assert street.city is oslo


@pytest.mark.filterwarnings("ignore")
def test_noload_gives_nothing(session):
    city = session.scalars(select(City).options(noload(City.streets)).where(City.id == 1)).one()
    assert city.streets == []


def test_immediate_loading(session, engine):
    cities = session.scalars(select(City).options(immediateload(City.streets))).all()
    with statements_of(engine) as sent:
        assert [len(city.streets) for city in cities] == [2, 1, 0]
    assert sent == []


@pytest.mark.parametrize(
    "lazy, statements", [("select", 4), ("selectin", 2), ("joined", 1), (True, 4), (False, 1), ("subquery", 2)]
)
def test_the_relationship_itself_says_how_it_loads(engine, lazy, statements):
    Other = declarative_base()

    class Parent(Other):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        children = relationship("Child", lazy=lazy)

    class Child(Other):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))

    Other.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Parent(children=[Child(), Child()]) for _ in range(3)])
        session.commit()
        session.expunge_all()
        with statements_of(engine) as sent:
            parents = session.scalars(select(Parent)).unique().all()
            assert [len(parent.children) for parent in parents] == [2, 2, 2]
        assert len(sent) == statements
        if lazy == "joined":
            with statements_of(engine) as sent:
                session.scalars(select(Parent).options(lazyload(Parent.children))).all()
            assert "children" not in sent[0].text


def test_a_relationship_that_raises_by_itself(engine):
    Other = declarative_base()

    class Parent(Other):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        children = relationship("Child", lazy="raise")

    class Child(Other):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))

    Other.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Parent(id=1, children=[Child()]))
        session.commit()
        with pytest.raises(exc.InvalidRequestError, match="lazy='raise'"):
            session.get(Parent, 1).children
        session.expunge_all()
        assert len(session.get(Parent, 1, options=[selectinload(Parent.children)]).children) == 1


def test_columns_can_be_left_for_later(session, engine):
    city = session.scalars(select(City).options(load_only(City.id)).where(City.id == 1)).one()
    assert "name" not in vars(city)
    with statements_of(engine) as sent:
        assert city.name == "oslo"
    assert verbs(sent) == ["SELECT"]
    session.expunge_all()
    city = session.scalars(select(City).options(defer(City.name)).where(City.id == 1)).one()
    assert "name" not in vars(city) and city.name == "oslo"


def test_columns_can_be_left_for_later_by_the_mapping_and_asked_for_by_a_statement(engine):
    Other = declarative_base()

    class Book(Other):
        __tablename__ = "books"
        id = Column(Integer, primary_key=True)
        words = deferred(Column(String(50)))

    Other.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Book(id=1, words="many"))
        session.commit()
        assert "words" not in vars(session.scalars(select(Book)).one())
        session.expunge_all()
        assert vars(session.scalars(select(Book).options(undefer(Book.words))).one())["words"] == "many"
        session.expunge_all()
        assert session.scalars(select(Book)).one().words == "many"


def test_options_go_with_get_and_refresh(session, engine):
    city = session.get(City, 1, options=[selectinload(City.streets).selectinload(Street.houses)])
    with statements_of(engine) as sent:
        assert walked([city])["oslo"] == WHOLE["oslo"]
    assert sent == []


def test_an_option_for_something_else_is_an_error(session):
    with pytest.raises(exc.ArgumentError):
        session.scalars(select(House).options(selectinload(City.streets))).all()
    with pytest.raises(exc.ArgumentError):
        select(City).options(selectinload(City.streets).selectinload(House.street))
    with pytest.raises(exc.ArgumentError):
        selectinload("streets")


def test_an_option_may_narrow_what_it_loads(session):
    option = selectinload(City.streets.and_(Street.name != "a"))
    city = session.scalars(select(City).options(option).where(City.id == 1)).one()
    assert [street.name for street in city.streets] == ["b"]


def test_eager_loading_leaves_alone_what_is_loaded_already(session):
    city = session.get(City, 1)
    kept = city.streets
    added = Street(name="new")
    city.streets.append(added)
    with session.no_autoflush:
        session.scalars(select(City).options(selectinload(City.streets))).all()
    assert city.streets is kept and added in kept
