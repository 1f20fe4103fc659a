"""Cascades: what happens to the children when something happens to the parent."""

import pytest
from cormorant import Column, ForeignKey, Integer, String, exc, func, inspect, select, text
from cormorant.orm import Session, declarative_base, relationship
from support import keep_references_true, statements_of, verbs, words


def family(engine=None, parent_options=None, child_options=None, key_options=None, nullable=True):
    """Parent and Child, related as a test wishes; returns both classes."""
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        children = relationship("Child", back_populates="parent", order_by="Child.id", **(parent_options or {}))

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        parent_id = Column(ForeignKey("parents.id", **(key_options or {})), nullable=nullable)
        parent = relationship("Parent", back_populates="children", **(child_options or {}))

    if engine is not None:
        Base.metadata.create_all(engine)
    return Parent, Child


def count(session, cls):
    return session.scalar(select(func.count()).select_from(cls))


def test_adding_a_parent_adds_its_children_and_theirs(engine):
    Parent, Child = family(engine)
    with Session(engine) as session:
        parent = Parent(children=[Child(), Child()])
        session.add(parent)
        assert all(child in session for child in parent.children)
        late = Child()
        parent.children.append(late)
        assert late in session
        session.commit()
        assert count(session, Child) == 3


def test_adding_a_child_adds_its_parent(engine):
    Parent, Child = family(engine)
    with Session(engine) as session:
        child = Child(parent=Parent())
        session.add(child)
        assert child.parent in session


def test_a_back_reference_does_not_pull_the_parents_session(engine):
    Parent, Child = family(engine)
    with Session(engine) as session:
        parent = Parent()
        session.add(parent)
        child = Child(parent=parent)
        assert child in parent.children and child not in session


def test_without_save_update_nothing_is_pulled_in(engine):
    Parent, Child = family(engine, parent_options={"cascade": "merge"}, child_options={"cascade": ""})
    with Session(engine) as session:
        parent = Parent(children=[Child()])
        session.add(parent)
        assert parent.children[0] not in session
        with pytest.warns(exc.SAWarning, match="not in session"):
            session.flush()


