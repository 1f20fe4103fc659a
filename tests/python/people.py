"""The people of the stories: users with their addresses, in the classic style."""

import databases
from cormorant import Column, ForeignKey, Integer, String
from cormorant.orm import Session, declarative_base, relationship

Base = declarative_base()


class User(Base):
    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    age = Column(Integer)
    addresses = relationship("Address", back_populates="user", order_by="Address.id")

    def __repr__(self):
        return f"User({self.name!r})"


class Address(Base):
    __tablename__ = "addresses"
    id = Column(Integer, primary_key=True)
    email = Column(String(200), nullable=False)
    user_id = Column(ForeignKey("users.id"))
    user = relationship("User", back_populates="addresses")

    def __repr__(self):
        return f"Address({self.email!r})"


def fill(engine):
    """Four people: ann and cid are 30, bob is 20, dot's age is unknown; ann has two addresses, bob has one."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(
            [
                User(id=1, name="ann", age=30, addresses=[Address(id=1, email="ann@a"), Address(id=2, email="ann@b")]),
                User(id=2, name="bob", age=20, addresses=[Address(id=3, email="bob@a")]),
                User(id=3, name="cid", age=30),
                User(id=4, name="dot"),
            ]
        )
        session.commit()
    databases.number_on(engine, "users", "addresses")
