"""Thousands of random programs agree with the model; the model would notice if they did not."""

import os
import time

from .generate import Program, generate
from .mapped import Mapping
from .runner import report, run
from .world import World

SECONDS = float(os.environ.get("MODEL_SECONDS", "20"))
PROGRAMS = int(os.environ.get("MODEL_PROGRAMS", "4000"))
FIRST = int(os.environ.get("MODEL_SEED", "0"))


def test_random_programs_leave_the_objects_and_rows_that_the_model_says(capsys, database_url):
    mapping = Mapping("cormorant", database_url)
    end = time.monotonic() + SECONDS
    done = 0
    for seed in range(FIRST, FIRST + PROGRAMS):
        program = generate(seed)
        wrong, _ = run(mapping, program)
        assert wrong is None, report(mapping, program)
        done += 1
        if time.monotonic() > end:
            break
    with capsys.disabled():
        print(f"\nprograms: {done} generated")
    assert done > 0


def test_a_seed_always_makes_the_same_program():
    assert generate(7) == generate(7)
    assert generate(7) != generate(8)


def test_a_difference_between_session_and_model_is_noticed(monkeypatch, database_url):
    def forget_the_change(self, label, column, value):
        pass

    monkeypatch.setattr(World, "do_set", forget_the_change)
    operations = (("add", "owner1", "a", 1, "append", None), ("add", "tag2", "b", 2, "append", None), ("flush",))
    program = Program(0, False, True, (*operations, ("set", "owner1", "number", 9)))
    mapping = Mapping("cormorant", database_url)
    wrong, _ = run(mapping, program)
    assert wrong is not None and "owner1.number" in wrong
    small = report(mapping, program)
    assert "add" in small and "tag2" not in small
