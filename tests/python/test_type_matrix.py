"""The matrix of types in the documentation is what the databases give."""

import json

import databases
import matrix
import pytest
from support import ours_only


def recorded():
    return json.loads(matrix.RECORDS.read_text())


@ours_only
def test_each_type_gives_what_its_record_says(engine):
    assert matrix.rows_now(engine, databases.KIND) == recorded()[databases.KIND]["ours"]


def test_the_page_is_that_of_the_records():
    assert matrix.PAGE.read_text() == matrix.page(recorded())


@pytest.mark.parametrize("kind", matrix.TITLES)
def test_each_type_is_compared_with_the_driver_that_programs_know(kind):
    ours, peers = recorded()[kind]["ours"], recorded()[kind]["peer"]
    assert {row[0] for row in ours} == {row[0] for row in peers} and len(ours) == len(peers)
