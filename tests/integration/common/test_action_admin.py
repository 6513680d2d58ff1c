import pytest
from django.contrib import admin
from django.urls import reverse

from psc_portal.accounts.models import Role
from psc_portal.common import outbox
from psc_portal.common.admin import ReadOnlyAdmin
from psc_portal.common.models import AuditEvent
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db
OURS = [(model, site) for model, site in admin.site._registry.items() if isinstance(site, ReadOnlyAdmin)]


def url_of(user, name="change"):
    return reverse(f"admin:accounts_user_{name}", args=[user.pk])


@pytest.fixture
def staff(client_as):
    return client_as(UserFactory(staff=True))


def test_a_row_shows_what_can_be_done_with_it(staff):
    page = staff.get(url_of(UserFactory()))

    assert ("Give a role", url_of(UserFactory._meta.model.objects.last(), "grant_role")) in page.context["verb_links"]
    assert b'name="_save"' not in page.content


def test_a_verb_acts_and_leads_back_to_the_row(staff):
    person = UserFactory()

    answer = staff.post(url_of(person, "grant_role"), {"role": Role.REVIEWER})

    assert (answer.status_code, answer.url) == (302, url_of(person))
    assert type(person).objects.get(pk=person.pk).is_reviewer
    assert AuditEvent.objects.filter(verb="grant_role", subject_id=str(person.pk)).count() == 1


def test_looking_at_a_verb_changes_nothing(staff):
    person = UserFactory()

    assert staff.get(url_of(person, "grant_role")).status_code == 200
    assert not type(person).objects.get(pk=person.pk).is_reviewer


def test_a_verb_that_is_refused_says_why_and_keeps_what_was_chosen(staff, client_as):
    last = UserFactory._meta.model.objects.with_role(Role.PROGRAMME_STAFF).get()

    page = staff.post(url_of(last, "revoke_role"), {"role": Role.PROGRAMME_STAFF})

    assert page.status_code == 200
    assert "last member of programme staff" in page.content.decode()
    assert last.is_programme_staff


def test_rows_cannot_be_changed_past_their_verbs(staff):
    person = UserFactory(full_name="Before")

    answer = staff.post(url_of(person), {"full_name": "After", "email": person.email})

    assert answer.status_code in {403, 404}
    person.refresh_from_db()
    assert person.full_name == "Before"


@pytest.mark.parametrize("name", ["change", "history", "delete", "grant_role"])
def test_what_is_not_there_is_a_404(staff, name):
    assert staff.get(reverse(f"admin:accounts_user_{name}", args=[987654])).status_code == 404


def test_nothing_is_deleted_in_the_admin(staff):
    person = UserFactory()

    assert staff.post(url_of(person, "delete"), {"post": "yes"}).status_code == 404
    assert type(person).objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize(("model", "site"), OURS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_list_and_form_of_the_admin_opens_for_staff(staff, model, site):
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"

    assert staff.get(reverse(f"{base}_changelist")).status_code == 200
    assert staff.get(reverse(f"{base}_add")).status_code == (200 if getattr(site, "add", None) else 404)


@pytest.mark.parametrize(("model", "site"), OURS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_admin_is_closed_to_people_without_a_part_in_it(client, client_as, model, site):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

    assert client.get(url).status_code == 302
    assert client_as(UserFactory()).get(url).status_code in {302, 403, 404}
    assert client_as(UserFactory(lead=True)).get(url).status_code in {302, 403, 404}


def test_a_list_is_filtered_by_what_it_offers_and_by_no_other_column(staff):
    """Or one would read letter by letter, by counting the rows, what no page shows."""
    message = outbox.store_mail(to=["ada@example.org"], subject="Choose", body="https://p.example/key-123/")
    mails, events = "/admin/common/outboxmessage/", "/admin/common/auditevent/"

    told = [f"{mails}?body__contains=key-1", f"{mails}?to__contains=ada", f"{events}?after__roles__isnull=0"]
    offered = [f"{mails}?kind__exact=mail", f"{events}?verb__exact=grant_role", f"{events}?at__year=2026"]

    assert message.body
    assert [staff.get(address).status_code for address in told] == [400] * len(told)
    assert [staff.get(address).status_code for address in offered] == [200] * len(offered)
