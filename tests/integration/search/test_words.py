import pytest
from django.core.cache import cache

from projects.models import Project
from psc_portal.common.public_pages import forget
from psc_portal.search import words
from psc_portal.search.models import SearchWord
from tests.factories.projects import ProjectFactory

pytestmark = pytest.mark.django_db


def test_words_of_public_things_alone_are_learnt_and_forgotten_again():
    project = ProjectFactory(title="Zebra crossing")
    ProjectFactory(title="Okapi", is_public=False)
    words.learn_words()
    known = SearchWord.objects.filter(word__in=["zebra", "okapi"])
    assert [one.word for one in known] == ["zebra"]

    Project.objects.filter(pk=project.pk).update(is_public=False)
    words.learn_words()

    assert not SearchWord.objects.filter(word="zebra").exists()


def test_nothing_is_read_again_until_something_public_changes():
    cache.delete("words-learnt")
    forget()

    assert words.learn_words_if_changed()
    assert not words.learn_words_if_changed()
    forget()
    assert words.learn_words_if_changed()


def test_a_word_that_stands_somewhere_or_is_like_none_stays():
    ProjectFactory(title="Sepsis")
    words.learn_words()

    assert words.better_words(["sepsis", "qqqqqq", "abc", "sepsys"]) == [{"sepsys": "sepsis"}]
