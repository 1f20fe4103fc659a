"""Many-to-many, self-referential relationships, and two paths between the same tables."""

import databases
import pytest
from cormorant import Column, ForeignKey, Integer, String, Table, exc, func, select, text
from cormorant.orm import Session, aliased, backref, declarative_base, relationship, selectinload
from support import flat, statements_of, verbs

Base = declarative_base()

tagged = Table(
    "tagged",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Post(Base):
    __tablename__ = "posts"
    id = Column(Integer, primary_key=True)
    title = Column(String(50))
    tags = relationship("Tag", secondary=tagged, back_populates="posts", order_by="Tag.name")


class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True)
    posts = relationship("Post", secondary="tagged", back_populates="tags", order_by=Post.id)


class Node(Base):
    __tablename__ = "nodes"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    parent_id = Column(Integer, ForeignKey("nodes.id"))
    children = relationship("Node", backref=backref("parent", remote_side=[id]), order_by="Node.id", cascade="all")


class Place(Base):
    __tablename__ = "places"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))


class Journey(Base):
    __tablename__ = "journeys"
    id = Column(Integer, primary_key=True)
    start_id = Column(ForeignKey("places.id"))
    end_id = Column(ForeignKey("places.id"))
    start = relationship("Place", foreign_keys=[start_id], backref="departures")
    end = relationship("Place", foreign_keys="Journey.end_id", backref="arrivals")


follows = Table(
    "follows",
    Base.metadata,
    Column("who", ForeignKey("members.id"), primary_key=True),
    Column("whom", ForeignKey("members.id"), primary_key=True),
)


class Member(Base):
    __tablename__ = "members"
    id = Column(Integer, primary_key=True)
    following = relationship(
        "Member",
        secondary=follows,
        primaryjoin=id == follows.c.who,
        secondaryjoin=id == follows.c.whom,
        backref="followers",
    )


