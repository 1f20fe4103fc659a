"""The unit of work: what a flush writes, in which order, in how many batches."""

import databases
import pytest
from cormorant import Column, ForeignKey, Integer, String, event, exc, func, select, text
from cormorant.orm import Session, backref, declarative_base, relationship
from cormorant.orm.exc import StaleDataError
from support import PEER, keep_references_true, statements_of, verbs, words

Base = declarative_base()


class Team(Base):
    __tablename__ = "teams"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    players = relationship("Player", back_populates="team", order_by="Player.id")


class Label(Base):
    __tablename__ = "labels"
    id = Column(Integer, primary_key=True)
    word = Column(String(50), unique=True)


class Player(Base):
    __tablename__ = "players"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    number = Column(Integer)
    team_id = Column(ForeignKey("teams.id"))
    team = relationship("Team", back_populates="players")


class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    parent_id = Column(ForeignKey("nodes.id"))
    parent = relationship("Node", remote_side=[id], backref="children")


class Code(Base):
    __tablename__ = "codes"
    code = Column(String(50), primary_key=True)
    uses = relationship("Use", backref=backref("of"), passive_updates=False)


class Use(Base):
    __tablename__ = "uses"
    id = Column(Integer, primary_key=True)
    code = Column(ForeignKey("codes.code"))


class Chicken(Base):
    __tablename__ = "chickens"
    id = Column(Integer, primary_key=True)
    best_egg_id = Column(ForeignKey("eggs.id", use_alter=True, name="best_egg"))
    best_egg = relationship("Egg", foreign_keys=[best_egg_id], post_update=True)
    eggs = relationship("Egg", foreign_keys="Egg.chicken_id", back_populates="chicken")


class Egg(Base):
    __tablename__ = "eggs"
    id = Column(Integer, primary_key=True)
    chicken_id = Column(ForeignKey("chickens.id"), nullable=False)
    chicken = relationship("Chicken", foreign_keys=[chicken_id], back_populates="eggs")


@pytest.fixture
def session(engine):
    keep_references_true(engine)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session


def writes(sent):
    return [(one.verb, one.table) for one in sent if one.verb != "SELECT"]


def test_parents_are_written_before_children_whatever_the_order_of_adding(session, engine):
    team = Team(name="red")
    players = [Player(name=str(number), team=team) for number in range(3)]
    session.add_all([*players, team])
    with statements_of(engine) as sent:
        session.flush()
    assert [table for _, table in writes(sent)][0] == "teams"
    assert {table for _, table in writes(sent)[1:]} == {"players"}
    assert [player.team_id for player in players] == [team.id] * 3


def test_children_are_deleted_before_parents(session, engine):
    team = Team(players=[Player(), Player()])
    session.add(team)
    session.commit()
    for thing in [team, *team.players]:
        session.delete(thing)
    with statements_of(engine) as sent:
        session.flush()
    assert writes(sent) == [("DELETE", "players"), ("DELETE", "teams")]


def test_rows_of_one_shape_are_one_batch(session, engine):
    session.add_all([Team(id=number, name="x") for number in range(1, 101)])
    with statements_of(engine) as sent:
        session.flush()
    assert writes(sent) == [("INSERT", "teams")] and len(sent) == 1


def test_generated_keys_come_back_in_the_order_of_the_objects(session, engine):
    teams = [Team(name=str(number)) for number in range(500)]
    session.add_all(teams)
    with statements_of(engine) as sent:
        session.flush()
    assert PEER or len(sent) == 1
    session.expire_all()
    assert [team.name for team in teams] == [str(number) for number in range(500)]
    assert [team.id for team in teams] == list(range(1, 501))


def test_updates_of_one_shape_are_one_batch(session, engine):
    teams = [Team(name="old") for _ in range(100)]
    session.add_all(teams)
    session.commit()
    names = [team.name for team in teams]
    for team in teams:
        team.name = "new"
    with statements_of(engine) as sent:
        session.flush()
    assert writes(sent) == [("UPDATE", "teams")] and sent[0].many and len(names) == 100


