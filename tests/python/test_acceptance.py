"""The founding story, told as a user tells it: a program of its own, through both imports."""

import pytest
from support import ACCEPTANCE, PEER, flat, ours_only, output_of, run_python

STORY = (ACCEPTANCE / "seed_story.py").read_text()

pytestmark = pytest.mark.database("sqlite")  # their URLs are written here


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    return "sqlite:///:memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'story.db'}"


def test_the_story_holds_unchanged(url):
    if PEER:
        # The peer's own name is the real one here, so nothing has to be installed under it.
        story = STORY.replace("cormorant.install_as_sqlalchemy()", "pass")
    else:
        story = STORY
    assert flat(output_of(story, url)) == "the founding story holds on sqlite"


def test_the_story_holds_when_imported_directly(url):
    story = STORY.replace("cormorant.install_as_sqlalchemy()", "pass").replace("from sqlalchemy", "from cormorant")
    assert "sqlalchemy " not in story
    assert flat(output_of(story, url)) == "the founding story holds on sqlite"


def test_the_story_leaves_an_empty_file_that_it_can_use_again(tmp_path):
    url = f"sqlite:///{tmp_path / 'story.db'}"
    story = STORY.replace("cormorant.install_as_sqlalchemy()", "pass").replace("from sqlalchemy", "from cormorant")
    output_of(story, url)
    assert flat(output_of(story, url)) == "the founding story holds on sqlite"


def test_a_wrong_claim_in_the_story_would_be_noticed(url):
    broken = STORY.replace("cormorant.install_as_sqlalchemy()", "pass").replace("from sqlalchemy", "from cormorant")
    broken = broken.replace("users[0].age == 30", "users[0].age == 29")
    assert "AssertionError" in run_python(broken, url).stderr


@ours_only
def test_the_story_says_sqlalchemy_but_means_cormorant(tmp_path):
    ending = (
        "\nimport sqlalchemy.orm\nprint(Session.__module__, sqlalchemy is cormorant, sqlalchemy.orm is cormorant.orm)"
    )
    last = output_of(STORY + ending).splitlines()[-1].split()
    assert last[0].startswith("cormorant") and last[1:] == ["True", "True"]
