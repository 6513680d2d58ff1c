import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.urls import reverse

from pledges import actions
from pledges.models import ProgressUpdate, SignUp, WordingSet
from projects.models import Affiliation, Organisation
from psc_portal.common import clock, registry
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from psc_portal.search.finding import search
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory, SeriesFactory, fill
from tests.factories.pledges import ProgressUpdateFactory, SignUpFactory, words
from tests.factories.projects import AffiliationFactory, PriorityFactory, SystemFactory

pytestmark = pytest.mark.django_db
Status = SignUp.Status
Progress = ProgressUpdate.Progress
NHS_NUMBER = "943 476 5919"


def moves(sign_up):
    return [(change.from_status, change.to_status) for change in sign_up.status_changes.all()]


def days_ago(days):
    """At midday: near midnight the UK's day is another one in summer."""
    return clock.now().replace(hour=12) - dt.timedelta(days=days)


@pytest.fixture
def staff():
    return UserFactory(staff=True)


# Moderation ----------------------------------------------------------------------------------------------------------
def test_staff_publish_what_a_confirmed_member_submitted(client, staff):
    sign_up = SignUpFactory(submitted=True)

    actions.publish_sign_up(sign_up=sign_up, by=staff)

    sign_up.refresh_from_db()
    page = client.get(sign_up.get_absolute_url()).content.decode()
    assert (sign_up.status, moves(sign_up)) == (Status.PUBLISHED, [("submitted", "published")])
    assert all(statement.text in page for statement in sign_up.statements.all())
    assert OutboxMessage.objects.filter(to=[sign_up.signatory.email], subject__contains="are published").exists()


@pytest.mark.parametrize("status", [Affiliation.Status.CLAIMED, Affiliation.Status.DECLINED, Affiliation.Status.ENDED])
def test_pledges_of_a_person_whose_affiliation_is_not_confirmed_cannot_be_published(staff, status):
    sign_up = SignUpFactory(submitted=True, member=False)
    AffiliationFactory(user=sign_up.signatory, organisation=sign_up.organisation, status=status)

    with pytest.raises(ActionRefused, match="not confirmed"):
        actions.publish_sign_up(sign_up=sign_up, by=staff)

    sign_up.refresh_from_db()
    assert (sign_up.status, sign_up.published_at, moves(sign_up)) == (Status.SUBMITTED, None, [])


def test_the_admin_says_that_the_affiliation_is_not_confirmed_and_publishes_nothing(client_as, staff):
    sign_up = SignUpFactory(submitted=True, member=False)
    url = reverse("admin:pledges_signup_publish", args=[sign_up.pk])
    client = client_as(staff)

    page = client.get(url).content.decode()
    answer = client.post(url, follow=True).content.decode()

    sign_up.refresh_from_db()
    assert "Confirm the affiliation first" in page
    assert "Confirm the affiliation first" in answer
    assert sign_up.status == Status.SUBMITTED


@pytest.mark.parametrize("action", [actions.publish_sign_up, actions.return_sign_up, actions.end_sign_up])
def test_only_staff_moderate(action):
    sign_up = SignUpFactory(submitted=True)
    reasons = {} if action is actions.publish_sign_up else {"reasons": "Because"}

    with pytest.raises(PermissionDenied):
        action(sign_up=sign_up, by=sign_up.signatory, **reasons)


def test_returned_pledges_come_back_with_reasons_and_can_be_submitted_again(client_as, staff):
    sign_up = SignUpFactory(submitted=True)

    actions.return_sign_up(sign_up=sign_up, reasons="Pledge 3 names a patient's ward.", by=staff)

    sign_up.refresh_from_db()
    page = client_as(sign_up.signatory).get(sign_up.get_edit_url()).content.decode()
    mail = OutboxMessage.objects.get(to=[sign_up.signatory.email])
    assert "Pledge 3 names a patient&#x27;s ward." in page
    assert "Pledge 3 names a patient's ward." in mail.body
    actions.submit_sign_up(sign_up=sign_up, by=sign_up.signatory)
    assert moves(sign_up) == [("submitted", "returned"), ("returned", "submitted")]


def test_a_draft_cannot_be_published(staff):
    with pytest.raises(ActionRefused, match="Draft"):
        actions.publish_sign_up(sign_up=SignUpFactory(), by=staff)


def test_an_nhs_number_that_slipped_in_stops_publication(staff):
    sign_up = SignUpFactory(submitted=True)
    sign_up.statements.filter(pledge__number=2).update(text=f"{words(60)} {NHS_NUMBER}")

    with pytest.raises(ActionRefused, match="Continually learn"):
        actions.publish_sign_up(sign_up=sign_up, by=staff)


