"""Query, the style that programs have used for a long time."""

import pytest
from cormorant import desc, exc, exists, func, or_, select, text
from cormorant.orm import Query, Session, aliased, joinedload
from cormorant.orm.exc import MultipleResultsFound, NoResultFound
from people import Address, User
from support import flat, plain, statements_of, verbs


def names(query):
    return [user.name for user in query]


def test_all_gives_a_list_of_objects(session):
    users = session.query(User).order_by(User.id).all()
    assert type(users) is list and [type(user) for user in users] == [User] * 4
    assert names(users) == ["ann", "bob", "cid", "dot"]


def test_a_query_shows_its_sql(session):
    query = session.query(User.name).filter(User.age > 5)
    assert isinstance(query, Query)
    assert plain(query) == "SELECT users.name AS users_name FROM users WHERE users.age > ?"
    assert (
        flat(session.query(User))
        == "SELECT users.id AS users_id, users.name AS users_name, users.age AS users_age FROM users"
    )


def test_columns_give_rows_and_mixtures_give_mixed_rows(session):
    assert session.query(User.name, User.age).order_by(User.id).first() == ("ann", 30)
    (row,) = session.query(User, Address.email).join(Address).filter(User.name == "bob").all()
    assert row.User.name == "bob" and row.email == "bob@a"
    labelled = (
        session.query(User.name.label("called"), func.count().label("many")).group_by(User.name).order_by(User.name)
    )
    labelled = labelled.first()
    assert labelled.called == "ann" and labelled.many == 1


def test_filter_and_filter_by_narrow_more_and_more(session):
    query = session.query(User)
    assert names(query.filter(User.age == 30, User.name == "cid")) == ["cid"]
    assert names(query.filter(User.age == 30).filter(User.name != "cid")) == ["ann"]
    assert names(query.filter_by(age=30).filter_by(name="ann")) == ["ann"]
    assert names(query.filter_by(age=30, name="ann")) == ["ann"]
    assert names(query.where(or_(User.name == "ann", User.name == "bob")).order_by(User.id)) == ["ann", "bob"]
    assert names(query.filter(User.age.is_(None))) == ["dot"]
    assert names(query.filter(text("age = :a")).params(a=20)) == ["bob"]


def test_filter_by_speaks_of_what_was_joined_last(session):
    assert names(session.query(User).join(User.addresses).filter_by(email="bob@a")) == ["bob"]


def test_filter_by_a_name_that_is_not_there_is_an_error(session):
    with pytest.raises(exc.InvalidRequestError, match='no property "nothing"|has no property .nothing|nothing'):
        session.query(User).filter_by(nothing=1)


def test_joins_follow_relationships_keys_or_conditions(session):
    query = session.query(User).filter(Address.email == "ann@b")
    assert names(query.join(User.addresses)) == ["ann"]
    assert names(query.join(Address)) == ["ann"]
    assert names(query.join(Address, Address.user_id == User.id)) == ["ann"]
    outer = session.query(User).outerjoin(User.addresses).filter(Address.id.is_(None)).order_by(User.id)
    assert names(outer) == ["cid", "dot"]
    a1, a2 = aliased(Address), aliased(Address)
    both = session.query(User).join(a1, User.addresses).join(a2, User.addresses)
    assert names(both.filter(a1.email == "ann@a", a2.email == "ann@b")) == ["ann"]


def test_an_object_comes_once_however_many_rows_it_has(session):
    query = session.query(User).join(User.addresses).order_by(User.id)
    assert names(query.all()) == ["ann", "bob"]
    assert query.count() == 3


def test_order_and_reverse(session):
    query = session.query(User)
    assert names(query.order_by(User.name.desc())) == ["dot", "cid", "bob", "ann"]
    assert names(query.order_by(desc("name"))) == ["dot", "cid", "bob", "ann"]
    assert names(query.order_by(desc(User.age).nulls_last(), User.id)) == ["ann", "cid", "bob", "dot"]
    assert names(query.order_by(User.name.desc()).order_by(None).order_by(User.id)) == ["ann", "bob", "cid", "dot"]


