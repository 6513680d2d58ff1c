"""A person leaves, or is erased; organisations merge, are renamed, and split: nothing is orphaned or rewritten."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.urls import reverse

from measurement.models import MetricOwner, Series
from pledges.models import SignUp
from projects import actions
from projects.models import Adoption, Affiliation, Organisation, ProjectLead
from psc_portal.accounts import actions as accounts
from psc_portal.accounts.models import User
from psc_portal.common import clock, outbox
from psc_portal.common.hand_over import duties_of
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory
from tests.factories.pledges import SignUpFactory
from tests.factories.projects import AffiliationFactory, OrganisationFactory, ProjectFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return UserFactory(staff=True)


@pytest.fixture
def leaver():
    """Somebody who signs, leads a project and owns a metric, with a colleague."""
    sign_up = SignUpFactory(published=True)
    affiliation = Affiliation.objects.get()
    project = ProjectFactory(lead_organisation=sign_up.organisation)
    ProjectLead.objects.create(project=project, user=sign_up.signatory)
    metric = MetricFactory()
    MetricOwner.objects.create(metric=metric, user=sign_up.signatory)
    colleague = AffiliationFactory(organisation=sign_up.organisation, user__full_name="Cora League").user
    return affiliation, {"sign_up": sign_up, "project": project, "metric": metric, "colleague": colleague}


def merge(organisation, successor, staff, **more):
    values = {"on": clock.today(), "reason": "By order of 1 April."} | more
    return actions.merge_organisations(organisation=organisation, successor=successor, by=staff, **values)


# A person leaves -----------------------------------------------------------------------------------------------------
def test_whoever_leaves_sees_what_they_look_after_and_names_who_takes_it_over(client_as, leaver):
    affiliation, has = leaver
    client, url = client_as(affiliation.user), reverse("projects:affiliation_end", args=[affiliation.pk])
    keys = [duty.key for duty in duties_of(affiliation.user)]

    page = client.get(url).content.decode()
    refused = client.post(url, {}).content.decode()
    client.post(url, dict.fromkeys(keys, has["colleague"].pk))

    affiliation.refresh_from_db()
    assert all(title in page for title in (has["project"].title, has["metric"].name, has["sign_up"].organisation_name))
    assert "Nobody: staff will be asked" in page
    assert "Choose project: " in refused
    assert affiliation.status == "ended"
    assert ProjectLead.objects.current().get().user == has["colleague"]
    assert MetricOwner.objects.current().get().user == has["colleague"]
    assert SignUp.objects.get().signatory == has["colleague"]
    assert len(duties_of(affiliation.user)) == 0
    assert (
        OutboxMessage.objects.filter(to=[has["colleague"].email], subject__contains="handed over to you").count() == 1
    )


def test_what_nobody_takes_over_is_told_to_staff(settings, leaver):
    affiliation, has = leaver

    actions.end_affiliation(affiliation=affiliation, by=affiliation.user)

    mail = OutboxMessage.objects.get(to=[settings.COLLABORATIVE["email"]])
    assert has["project"].title in mail.body
    assert has["metric"].name in mail.body
    assert not ProjectLead.objects.current().exists()
    assert not MetricOwner.objects.current().exists()


def test_a_stranger_cannot_be_named_as_successor_and_nothing_changes(leaver):
    affiliation, has = leaver
    stranger = AffiliationFactory().user

    with pytest.raises(ActionRefused, match="does not belong"):
        actions.end_affiliation(
            affiliation=affiliation, successors={f"project-{has['project'].pk}": stranger}, by=affiliation.user
        )

    affiliation.refresh_from_db()
    assert (affiliation.status, ProjectLead.objects.current().get().user) == ("confirmed", affiliation.user)


def test_a_refused_hand_over_of_one_duty_takes_all_back(leaver, staff):
    affiliation, _ = leaver
    keys = {duty.key: staff for duty in duties_of(affiliation.user)}  # staff do not belong to the organisation

    with pytest.raises(ActionRefused, match="does not belong to"):
        actions.end_affiliation(affiliation=affiliation, successors=keys, by=staff)

    affiliation.refresh_from_db()
    assert (affiliation.status, ProjectLead.objects.current().get().user) == ("confirmed", affiliation.user)


def test_a_deputy_takes_the_place_of_an_owner_whom_nobody_follows(leaver):
    affiliation, has = leaver
    MetricOwner.objects.update(deputy=has["colleague"])

    actions.end_affiliation(affiliation=affiliation, by=affiliation.user)

    held = MetricOwner.objects.current().get()
    assert (held.user, held.deputy) == (has["colleague"], None)


def test_who_still_belongs_elsewhere_keeps_what_is_not_of_this_organisation(leaver):
    affiliation, _ = leaver
    other = AffiliationFactory(user=affiliation.user)
    elsewhere = ProjectFactory(lead_organisation=other.organisation)
    ProjectLead.objects.create(project=elsewhere, user=affiliation.user)

    actions.end_affiliation(affiliation=affiliation, by=affiliation.user)

    assert ProjectLead.objects.current().get().project == elsewhere
    assert MetricOwner.objects.current().get().user == affiliation.user


def test_closing_an_account_hands_over_and_the_admin_asks_to_whom(client_as, leaver, staff):
    affiliation, has = leaver
    url = reverse("admin:accounts_user_deactivate", args=[affiliation.user_id])
    client = client_as(staff)
    keys = [duty.key for duty in duties_of(affiliation.user)]

    page = client.get(url).content.decode()
    client.post(url, dict.fromkeys(keys, has["colleague"].pk))

    affiliation.user.refresh_from_db()
    assert has["project"].title in page
    assert not affiliation.user.is_active
    assert ProjectLead.objects.current().get().user == has["colleague"]


# Export and erase ----------------------------------------------------------------------------------------------------
def test_a_person_s_data_are_exported_for_staff_only_and_that_is_logged(client_as, leaver, staff):
    affiliation, has = leaver
    url = reverse("admin:accounts_user_export", args=[affiliation.user_id])

    data = client_as(staff).get(url).json()

    assert data["account"][0]["email"] == affiliation.user.email
    assert data["projects led"][0]["project__title"] == has["project"].title
    assert data["pledges signed"][0]["signatory_name"] == "Ada Bright"
    assert data["affiliations"][0]["role"] == affiliation.role
    assert data["metrics owned"][0]["metric__code"] == has["metric"].code
    assert AuditEvent.objects.filter(verb="export").exists()
    with pytest.raises(PermissionDenied):
        accounts.export_person(user=affiliation.user, by=has["colleague"])
    assert client_as(has["colleague"]).get(url).status_code in (302, 403, 404)


def test_an_erased_person_is_on_no_page_and_in_no_row_while_what_they_did_stays(client, leaver, staff):
    affiliation, _ = leaver
    person = affiliation.user
    name, address = person.full_name, person.email
    SignUp.objects.update(signatory_name=name)
    outbox.store_mail(to=[address], subject=f"Hello {name}", body="x")

    accounts.erase_person(user=person, by=staff, successors={})

    person.refresh_from_db()
    affiliation.refresh_from_db()
    sign_up = SignUp.objects.get()
    assert (person.full_name, person.is_active, person.has_usable_password()) == ("Erased person", False, False)
    assert not User.objects.filter(email=address).exists()
    assert (affiliation.status, affiliation.role) == ("ended", "Erased")
    assert sign_up.signatory_name == "Name removed"
    assert name not in client.get(sign_up.get_absolute_url()).content.decode()
    assert not OutboxMessage.objects.filter(subject__contains=name).exists()
    assert not OutboxMessage.objects.filter(to__contains=[address]).exists()


def test_the_certificate_with_an_erased_name_is_deleted_once_that_is_stored(
    leaver, staff, django_capture_on_commit_callbacks
):
    affiliation, has = leaver
    sign_up = has["sign_up"]
    sign_up.signatory_name = affiliation.user.full_name
    sign_up.certificate.save("certificate.pdf", ContentFile(b"%PDF-1.7"))
    storage, name = sign_up.certificate.storage, sign_up.certificate.name

    with django_capture_on_commit_callbacks() as callbacks:
        accounts.erase_person(user=affiliation.user, by=staff)
    assert storage.exists(name)
    for callback in callbacks:
        callback()

    assert not storage.exists(name)
    assert not SignUp.objects.get().certificate


def test_nobody_erases_themselves_or_the_last_of_staff(staff):
    for by in (staff, UserFactory()):
        with pytest.raises(PermissionDenied):
            accounts.erase_person(user=staff, by=by)


# Organisations merge -------------------------------------------------------------------------------------------------
def test_a_merger_moves_what_is_open_and_leaves_history_with_the_name_of_its_time(staff):
    old, new = OrganisationFactory(name="Old Trust"), OrganisationFactory(name="New Trust")
    member = AffiliationFactory(organisation=old, signing="confirmed")
    claim = AffiliationFactory(organisation=old, status="claimed")
    both = AffiliationFactory(organisation=old)
    AffiliationFactory(organisation=new, user=both.user)
    running, over = ProjectFactory(lead_organisation=old), ProjectFactory(lead_organisation=old, status="closed")
    joined = ProjectFactory()
    joined.partners.set([old, new])
    Adoption.objects.create(organisation=old, project=joined, stage="in_use", since=dt.date(2025, 1, 1))
    series = Series.objects.create(metric=MetricFactory(), organisation=old)
    published = SignUpFactory(organisation=old, signatory=member.user, member=False, published=True)

    merge(old, new, staff)

    for row in (old, running, over, series, published):
        row.refresh_from_db()
    live = {(one.user, one.status, one.signing) for one in new.affiliations.filter(status__in=["claimed", "confirmed"])}
    assert live == {
        (member.user, "confirmed", "confirmed"), (claim.user, "claimed", "no"), (both.user, "confirmed", "no")
    }  # fmt: skip
    assert not old.affiliations.exclude(status="ended").exists()
    assert (running.lead_organisation, over.lead_organisation) == (new, old)
    assert list(joined.partners.all()) == [new]
    assert list(Adoption.objects.values_list("organisation__name", "stage")) == [
        ("Old Trust", "in_use"), ("New Trust", "in_use")
    ]  # fmt: skip
    assert series.ended_on == clock.today()
    assert Series.objects.filter(metric=series.metric, organisation=new).exists()
    assert (published.status, published.organisation, published.organisation_name) == ("ended", old, old.name)
    assert (old.successor, old.closed_on) == (new, clock.today())


@pytest.mark.parametrize(("has_own", "outcome"), [(False, ("draft", "New Trust")), (True, ("withdrawn", "Old Trust"))])
def test_a_draft_goes_on_with_the_successor_unless_it_has_its_own(staff, has_own, outcome):
    old, new = OrganisationFactory(name="Old Trust"), OrganisationFactory(name="New Trust")
    draft = SignUpFactory(organisation=old)
    if has_own:
        SignUpFactory(organisation=new)

    merge(old, new, staff)

    draft.refresh_from_db()
    assert (draft.status, draft.organisation_name) == outcome


def test_two_mergers_in_a_row_lead_to_the_newest_and_back_to_the_first(client, staff):
    first, second, third = (OrganisationFactory(name=f"{name} Trust") for name in ("First", "Second", "Third"))
    signed = SignUpFactory(organisation=first, published=True)
    merge(first, second, staff, on=clock.today() - dt.timedelta(days=400))
    later = SignUpFactory(organisation=second, published=True)

    merge(second, third, staff)

    page = client.get(signed.get_absolute_url()).content.decode()
    middle = client.get(later.get_absolute_url()).content.decode()
    assert f"?organisation={second.slug}" in page
    assert f"?organisation={third.slug}" in page
    assert f"?organisation={first.slug}" in middle
    assert "By order of 1 April." in page
    assert set(third.affiliations.filter(status="confirmed").values_list("user", flat=True)) == {
        signed.signatory_id, later.signatory_id
    }  # fmt: skip


def test_a_split_names_all_that_follow_and_one_takes_over_what_is_open(client, staff):
    old = OrganisationFactory()
    heir, other = OrganisationFactory(name="Heir Trust"), OrganisationFactory(name="Other Trust")
    signed = SignUpFactory(organisation=old, published=True)

    merge(old, heir, staff, also=[other])

    page = client.get(signed.get_absolute_url()).content.decode()
    assert "Also followed by" in page
    assert other.name in page
    assert Affiliation.objects.filter(organisation=heir, status="confirmed").count() == 1
    assert not Affiliation.objects.filter(organisation=other).exists()


def test_circles_closed_successors_and_second_mergers_are_refused(staff):
    a, b, c = (OrganisationFactory(name=name) for name in "ABC")
    merge(a, b, staff)

    for organisation, successor, sentence in [
        (b, b, "cannot follow itself"),
        (b, a, "was itself followed by"),
        (a, c, "has a successor already"),
        (c, a, "has closed"),
    ]:
        with pytest.raises(ActionRefused, match=sentence):
            merge(organisation, successor, staff)
    with pytest.raises(ActionRefused, match="a day that has come"):
        merge(b, c, staff, on=clock.today() + dt.timedelta(days=1))
    assert Organisation.objects.filter(successor__isnull=False).count() == 1


def test_only_staff_merge():
    a, b = OrganisationFactory(), OrganisationFactory()

    with pytest.raises(PermissionDenied):
        merge(a, b, AffiliationFactory(organisation=a, signing="confirmed").user)


def test_a_merger_that_fails_half_way_changes_nothing(staff, monkeypatch):
    old, new = OrganisationFactory(), OrganisationFactory()
    AffiliationFactory(organisation=old)
    SignUpFactory(organisation=old, published=True)
    monkeypatch.setattr("pledges.succeeding.close", lambda *values: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        merge(old, new, staff)

    old.refresh_from_db()
    assert (old.successor, old.affiliations.filter(status="confirmed").count()) == (None, 2)


def test_staff_see_the_whole_list_before_anything_changes(client_as, staff):
    old, new = OrganisationFactory(), OrganisationFactory()
    affiliation = AffiliationFactory(organisation=old)
    project = ProjectFactory(lead_organisation=old)
    client, url = client_as(staff), reverse("admin:projects_organisation_merge", args=[old.pk])
    today = clock.today()
    data = {
        "successor": new.pk,
        "reason": "By order.",
        "on_day": today.day,
        "on_month": today.month,
        "on_year": today.year,
    }

    unseen = client.post(url, data | {"read": "on"})
    mark = unseen.context["form"].data["list_mark"]
    assert not Organisation.objects.filter(successor__isnull=False).exists()
    page = unseen.content.decode()
    assert affiliation.user.full_name in page
    assert f"{project.title}: is led by {new}" in page
    ProjectFactory(lead_organisation=old, title="Come in between")
    changed = client.post(url, data | {"read": "on", "list_mark": mark})
    assert "Come in between" in changed.content.decode()
    client.post(url, data | {"read": "on", "list_mark": changed.context["form"].data["list_mark"]})

    old.refresh_from_db()
    assert old.successor == new


def test_a_succession_is_never_edited(staff):
    old, new = OrganisationFactory(), OrganisationFactory()
    merge(old, new, staff)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        old.successions.update(reason="Something else")


def test_the_search_finds_former_names_and_says_what_followed(client, staff):
    old, new = OrganisationFactory(name="Larkhill Infirmary"), OrganisationFactory(name="Greater Vale Trust")
    actions.rename_organisation(organisation=old, name="Larkfield Hospital", by=staff)
    merge(Organisation.objects.get(pk=old.pk), new, staff)

    page = client.get("/search/?q=Larkhill").content.decode()

    assert "Larkfield Hospital" in page
    assert "Now part of Greater Vale Trust" in page
