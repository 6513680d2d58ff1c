import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from psc_portal.common.models import AuditEvent
from psc_portal.common.refusals import ActionRefused
from psc_portal.search import actions
from psc_portal.search.finding import search
from psc_portal.search.models import Synonym
from tests.factories.accounts import UserFactory
from tests.factories.projects import ProjectFactory
from tests.factories.search import SynonymFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def found(text):
    return {hit.url for hit in search(text, user=AnonymousUser()).hits}


def test_words_that_mean_the_same_find_each_other_both_ways():
    ulcers = ProjectFactory(title="Pressure ulcers at home").get_absolute_url()
    sores = ProjectFactory(title="No more bed sores").get_absolute_url()
    one_word = ProjectFactory(title="Bedsores").get_absolute_url()
    SynonymFactory()

    for text in ("bed sore", "bed sores", "bedsores", "pressure ulcer", "Pressure Ulcers"):
        assert found(text) == {ulcers, sores, one_word}, text


def test_synonyms_stand_beside_the_other_words_of_a_search():
    home = ProjectFactory(title="Pressure ulcers at home").get_absolute_url()
    ProjectFactory(title="Pressure ulcers in hospital")
    SynonymFactory()

    assert found("bed sores home") == {home}
    assert found("home bed sores -hospital") == {home}


def test_quotes_switch_synonyms_off():
    ProjectFactory(title="Pressure ulcers")
    SynonymFactory()

    for text in ('"bed sore"', '"bedsore"'):
        assert found(text) == set()


def test_parts_of_a_term_are_not_the_term():
    ProjectFactory(title="Pressure ulcers")
    SynonymFactory()

    assert search("beds", user=AnonymousUser()).asked.others == []
    assert search("sore bed", user=AnonymousUser()).asked.others == []


def test_an_edit_works_at_the_next_search(staff):
    project = ProjectFactory(title="Pressure ulcers").get_absolute_url()
    synonym = actions.add_synonym(terms=["bed sore", "pressure ulcer"], by=staff)
    assert found("bed sore") == {project}

    actions.edit_synonym(synonym=synonym, terms=["decubitus", "pressure ulcer"], by=staff)

    assert found("decubitus") == {project}
    assert search("bed sore", user=AnonymousUser()).asked.others == []
    actions.delete_synonym(synonym=synonym, by=staff)
    assert search("decubitus", user=AnonymousUser()).asked.others == []
    assert list(AuditEvent.objects.values_list("verb", flat=True)) == [
        "delete_synonym", "edit_synonym", "add_synonym"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "why"),
    [
        (["falls"], "2 to 12"),
        ([], "2 to 12"),
        (["falls", " FALLS "], "2 to 12"),
        ([f"term{number}" for number in range(13)], "2 to 12"),
        (["falls", "one two three four five"], "too long"),
        (["falls", "x" * 61], "too long"),
        (["falls", "the of"], "leaves out"),
        (["falls", "bed sores"], "another row"),
        (["falls", "943 476 5919"], "NHS number"),
    ],
)
def test_terms_that_cannot_work_are_refused_in_a_sentence(staff, terms, why):
    SynonymFactory()

    with pytest.raises(ActionRefused, match=why):
        actions.add_synonym(terms=terms, by=staff)

    assert Synonym.objects.count() == 1


def test_only_staff_edit_synonyms():
    with pytest.raises(PermissionDenied):
        actions.add_synonym(terms=["falls", "tumbles"], by=UserFactory())


def test_staff_add_edit_and_delete_in_the_admin(staff, client_as):
    client = client_as(staff)

    client.post("/admin/search/synonym/add/", {"terms": "bed sore\r\n\r\npressure ulcer"})
    synonym = Synonym.objects.get()
    assert synonym.terms == ["bed sore", "pressure ulcer"]
    refused = client.post(f"/admin/search/synonym/{synonym.pk}/edit/", {"terms": "bed sore"})
    assert "bed sore</textarea>" in refused.content.decode()  # what was typed stays
    assert client.get("/admin/search/synonym/?q=ulcer").status_code == 200
    client.post(f"/admin/search/synonym/{synonym.pk}/remove/")

    assert not Synonym.objects.exists()


def test_others_do_not_see_the_table(client_as):
    assert client_as(UserFactory()).get("/admin/search/synonym/").status_code in (302, 404)
    assert client_as(UserFactory(reviewer=True)).get("/admin/search/synonym/").status_code == 404