def test_limits_offsets_and_slices(session):
    query = session.query(User).order_by(User.id)
    assert names(query.limit(2)) == ["ann", "bob"]
    assert names(query.limit(2).offset(1)) == ["bob", "cid"]
    assert names(query[1:3]) == ["bob", "cid"]
    assert names(query[:2]) == ["ann", "bob"]
    assert names(query[3:]) == ["dot"]
    assert names(query[1:3:2]) == ["bob"]
    assert query[2].name == "cid"
    assert names(query.slice(1, 2)) == ["bob"]
    assert query[5:] == []
    with pytest.raises(IndexError):
        query[-1]
    with pytest.raises(IndexError):
        query[10]


def test_count_counts_what_would_come(session):
    query = session.query(User)
    assert query.count() == 4
    assert query.filter(User.age == 30).count() == 2
    assert query.limit(3).count() == 3
    assert session.query(User.age).distinct().count() == 3
    assert session.query(func.count(User.id)).scalar() == 4


def test_first_is_a_row_or_none(session):
    query = session.query(User).order_by(User.id)
    assert query.first().name == "ann"
    assert query.filter(User.id > 99).first() is None


def test_one_is_exactly_one(session):
    query = session.query(User)
    assert query.filter(User.name == "bob").one().name == "bob"
    with pytest.raises(NoResultFound, match="No row was found when one was required"):
        query.filter(User.id > 99).one()
    with pytest.raises(MultipleResultsFound, match="Multiple rows were found when exactly one was required"):
        query.one()


def test_one_or_none_is_at_most_one(session):
    query = session.query(User)
    assert query.filter(User.name == "bob").one_or_none().name == "bob"
    assert query.filter(User.id > 99).one_or_none() is None
    with pytest.raises(MultipleResultsFound, match="Multiple rows were found when one or none was required"):
        query.one_or_none()


def test_scalar_is_the_first_column_of_the_only_row(session):
    assert session.query(func.max(User.age)).scalar() == 30
    assert session.query(User.name).filter(User.id == 2).scalar() == "bob"
    assert session.query(User.name).filter(User.id == 99).scalar() is None
    with pytest.raises(MultipleResultsFound):
        session.query(User.name).scalar()


@pytest.mark.filterwarnings("ignore")
def test_get_looks_in_the_session_first(session, engine):
    ann = session.query(User).get(1)
    with statements_of(engine) as sent:
        assert session.query(User).get(1) is ann
        assert session.query(User).get(99) is None
    assert verbs(sent) == ["SELECT"]


def test_a_query_is_asked_again_each_time_it_is_iterated(session):
    query = session.query(User).filter(User.age == 30)
    assert len(list(query)) == 2
    session.add(User(name="eve", age=30))
    assert len(list(query)) == 3


def test_exists_is_an_expression(session):
    assert session.query(session.query(User).filter(User.name == "ann").exists()).scalar() is True
    assert session.query(session.query(User).filter(User.name == "nobody").exists()).scalar() is False
    assert session.scalar(select(exists().where(User.name == "ann"))) is True


def test_update_changes_rows_and_objects_and_says_how_many(session):
    ann = session.get(User, 1)
    assert session.query(User).filter(User.age == 30).update({"age": 31}) == 2
    assert ann.age == 31
    assert session.query(User).filter_by(name="ann").update({User.age: User.age + 1}) == 1
    assert ann.age == 32
    assert session.query(User).update({"age": 0}, synchronize_session=False) == 4
    assert ann.age == 32
    assert session.query(User).filter_by(name="ann").update({"name": "a"}, synchronize_session="fetch") == 1
    assert ann.name == "a"


def test_delete_takes_rows_and_objects_and_says_how_many(session):
    dot = session.get(User, 4)
    assert session.query(User).filter(User.name == "dot").delete() == 1
    assert dot not in session
    assert session.query(User).filter(User.name == "nobody").delete(synchronize_session=False) == 0


def test_groups_and_having(session):
    query = session.query(User.age, func.count(User.id)).group_by(User.age).order_by(User.age.nulls_first())
    assert query.all() == [(None, 1), (20, 1), (30, 2)]
    assert query.having(func.count(User.id) > 1).all() == [(30, 2)]