def test_deletes_are_one_batch(session, engine):
    session.add_all([Team() for _ in range(100)])
    session.commit()
    for team in session.scalars(select(Team)):
        session.delete(team)
    with statements_of(engine) as sent:
        session.flush()
    assert writes(sent).count(("DELETE", "teams")) == 1 and len(writes(sent)) == 1


def test_only_changed_columns_are_written(session, engine):
    player = Player(name="x", number=1)
    session.add(player)
    session.commit()
    player.name
    player.number = 2
    with statements_of(engine) as sent:
        session.flush()
    assert [one.text for one in sent] == ["UPDATE players SET number=? WHERE players.id = ?"]
    assert tuple(sent[0].parameters) == (2, 1)


def test_a_change_taken_back_is_no_change(session, engine):
    player = Player(name="x", number=1)
    session.add(player)
    session.commit()
    assert player.number == 1
    player.number = 2
    player.number = 1
    with statements_of(engine) as sent:
        session.flush()
    assert sent == []


def test_an_insert_names_only_what_was_set_or_has_to_be(session, engine):
    session.add(Player(name="x"))
    with statements_of(engine) as sent:
        session.flush()
    (one,) = sent
    assert one.text.startswith("INSERT INTO players (name, number, team_id) VALUES (?, ?, ?)")
    assert tuple(one.parameters) == ("x", None, None)


def test_expressions_can_be_assigned(session):
    player = Player(name="x", number=1)
    session.add(player)
    session.flush()
    player.number = Player.number + 41
    player.name = func.upper("abc")
    session.flush()
    assert (player.number, player.name) == (42, "ABC")


def test_a_changed_primary_key_is_an_update_and_a_new_identity(session, engine):
    team = Team(id=1, name="x")
    session.add(team)
    session.commit()
    team.id = 10
    with statements_of(engine) as sent:
        session.flush()
    assert ("UPDATE", "teams") in writes(sent) and ("INSERT", "teams") not in writes(sent)
    assert session.get(Team, 10) is team and session.get(Team, 1) is None
    session.commit()
    assert team.id == 10


@pytest.mark.database("sqlite")
def test_a_changed_key_is_carried_to_the_children(session):
    session.execute(text("PRAGMA defer_foreign_keys = ON"))
    code = Code(code="old", uses=[Use(id=1), Use(id=2)])
    session.add(code)
    session.flush()
    code.code = "new"
    session.flush()
    assert session.scalars(select(Use.code)).all() == ["new", "new"]
    assert [use.code for use in code.uses] == ["new", "new"]


def test_rows_of_one_table_that_refer_to_each_other_are_sorted(session):
    nodes = [Node() for _ in range(20)]
    for number in range(19):
        nodes[number].parent = nodes[number + 1]
    session.add_all(nodes)
    session.commit()
    assert [node.parent_id for node in nodes[:-1]] == [node.id for node in nodes[1:]]
    for node in nodes:
        session.delete(node)
    session.commit()
    assert session.scalar(select(func.count()).select_from(Node)) == 0


def test_a_circle_of_new_rows_is_an_error_that_says_so(session):
    a, b = Node(), Node()
    a.parent, b.parent = b, a
    session.add_all([a, b])
    with pytest.raises(exc.CircularDependencyError, match="Circular dependency detected"):
        session.flush()


def test_post_update_breaks_circles(session, engine):
    egg = Egg()
    hen = Chicken(eggs=[egg, Egg()], best_egg=egg)
    session.add(hen)
    with statements_of(engine) as sent:
        session.commit()
    assert [verb for verb, _ in writes(sent)][-1] == "UPDATE" and writes(sent)[0] == ("INSERT", "chickens")
    assert hen.best_egg is egg and hen.best_egg_id == egg.id and egg.chicken_id == hen.id
    for one in [hen, *hen.eggs]:
        session.delete(one)
    with statements_of(engine) as sent:
        session.commit()
    assert writes(sent) == [("UPDATE", "chickens"), ("DELETE", "eggs"), ("DELETE", "chickens")]


def test_all_or_nothing(session):
    session.add_all([Team(id=1, name="a"), Player(id=1, name="p"), Player(id=2, team_id=99)])
    with pytest.raises(exc.IntegrityError, match="(?i)foreign key constraint"):
        session.flush()
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Team)) == 0
    assert session.scalar(select(func.count()).select_from(Player)) == 0