@pytest.fixture
def session(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session


def pairs(session, table=tagged):
    return sorted(tuple(row) for row in session.execute(select(table)))


def test_both_sides_of_many_to_many_are_kept_in_step():
    post, red, blue = Post(), Tag(name="red"), Tag(name="blue")
    post.tags.append(red)
    assert red.posts == [post]
    blue.posts.append(post)
    assert post.tags == [red, blue]
    post.tags.remove(red)
    assert red.posts == []
    blue.posts = []
    assert post.tags == []


def test_links_are_rows_of_the_secondary_table(session):
    red, blue = Tag(id=1, name="red"), Tag(id=2, name="blue")
    one, two = Post(id=1, tags=[red, blue]), Post(id=2, tags=[blue])
    session.add_all([one, two])
    session.commit()
    assert pairs(session) == [(1, 1), (1, 2), (2, 2)]
    assert [tag.name for tag in one.tags] == ["blue", "red"] and blue.posts == [one, two]
    one.tags.remove(blue)
    two.tags = [red]
    session.commit()
    assert pairs(session) == [(1, 1), (2, 1)]
    assert red.posts == [one, two] and blue.posts == []


def test_one_link_made_from_both_sides_is_one_row(session):
    post, tag = Post(id=1), Tag(id=1, name="x")
    session.add_all([post, tag])
    session.flush()
    post.tags.append(tag)
    assert post in tag.posts
    session.flush()
    assert pairs(session) == [(1, 1)]
    post.tags.remove(tag)
    session.flush()
    assert pairs(session) == []


def test_deleting_an_object_deletes_its_links(session):
    red = Tag(id=1, name="red")
    session.add_all([Post(id=1, tags=[red]), Post(id=2, tags=[red])])
    session.commit()
    session.delete(session.get(Post, 1))
    session.commit()
    assert pairs(session) == [(2, 1)]
    session.delete(red)
    session.commit()
    assert pairs(session) == [] and session.get(Post, 2).tags == []


def test_links_are_written_in_batches(session, engine):
    session.add(Post(tags=[Tag(name=str(number)) for number in range(50)]))
    with statements_of(engine) as sent:
        session.flush()
    links = [one for one in sent if one.table == "tagged"]
    assert len(links) == 1 and links[0].many


def test_a_link_that_vanished_is_noticed(session):
    from cormorant.orm.exc import StaleDataError

    post = Post(id=1, tags=[Tag(id=1, name="x")])
    session.add(post)
    session.commit()
    assert len(post.tags) == 1
    session.execute(text("DELETE FROM tagged"))
    post.tags.clear()
    with pytest.raises(StaleDataError, match="DELETE statement on table 'tagged' expected to delete 1 row"):
        session.flush()


def test_many_to_many_is_joined_loaded_and_asked(session):
    red, blue = Tag(name="red"), Tag(name="blue")
    session.add_all([Post(id=1, title="a", tags=[red]), Post(id=2, title="b", tags=[red, blue]), Post(id=3, title="c")])
    session.commit()
    by_tag = select(Post.title).join(Post.tags).where(Tag.name == "red").order_by(Post.id)
    assert session.scalars(by_tag).all() == ["a", "b"]
    counts = select(Tag.name, func.count(Post.id)).join(Tag.posts).group_by(Tag.name).order_by(Tag.name)
    assert session.execute(counts).all() == [("blue", 1), ("red", 2)]
    assert session.scalars(select(Post.id).where(Post.tags.any(Tag.name == "blue"))).all() == [2]
    assert session.scalars(select(Post.id).where(~Post.tags.any())).all() == [3]
    assert session.scalars(select(Post.id).where(Post.tags.contains(red)).order_by(Post.id)).all() == [1, 2]
    session.expire_all()
    posts = session.scalars(select(Post).options(selectinload(Post.tags)).order_by(Post.id)).all()
    assert [[tag.name for tag in post.tags] for post in posts] == [["red"], ["blue", "red"], []]


def test_a_join_leaves_the_name_of_the_secondary_table_free(session):
    statement = select(Post.id, tagged.c.tag_id).join(Post.tags).join(tagged, tagged.c.post_id == Post.id)
    assert "JOIN tagged AS tagged_1 ON" in flat(statement) and "JOIN tagged ON" in flat(statement)
    session.add(Post(id=1, tags=[Tag(id=1, name="a"), Tag(id=2, name="b")]))
    session.flush()
    assert sorted(session.execute(statement.where(Tag.name == "a")).all()) == [(1, 1), (1, 2)]


def test_members_follow_members(session):
    a, b, c = Member(id=1), Member(id=2), Member(id=3)
    a.following = [b, c]
    c.following = [a, c]
    session.add_all([a, b, c])
    session.commit()
    assert pairs(session, follows) == [(1, 2), (1, 3), (3, 1), (3, 3)]
    assert set(c.followers) == {a, c} and b.followers == [a] and set(a.following) == {b, c}


def test_a_tree_is_built_from_either_end(session):
    root = Node(name="root", children=[Node(name="left"), Node(name="right")])
    leaf = Node(name="leaf", parent=root.children[0])
    session.add(leaf)
    session.commit()
    assert root.parent is None and root.children[0].children == [leaf] and leaf.parent.parent is root
    assert leaf.parent_id == root.children[0].id
    assert [child.name for child in root.children] == ["left", "right"]


def test_a_tree_is_inserted_root_first_and_deleted_leaf_first(session, engine):
    if databases.KIND == "sqlite":
        session.execute(text("PRAGMA foreign_keys = ON"))
    nodes = [Node(name=str(number)) for number in range(10)]
    for above, below in zip(nodes, nodes[1:]):
        below.parent = above
    session.add_all(reversed(nodes))
    session.commit()
    assert [node.parent_id for node in nodes[1:]] == [node.id for node in nodes[:-1]]
    session.delete(nodes[0])
    session.commit()
    assert session.scalar(select(func.count()).select_from(Node)) == 0


def test_a_node_may_be_its_own_parent_through_an_update(session):
    node = Node(id=1, name="self")
    session.add(node)
    session.flush()
    node.parent_id = 1
    session.commit()
    assert node.parent is node and node.children == [node]


def test_a_tree_is_joined_to_itself(session):
    session.add(Node(name="root", children=[Node(name="left", children=[Node(name="leaf")]), Node(name="right")]))
    session.commit()
    above = aliased(Node)
    named = select(Node.name).join(Node.parent.of_type(above)).where(above.name == "root").order_by(Node.name)
    assert session.scalars(named).all() == ["left", "right"]
    assert session.scalars(select(Node.name).where(Node.parent.has(name="left"))).all() == ["leaf"]
    assert session.scalars(select(Node.name).where(Node.children.any(name="leaf"))).all() == ["left"]
    assert session.scalars(select(Node.name).where(Node.parent == None)).all() == ["root"]  # noqa: E711


def test_a_tree_is_loaded_level_by_level(session, engine):
    session.add(Node(name="root", children=[Node(name="a", children=[Node(name="b", children=[Node(name="c")])])]))
    session.commit()
    session.expunge_all()
    with statements_of(engine) as sent:
        levels = selectinload(Node.children).selectinload(Node.children).selectinload(Node.children)
        root = session.scalars(select(Node).options(levels).where(Node.parent_id.is_(None))).one()
        assert root.children[0].children[0].children[0].name == "c"
    assert verbs(sent) == ["SELECT"] * 4


def test_two_paths_are_kept_apart(session):
    rome, oslo = Place(name="rome"), Place(name="oslo")
    there, back = Journey(start=rome, end=oslo), Journey(start=oslo, end=rome)
    assert rome.departures == [there] and rome.arrivals == [back]
    session.add_all([there, back])
    session.commit()
    assert (there.start_id, there.end_id) == (rome.id, oslo.id)
    assert oslo.departures == [back] and oslo.arrivals == [there]
    to_rome = select(Journey).join(Journey.end).where(Place.name == "rome")
    assert session.scalars(to_rome).all() == [back]
    start, end = aliased(Place), aliased(Place)
    both = (
        select(start.name, end.name)
        .select_from(Journey)
        .join(Journey.start.of_type(start))
        .join(Journey.end.of_type(end))
    )
    assert sorted(session.execute(both).all()) == [("oslo", "rome"), ("rome", "oslo")]


def test_two_paths_without_foreign_keys_are_an_error_that_says_what_to_do():
    Other = declarative_base()

    class A(Other):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)

    class B(Other):
        __tablename__ = "b"
        id = Column(Integer, primary_key=True)
        x = Column(ForeignKey("a.id"))
        y = Column(ForeignKey("a.id"))
        a = relationship("A")

    with pytest.raises(
        exc.AmbiguousForeignKeysError, match="multiple foreign key paths linking the tables.*foreign_keys"
    ):
        Other.registry.configure()
    Other.registry.dispose()


def test_an_association_object_carries_more_than_the_link(engine):
    Other = declarative_base()

    class Order(Other):
        __tablename__ = "orders"
        id = Column(Integer, primary_key=True)
        lines = relationship("Line", back_populates="order", cascade="all, delete-orphan")

    class Line(Other):
        __tablename__ = "lines"
        order_id = Column(ForeignKey("orders.id"), primary_key=True)
        item_id = Column(ForeignKey("items.id"), primary_key=True)
        many = Column(Integer)
        order = relationship("Order", back_populates="lines")
        item = relationship("Item")

    class Item(Other):
        __tablename__ = "items"
        id = Column(Integer, primary_key=True)

    Other.metadata.create_all(engine)
    with Session(engine) as session:
        order = Order(lines=[Line(item=Item(), many=2), Line(item=Item(), many=3)])
        session.add(order)
        session.commit()
        assert sorted(line.many for line in order.lines) == [2, 3]
        assert all(line.order_id == order.id and line.item_id == line.item.id for line in order.lines)
        del order.lines[0]
        session.commit()
        assert session.scalar(select(func.count()).select_from(Line)) == 1