def test_delete_goes_down_only_when_told_to(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all"})
    with Session(engine) as session:
        parent = Parent(children=[Child(), Child()])
        session.add(parent)
        session.commit()
        session.delete(parent)
        session.commit()
        assert count(session, Parent) == count(session, Child) == 0


def test_deleting_a_child_leaves_the_parent(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all, delete-orphan"})
    with Session(engine) as session:
        parent = Parent(children=[Child(), Child()])
        session.add(parent)
        session.commit()
        session.delete(parent.children[0])
        session.commit()
        assert count(session, Parent) == 1 and len(parent.children) == 1


def test_removed_orphans_are_deleted(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all, delete-orphan"})
    with Session(engine) as session:
        parent = Parent(children=[Child(name=name) for name in "abc"])
        session.add(parent)
        session.commit()
        first = parent.children.pop(0)
        session.commit()
        assert inspect(first).detached or inspect(first).deleted
        parent.children = parent.children[1:]
        session.commit()
        assert [child.name for child in parent.children] == ["c"] and count(session, Child) == 1


def test_setting_the_reference_to_none_makes_an_orphan(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all, delete-orphan"})
    with Session(engine) as session:
        parent = Parent(children=[Child()])
        session.add(parent)
        session.commit()
        parent.children[0].parent = None
        session.commit()
        assert count(session, Child) == 0


def test_an_orphan_that_found_a_new_parent_lives(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all, delete-orphan"})
    with Session(engine) as session:
        one, two = Parent(children=[Child()]), Parent()
        session.add_all([one, two])
        session.commit()
        two.children.append(one.children[0])
        session.commit()
        assert one.children == [] and len(two.children) == 1 and count(session, Child) == 1


def test_a_pending_orphan_is_never_inserted(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all, delete-orphan"})
    with Session(engine) as session:
        parent = Parent()
        session.add(parent)
        child = Child()
        parent.children.append(child)
        parent.children.remove(child)
        assert child not in session
        session.commit()
        assert count(session, Child) == 0


def test_delete_orphan_on_a_single_reference_needs_single_parent():
    Parent, Child = family(child_options={"cascade": "all, delete-orphan"})
    with pytest.raises(exc.ArgumentError, match="single_parent=True"):
        Child.registry.configure()
    Child.registry.dispose()


def test_an_unknown_cascade_is_an_error():
    with pytest.raises(exc.ArgumentError, match="Invalid cascade option"):
        relationship("X", cascade="everything")


def test_without_cascade_a_child_that_needs_its_parent_stops_the_delete(engine):
    Parent, Child = family(engine, nullable=False)
    with Session(engine) as session:
        parent = Parent(children=[Child()])
        session.add(parent)
        session.commit()
        session.delete(parent)
        with pytest.raises(
            exc.IntegrityError,
            match=words(
                sqlite="NOT NULL constraint failed: children.parent_id",
                postgresql='null value in column "parent_id"',
                mariadb="Column 'parent_id' cannot be null",
            ),
        ):
            session.commit()
        session.rollback()
        assert count(session, Parent) == 1 and len(parent.children) == 1


def test_passive_deletes_leaves_unloaded_children_to_the_database(engine):
    keep_references_true(engine)
    options = {"cascade": "all, delete-orphan", "passive_deletes": True}
    Parent, Child = family(engine, parent_options=options, key_options={"ondelete": "CASCADE"})
    with Session(engine) as session:
        session.add(Parent(id=1, children=[Child(), Child()]))
        session.commit()
        session.expunge_all()
        parent = session.get(Parent, 1)
        with statements_of(engine) as sent:
            session.delete(parent)
            session.flush()
        assert verbs(sent) == ["DELETE"]
        assert count(session, Child) == 0


def test_passive_deletes_still_deletes_what_is_loaded(engine):
    keep_references_true(engine)
    options = {"cascade": "all, delete-orphan", "passive_deletes": True}
    Parent, Child = family(engine, parent_options=options, key_options={"ondelete": "CASCADE"})
    with Session(engine) as session:
        session.add(Parent(id=1, children=[Child()]))
        session.commit()
        parent = session.get(Parent, 1)
        child = parent.children[0]
        session.delete(parent)
        session.flush()
        assert inspect(child).deleted


def test_passive_deletes_all_touches_no_child(engine):
    keep_references_true(engine)
    Parent, Child = family(engine, parent_options={"passive_deletes": "all"}, key_options={"ondelete": "SET NULL"})
    with Session(engine) as session:
        session.add(Parent(id=1, children=[Child(id=1)]))
        session.commit()
        parent = session.get(Parent, 1)
        assert len(parent.children) == 1
        with statements_of(engine) as sent:
            session.delete(parent)
            session.flush()
        assert verbs(sent) == ["DELETE"]
        session.expire_all()
        assert session.get(Child, 1).parent_id is None


def test_deleting_loads_the_children_to_empty_their_keys(engine):
    Parent, Child = family(engine)
    with Session(engine) as session:
        session.add(Parent(id=1, children=[Child(id=1), Child(id=2)]))
        session.commit()
        session.expunge_all()
        with statements_of(engine) as sent:
            session.delete(session.get(Parent, 1))
            session.flush()
        assert [one.verb for one in sent if one.verb != "SELECT"] == ["UPDATE", "DELETE"]
        assert session.scalars(select(Child.parent_id)).all() == [None, None]


def test_merge_goes_down_only_when_told_to(engine):
    Parent, Child = family(engine, parent_options={"cascade": "save-update"}, child_options={"cascade": "save-update"})
    with Session(engine) as session:
        merged = session.merge(Parent(id=1, children=[Child(id=1)]))
        session.flush()
        assert count(session, Child) == 0 and merged.children == []


def test_expunge_goes_down_when_told_to(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all"})
    with Session(engine) as session:
        parent = Parent(children=[Child()])
        session.add(parent)
        session.flush()
        session.expunge(parent)
        assert parent.children[0] not in session


def test_refresh_and_expire_go_down_when_told_to(engine):
    Parent, Child = family(engine, parent_options={"cascade": "all"})
    with Session(engine) as session:
        session.add(Parent(id=1, children=[Child(id=1, name="old")]))
        session.commit()
        parent = session.get(Parent, 1)
        child = parent.children[0]
        assert child.name == "old"
        session.execute(text("UPDATE children SET name = 'new'"))
        session.expire(parent)
        assert child.name == "new"


def test_cascades_go_through_many_levels_and_around_circles(engine):
    Base = declarative_base()

    class Node(Base):
        __tablename__ = "nodes"
        id = Column(Integer, primary_key=True)
        next_id = Column(ForeignKey("nodes.id"))
        next = relationship("Node", remote_side=[id], cascade="all", post_update=True)

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        nodes = [Node() for _ in range(100)]
        for number, node in enumerate(nodes):
            node.next = nodes[(number + 1) % 100]
        session.add(nodes[0])
        assert all(node in session for node in nodes)
        session.commit()
        assert count(session, Node) == 100
        session.delete(nodes[50])
        session.commit()
        assert count(session, Node) == 0


def test_a_long_chain_is_added_and_deleted_whole(engine):
    Base = declarative_base()

    class Link(Base):
        __tablename__ = "links"
        id = Column(Integer, primary_key=True)
        up_id = Column(ForeignKey("links.id"))
        up = relationship("Link", remote_side=[id], backref="down")

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        links = [Link() for _ in range(400)]
        for above, below in zip(links, links[1:]):
            below.up = above
        session.add(links[-1])
        session.commit()
        assert [link.up_id for link in links[1:]] == [link.id for link in links[:-1]]