def test_distinct(session):
    assert session.query(User.age).distinct().order_by(User.age.nulls_first()).all() == [(None,), (20,), (30,)]


def test_subqueries(session):
    sub = session.query(Address.user_id, func.count("*").label("many")).group_by(Address.user_id).subquery()
    rows = session.query(User.name, sub.c.many).outerjoin(sub, User.id == sub.c.user_id).order_by(User.id).all()
    assert rows == [("ann", 2), ("bob", 1), ("cid", None), ("dot", None)]
    ids = session.query(Address.user_id)
    assert names(session.query(User).filter(User.id.in_(ids)).order_by(User.id)) == ["ann", "bob"]
    most = session.query(func.max(User.age)).scalar_subquery()
    assert names(session.query(User).filter(User.age == most).order_by(User.id)) == ["ann", "cid"]


def test_unions(session):
    query = session.query(User).filter(User.name == "ann")
    both = query.union(session.query(User).filter(User.age == 30))
    assert sorted(names(both)) == ["ann", "cid"]
    assert both.count() == 2


def test_with_entities_asks_for_something_else(session):
    query = session.query(User).filter(User.age == 30)
    assert query.with_entities(func.count(User.id)).scalar() == 2
    assert query.with_entities(User.name).order_by(User.id).all() == [("ann",), ("cid",)]
    assert session.query(User.id).add_columns(User.name).order_by(User.id).first() == (1, "ann")


def test_options_load_what_they_name(session, engine):
    with statements_of(engine) as sent:
        users = session.query(User).options(joinedload(User.addresses)).order_by(User.id).all()
        assert [len(user.addresses) for user in users] == [2, 1, 0, 0]
    assert len(sent) == 1


def test_populate_existing_reads_over_what_is_in_hand(session):
    ann = session.get(User, 1)
    session.execute(text("UPDATE users SET age = 99 WHERE id = 1"))
    assert session.query(User).filter_by(id=1).one().age == 30
    assert session.query(User).filter_by(id=1).populate_existing().one() is ann and ann.age == 99


def test_from_statement_and_text(session):
    found = session.query(User).from_statement(text("SELECT * FROM users WHERE name = :n")).params(n="bob").all()
    assert names(found) == ["bob"]


def test_select_from_and_several_entities(session):
    query = session.query(User, Address).select_from(User).join(Address).order_by(Address.id)
    assert [(user.name, address.email) for user, address in query] == [
        ("ann", "ann@a"),
        ("ann", "ann@b"),
        ("bob", "bob@a"),
    ]


def test_a_query_sees_what_is_pending_unless_told_not_to(session):
    session.add(User(name="eve"))
    assert session.query(User).autoflush(False).filter_by(name="eve").first() is None
    assert session.query(User).filter_by(name="eve").first() is not None
    session.add(User(name="fay"))
    with session.no_autoflush:
        assert session.query(User).filter_by(name="fay").first() is None


def test_a_query_can_be_made_first_and_run_in_a_session_later(session):
    query = Query(User).filter(User.name == "ann")
    assert query.with_session(session).one().name == "ann"


def test_a_query_is_not_changed_by_what_is_made_of_it(session):
    query = session.query(User)
    query.filter(User.name == "ann")
    assert query.count() == 4


def test_a_queries_statement_runs_elsewhere(session):
    statement = session.query(User).filter(User.name == "ann").statement
    with Session(session.bind) as other:
        assert other.scalars(statement).one().name == "ann"


def test_yield_per_gives_rows_as_they_come(session):
    assert names(session.query(User).order_by(User.id).yield_per(2)) == ["ann", "bob", "cid", "dot"]
    chunks = session.execute(select(User.id).order_by(User.id).execution_options(yield_per=3)).partitions()
    assert [len(chunk) for chunk in chunks] == [3, 1]


def test_column_descriptions(session):
    described = session.query(User, User.name.label("called")).column_descriptions
    assert [(one["name"], one["type"] is User) for one in described] == [("User", True), ("called", False)]