@pytest.mark.parametrize("model", ["status_changes", "moderation_notes"])
def test_history_cannot_be_changed_or_deleted_even_in_the_database(staff, model):
    sign_up = SignUpFactory(submitted=True)
    actions.return_sign_up(sign_up=sign_up, reasons="Too short", by=staff)

    for write in (lambda rows: rows.update(by=None), lambda rows: rows.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            write(getattr(sign_up, model))


# The public pages ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUBMITTED, Status.RETURNED])
def test_what_is_not_published_is_on_no_public_page(client, status):
    sign_up = SignUpFactory(status=status)

    assert client.get(sign_up.get_absolute_url()).status_code == 404
    assert sign_up.organisation_name not in client.get("/pledges/").content.decode()


def test_a_forged_slug_is_not_found(client):
    assert client.get("/pledges/no-such-organisation/").status_code == 404


def test_withdrawn_pledges_say_so_and_show_no_statement(client, staff):
    sign_up = SignUpFactory(published=True)

    actions.withdraw_sign_up(sign_up=sign_up, reasons="The board changed its mind", by=staff)

    page = client.get(sign_up.get_absolute_url()).content.decode()
    assert "have been withdrawn" in page
    assert "We promise something" not in page
    assert "The board changed its mind" not in page


def test_ended_pledges_stay_readable(client, staff):
    sign_up = SignUpFactory(published=True)

    actions.end_sign_up(sign_up=sign_up, reasons="Plan over", by=staff)

    page = client.get(sign_up.get_absolute_url()).content.decode()
    assert "These pledges have ended" in page
    assert "We promise something" in page


def test_after_a_rename_the_page_keeps_the_name_of_its_time_and_says_the_new_one(client):
    sign_up = SignUpFactory(published=True)
    Organisation.objects.filter(pk=sign_up.organisation_id).update(name="The New Name NHS Trust")

    page = client.get(sign_up.get_absolute_url()).content.decode()

    assert sign_up.organisation_name in page
    assert "Now called The New Name NHS Trust" in page


def test_the_wall_says_that_the_national_campaign_has_closed(client):
    page = client.get("/pledges/").content.decode()

    assert "regional commitments in the spirit of Sign up to Safety" in page
    assert "The national campaign has closed" in page


def test_the_wall_filters_by_system_kind_and_improvement_area(client):
    system = SystemFactory()
    one = SignUpFactory(published=True, organisation__system=system, organisation__kind="icb")
    other = SignUpFactory(published=True, organisation__system=SystemFactory())
    other.areas.filter(slug="falls").delete()

    for query in (f"system={system.code}", "kind=icb", "area=falls"):
        page = client.get(f"/pledges/?{query}").content.decode()
        assert one.get_absolute_url() in page
        assert other.get_absolute_url() not in page


def test_nonsense_in_a_filter_narrows_nothing(client):
    sign_up = SignUpFactory(published=True)

    response = client.get("/pledges/?system=%00&kind=x&area='&page=-7")

    assert sign_up.get_absolute_url() in response.content.decode()


@pytest.mark.parametrize(
    ("age", "words_on_page"), [(0, "Up to date"), (150, "Update due"), (183, "Update overdue"), (365, "Lapsed")]
)
def test_the_page_says_how_fresh_the_progress_is(client, age, words_on_page):
    update = ProgressUpdateFactory(made_on=clock.today() - dt.timedelta(days=age))
    SignUp.objects.update(published_at=days_ago(age + 10))

    for url in (update.statement.sign_up.get_absolute_url(), "/pledges/"):
        assert words_on_page in client.get(url).content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_wall_runs_a_constant_number_of_queries(client, django_assert_num_queries, rows):
    for _ in range(rows):
        sign_up = SignUpFactory(published=True)
        for statement in sign_up.statements.all()[:rows]:
            ProgressUpdateFactory(statement=statement)
    client.get("/pledges/")

    with django_assert_num_queries(7):
        client.get("/pledges/")


@pytest.mark.parametrize("rows", [1, 3])
def test_an_organisation_s_page_runs_a_constant_number_of_queries(client, django_assert_max_num_queries, rows):
    sign_up = SignUpFactory(published=True)
    for statement in sign_up.statements.all():
        for _ in range(rows):
            ProgressUpdateFactory(statement=statement)
    client.get(sign_up.get_absolute_url())

    with django_assert_max_num_queries(10):
        client.get(sign_up.get_absolute_url())


def test_pledges_that_share_a_metric_show_its_chart_once_and_lead_to_it(client):
    sign_up = SignUpFactory(published=True)
    metric = MetricFactory()
    fill(SeriesFactory(metric=metric, organisation=sign_up.organisation), [(50 + n % 3, 100) for n in range(15)])
    sign_up.statements.update(metric=metric)

    page = client.get(sign_up.get_absolute_url()).content.decode()

    assert page.count(f'aria-label="Chart: {metric.name}') == 1
    assert page.count('<a href="#pledge-1">The chart stands with pledge 1') == 4


# Progress ------------------------------------------------------------------------------------------------------------
def progress_url(sign_up, number=1):
    return reverse("pledges:progress_post", args=[sign_up.organisation.slug, number])


def progress_data(**changes):
    token = "0b8f8c7e-5f0e-4c53-9b3f-0a8a2f5d5a11"
    return {"progress": "under_way", "what_changed": "Huddles on all wards.", "token": token} | changes


def test_a_member_posts_progress_that_everybody_reads(client, client_as):
    sign_up = SignUpFactory(published=True)

    response = client_as(sign_up.signatory).post(progress_url(sign_up), progress_data())

    assert response.url == sign_up.get_absolute_url()
    assert "Huddles on all wards." in client.get(sign_up.get_absolute_url()).content.decode()


def test_progress_posted_twice_by_a_double_click_is_kept_once(client_as):
    sign_up = SignUpFactory(published=True)
    client = client_as(sign_up.signatory)

    for _ in range(2):
        assert client.post(progress_url(sign_up), progress_data()).status_code == 302

    assert ProgressUpdate.objects.count() == 1


def test_a_stopped_pledge_needs_its_reason_and_keeps_what_was_typed(client_as):
    sign_up = SignUpFactory(published=True)

    page = client_as(sign_up.signatory).post(progress_url(sign_up), progress_data(progress="stopped")).content.decode()

    assert "Say why it stopped" in page
    assert "Huddles on all wards." in page
    assert not ProgressUpdate.objects.exists()


def test_an_nhs_number_in_an_update_is_refused_and_what_was_typed_stays(client_as):
    sign_up = SignUpFactory(published=True)
    data = progress_data(what_changed=f"We spoke to {NHS_NUMBER}.")

    page = client_as(sign_up.signatory).post(progress_url(sign_up), data).content.decode()

    assert "what looks like an NHS number in: What changed" in page
    assert f"We spoke to {NHS_NUMBER}." in page
    assert not ProgressUpdate.objects.exists()


def test_for_people_of_other_organisations_there_is_no_page_to_post_progress(client_as, staff):
    sign_up = SignUpFactory(published=True)
    elsewhere = AffiliationFactory().user
    claim = AffiliationFactory(organisation=sign_up.organisation, status=Affiliation.Status.CLAIMED).user

    for user in (UserFactory(), elsewhere, claim, staff):
        assert client_as(user).get(progress_url(sign_up)).status_code == 404
        assert client_as(user).post(progress_url(sign_up), progress_data()).status_code == 404
        with pytest.raises(PermissionDenied):
            actions.post_progress(
                statement=sign_up.statements.first(), progress=Progress.DONE, what_changed="Done.", by=user
            )


@pytest.mark.parametrize("number", [0, 6, 99])
def test_there_is_no_sixth_pledge_to_report_on(client_as, number):
    sign_up = SignUpFactory(published=True)

    assert client_as(sign_up.signatory).get(progress_url(sign_up, number)).status_code == 404


def test_an_update_is_never_edited():
    update = ProgressUpdateFactory()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ProgressUpdate.objects.filter(pk=update.pk).update(what_changed="Something else.")


def test_no_progress_on_pledges_that_have_ended(staff):
    sign_up = SignUpFactory(published=True)
    actions.end_sign_up(sign_up=sign_up, reasons="Plan over", by=staff)

    with pytest.raises(PermissionDenied):
        actions.post_progress(
            statement=sign_up.statements.first(), progress=Progress.DONE, what_changed="Done.", by=sign_up.signatory
        )


@pytest.mark.parametrize(("age", "reminders"), [(135, 0), (136, 1), (169, 1), (351, 1), (700, 1)])
def test_a_reminder_goes_out_once_for_each_step(age, reminders):
    sign_up = SignUpFactory(published=True, published_at=days_ago(age))

    for _ in range(2):
        actions.remind()

    assert OutboxMessage.objects.filter(to=[sign_up.signatory.email]).count() == reminders


def test_when_the_signatory_has_left_the_members_are_reminded_by_their_own_names():
    sign_up = SignUpFactory(published=True, published_at=days_ago(200), member=False)
    member = AffiliationFactory(organisation=sign_up.organisation).user

    actions.remind()

    mail = OutboxMessage.objects.get()
    assert mail.to == [member.email]
    assert f"Hello {member.full_name}," in mail.body


def test_nobody_is_reminded_of_pledges_that_are_all_done_or_stopped():
    sign_up = SignUpFactory(published=True, published_at=days_ago(800))
    for statement in sign_up.statements.all():
        ProgressUpdateFactory(statement=statement, progress=Progress.DONE, made_on=clock.today() - dt.timedelta(700))

    actions.remind()

    assert not OutboxMessage.objects.exists()


# What other pages show -----------------------------------------------------------------------------------------------
def test_a_priority_s_thread_shows_the_organisations_that_named_it():
    priority = PriorityFactory()
    named = SignUpFactory(published=True)
    named.areas.filter(slug="falls").update(priority=priority)
    SignUpFactory(published=True)
    SignUpFactory().areas.filter(slug="falls").update(priority=priority)

    thread = registry.thread_of("priority", priority.pk, user=UserFactory())

    assert [item.title for step in thread if step.kind == "pledge" for item in step.items] == [named.organisation_name]


def test_search_finds_published_statements_only():
    for sign_up in (SignUpFactory(published=True), SignUpFactory()):
        sign_up.statements.filter(pledge__number=1).update(text="We will prevent <b>bedsores</b> at night.")

    hits = search("bedsores", user=UserFactory()).hits

    assert len(hits) == 1
    assert "<mark>bedsores</mark>" in hits[0].snippet
    assert "<b>" not in hits[0].snippet


def test_what_waits_for_a_member_and_for_staff(staff):
    returned = SignUpFactory(status=Status.RETURNED)
    overdue = SignUpFactory(published=True, published_at=days_ago(200), signatory=returned.signatory)
    submitted = SignUpFactory(submitted=True)

    mine = [item.note for item in registry.waiting.collect(returned.signatory) if item.section == "Pledges"]
    theirs = [item.title for item in registry.waiting.collect(staff) if item.section == "Pledges to check"]

    assert sorted(mine) == ["Returned for changes", "Update overdue"]
    assert theirs == [str(submitted)]
    assert overdue.signatory == returned.signatory


# Wording -------------------------------------------------------------------------------------------------------------
def test_a_new_wording_set_ends_the_one_before_and_leaves_what_was_signed(staff):
    sign_up = SignUpFactory(published=True)
    headings = [actions.Heading(f"Pledge {number}", "Promise it.") for number in range(1, 6)]

    new = actions.add_wording_set(
        version="2027", name="New wording", source="", from_date=clock.today(), headings=headings, by=staff
    )

    sign_up.refresh_from_db()
    assert list(WordingSet.objects.in_force()) == [new]
    assert sign_up.wording_set.version == "2014"
    assert sign_up.wording_set.to_date == clock.today()


def test_publishing_under_a_new_wording_ends_the_pledges_made_to_the_one_before(client, staff):
    old = SignUpFactory(published=True)
    new_set = WordingSet.objects.create(
        version="2027", name="New", from_date=clock.today(), to_date=dt.date(2099, 1, 1)
    )
    new = SignUpFactory(
        submitted=True, organisation=old.organisation, signatory=old.signatory, member=False, wording_set=new_set
    )

    actions.publish_sign_up(sign_up=new, by=staff)

    old.refresh_from_db()
    page = client.get(old.get_absolute_url()).content.decode()
    assert (old.status, moves(old)) == (Status.ENDED, [("published", "ended")])
    assert "Earlier pledges" in page
    assert "Sign up to Safety, wording of 2014" in page


def test_pledges_that_are_all_done_or_stopped_are_called_complete(client):
    sign_up = SignUpFactory(published=True, published_at=days_ago(900))
    for statement in sign_up.statements.all():
        ProgressUpdateFactory(statement=statement, progress=Progress.DONE, made_on=clock.today() - dt.timedelta(800))

    page = client.get(sign_up.get_absolute_url()).content.decode()

    assert "Complete" in page
    assert "Every pledge is done or stopped." in page


def test_every_status_is_in_the_table_of_transitions():
    assert set(SignUp.TRANSITIONS) == set(Status)