def test_one_error_names_the_statement_and_the_parameters(session):
    session.add(Team(id=1, name="a"))
    session.flush()
    session.expunge_all()
    session.add(Team(id=1, name="b"))
    with pytest.raises(exc.IntegrityError) as caught:
        session.flush()
    assert "INSERT INTO teams" in caught.value.statement and words(
        sqlite="UNIQUE constraint failed: teams.id", postgresql='"teams_pkey"', mariadb="Duplicate entry '1'"
    ) in str(caught.value)
    assert tuple(caught.value.params) == (1, "b")
    assert type(caught.value.orig).__name__ == "IntegrityError"


def test_a_row_that_vanished_is_noticed_by_update_and_delete(session):
    team = Team(id=1, name="a")
    session.add(team)
    session.commit()
    assert team.name == "a"
    session.execute(text("DELETE FROM teams"))
    team.name = "b"
    with pytest.raises(
        StaleDataError, match=r"UPDATE statement on table 'teams' expected to update 1 row\(s\); 0 were matched"
    ):
        session.flush()
    session.rollback()
    assert team.name == "a"
    session.execute(text("DELETE FROM teams"))
    session.delete(team)
    with pytest.warns(
        exc.SAWarning, match=r"DELETE statement on table 'teams' expected to delete 1 row\(s\); 0 were matched"
    ):
        session.flush()


def test_new_changed_and_removed_together(session, engine):
    keep, drop = Team(id=1, name="keep"), Team(id=2, name="drop")
    keep.players = [Player(id=1), Player(id=2)]
    session.add_all([keep, drop])
    session.commit()
    assert len(keep.players) == 2
    keep.name = "kept"
    keep.players.append(Player(id=3))
    session.delete(keep.players[0])
    session.delete(drop)
    with statements_of(engine) as sent:
        session.commit()
    order = writes(sent)
    assert set(order) == {("UPDATE", "teams"), ("INSERT", "players"), ("DELETE", "players"), ("DELETE", "teams")}
    assert order.index(("INSERT", "players")) < order.index(("DELETE", "players"))
    assert [player.id for player in keep.players] == [2, 3]


def test_a_row_may_be_replaced_under_its_key(session):
    session.add(Team(id=1, name="old"))
    session.commit()
    session.delete(session.get(Team, 1))
    session.add(Team(id=1, name="new"))
    session.commit()
    assert session.get(Team, 1).name == "new"
    assert session.scalar(select(func.count()).select_from(Team)) == 1


def test_a_new_row_may_take_the_unique_value_that_a_changed_one_gives_up(session):
    session.add(Label(word="taken"))
    session.commit()
    session.scalars(select(Label)).one().word = "free"
    session.add(Label(word="taken"))
    session.commit()
    assert session.scalars(select(Label.word).order_by(Label.id)).all() == ["free", "taken"]


def test_a_flush_inside_a_flush_is_refused(session):
    @event.listens_for(session, "before_flush")
    def again(flushing, context, instances):
        flushing.flush()

    session.add(Team())
    with pytest.raises(exc.InvalidRequestError, match="Session is already flushing"):
        session.flush()


def test_a_flush_of_nothing_sends_nothing(session, engine):
    session.scalars(select(Team)).all()
    with statements_of(engine) as sent:
        session.flush()
    assert sent == []


def test_many_tables_at_once_keep_their_references_true(session):
    for number in range(20):
        team = Team(name=str(number), players=[Player(name=str(number)) for _ in range(5)])
        session.add(team)
        session.add(Node(parent=Node(parent=Node())))
    session.commit()
    if databases.KIND == "sqlite":
        assert session.execute(text("PRAGMA foreign_key_check")).all() == []
    assert (
        session.scalar(select(func.count()).select_from(Player).join(Player.team).where(Player.name == Team.name))
        == 100
    )


def test_verbs_are_counted_truly(session, engine):
    with statements_of(engine) as sent:
        session.execute(text("SELECT 1"))
    assert verbs(sent) == ["SELECT"]
