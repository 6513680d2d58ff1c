"""What the builder keeps, whom it lets sign, and what comes of a published sign-up."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from measurement.models import Metric
from pledges import actions
from pledges.freshness import LABELS
from pledges.models import SignUp, WordingSet
from projects import actions as projects
from psc_portal.common import clock
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.measurement import MetricFactory
from tests.factories.pledges import ProgressUpdateFactory, SignUpFactory, words
from tests.factories.projects import AffiliationFactory
from tests.pdf_checks import assert_accessible, pdf_text

pytestmark = pytest.mark.django_db
NHS_NUMBER = "943 476 5919"


def step_url(sign_up, step):
    return reverse("pledges:sign_up_step", args=[sign_up.public_id, step])


def days_ago(days):
    """At midday: near midnight the UK's day is another one in summer."""
    return clock.now().replace(hour=12) - dt.timedelta(days=days)


@pytest.fixture
def staff():
    return UserFactory(staff=True)


# Two people at once --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "mine", "theirs"),
    [
        ("statement-1", {"text": "Mine, typed first."}, {"text": "Theirs, stored first."}),
        ("areas", {"own_words": "Falls at night"}, {"own_words": "Lost notes"}),
        ("drivers", {"aim": "Mine", "outline": "One"}, {"aim": "Theirs", "outline": "Two"}),
        ("plan", {"own_page": "https://mine.example"}, {"own_page": "https://theirs.example"}),
        ("signatory", {"signatory_name": "Mine Own"}, {"signatory_name": "Their Own"}),
    ],
)
def test_a_step_that_somebody_else_changed_meanwhile_shows_both_texts_and_overwrites_neither(
    client_as, step, mine, theirs
):
    sign_up = SignUpFactory()
    colleague = AffiliationFactory(organisation=sign_up.organisation).user
    mark = sign_up.mark_of(step)
    client_as(colleague).post(step_url(sign_up, step), theirs | {"mark": mark, "later": "1"})
    stored = SignUp.objects.get(pk=sign_up.pk).mark_of(step)
    client = client_as(sign_up.signatory)

    page = client.post(step_url(sign_up, step), mine | {"mark": mark, "later": "1"}).content.decode()

    assert "Somebody else has changed this step" in page
    assert "What somebody else has stored here" in page
    assert all(value in page for value in (*mine.values(), *theirs.values()))
    assert SignUp.objects.get(pk=sign_up.pk).mark_of(step) == stored
    assert client.post(step_url(sign_up, step), mine | {"mark": stored, "later": "1"}).status_code == 302
    assert SignUp.objects.get(pk=sign_up.pk).mark_of(step) not in (mark, stored)


def test_a_double_click_is_no_clash(client_as):
    sign_up = SignUpFactory()
    client, data = client_as(sign_up.signatory), {"text": words(60), "mark": sign_up.mark_of("statement-1")}

    for _ in range(2):
        assert client.post(step_url(sign_up, "statement-1"), data).status_code == 302


# The driver diagram --------------------------------------------------------------------------------------------------
def test_an_outline_becomes_a_diagram_that_the_page_shows_in_its_levels(client, client_as):
    sign_up = SignUpFactory()
    outline = "Seen in time\n- Staff notice\n-- Score at each round\n-- <b>One number</b>\n- Families call"

    response = client_as(sign_up.signatory).post(
        step_url(sign_up, "drivers"), {"aim": "Half by 2029.", "outline": outline}
    )

    sign_up.refresh_from_db()
    assert response.url == step_url(sign_up, "plan")
    assert [box["text"] for box in sign_up.drivers[0]["children"]] == ["Staff notice", "Families call"]
    SignUp.objects.update(status="published", published_at=clock.now())
    page = client.get(sign_up.get_absolute_url()).content.decode()
    assert "Change idea: </span>&lt;b&gt;One number&lt;/b&gt;" in page


@pytest.mark.parametrize(
    ("outline", "sentence"),
    [
        ("-- Too deep at once", "write the secondary driver above this change idea first"),
        ("One\n- Two\n-- Three\n--- Four", "Line 4: use at most 2 dashes"),
        ("x" * 201, "Line 1: keep each line to 200 characters"),
        ("\n".join(f"Driver {n}" for n in range(61)), "Keep the diagram to 60 lines or fewer"),
    ],
)
def test_an_outline_that_cannot_be_drawn_is_refused_with_its_line_and_stays_in_the_box(client_as, outline, sentence):
    sign_up = SignUpFactory()

    page = client_as(sign_up.signatory).post(step_url(sign_up, "drivers"), {"aim": "A", "outline": outline})

    assert sentence in page.content.decode()
    assert outline.split("\n")[-1] in page.content.decode()
    with pytest.raises(ActionRefused, match=sentence):
        actions.save_drivers(sign_up=sign_up, aim="A", outline=outline, by=sign_up.signatory)


@pytest.mark.parametrize(("kind", "is_asked"), [("trust", True), ("university", False)])
def test_only_who_provides_care_needs_a_driver_diagram(kind, is_asked):
    sign_up = SignUpFactory(organisation__kind=kind, aim="", drivers=[])

    assert [problem.step for problem in sign_up.problems()] == (["drivers"] if is_asked else [])


# Metrics -------------------------------------------------------------------------------------------------------------
def test_metrics_are_found_by_words_and_the_text_typed_so_far_is_kept(client_as):
    sign_up = SignUpFactory()
    falls = MetricFactory(name="Falls with harm", is_public=True)
    other = MetricFactory(name="Hand hygiene", is_public=True)
    MetricFactory(name="Falls nobody may see", is_public=False)

    page = client_as(sign_up.signatory).post(
        step_url(sign_up, "statement-1"), {"text": "Half a", "find": "falls", "find_metrics": "1"}
    )

    html = page.content.decode()
    assert (falls.name in html, other.name in html, "Falls nobody may see" in html) == (True, False, False)
    assert "1 of our metrics fits “falls”" in html
    assert sign_up.statements.get(pledge__number=1).text == "Half a"
    assert Metric.objects.count() == 3


# What looks like an NHS number ---------------------------------------------------------------------------------------
def test_what_is_no_nhs_number_can_be_explained_and_that_is_logged(client_as, staff):
    sign_up = SignUpFactory()
    actions.save_statement(sign_up=sign_up, number=2, text=f"{words(60)} {NHS_NUMBER}", by=sign_up.signatory)
    client, url = client_as(sign_up.signatory), reverse("pledges:sign_up_check", args=[sign_up.public_id])

    refused = client.post(url, {"numbers_explained": ""}).content.decode()
    response = client.post(url, {"numbers_explained": "The number of our ward"})

    sign_up.refresh_from_db()
    assert "what looks like an NHS number in: Continually learn" in refused
    assert (response.status_code, sign_up.status) == (302, "submitted")
    assert AuditEvent.objects.get(verb="submit").after == {"has_explained_numbers": True}
    actions.publish_sign_up(sign_up=sign_up, by=staff)
    assert SignUp.objects.get().status == "published"


def test_the_reason_is_asked_for_only_where_there_is_such_a_number(client_as):
    sign_up = SignUpFactory()

    page = client_as(sign_up.signatory).get(reverse("pledges:sign_up_check", args=[sign_up.public_id]))

    assert "numbers_explained" not in page.content.decode()


# Who signs -----------------------------------------------------------------------------------------------------------
def test_a_confirmed_member_who_submits_is_published_only_once_somebody_confirms_that_they_sign(client_as, staff):
    sign_up = SignUpFactory(member=False)
    affiliation = AffiliationFactory(user=sign_up.signatory, organisation=sign_up.organisation)
    actions.submit_sign_up(sign_up=sign_up, by=sign_up.signatory)

    with pytest.raises(ActionRefused, match="not confirmed that"):
        actions.publish_sign_up(sign_up=sign_up, by=staff)
    projects.confirm_signatory(affiliation=affiliation, by=staff)
    actions.publish_sign_up(sign_up=sign_up, by=staff)

    assert SignUp.objects.get().status == "published"


def test_a_confirmed_signatory_answers_claims_of_their_organisation_and_never_their_own(client_as):
    signatory = AffiliationFactory(signing="confirmed")
    claim = AffiliationFactory(organisation=signatory.organisation, status="claimed", signing="claimed")
    elsewhere = AffiliationFactory(status="claimed")
    client = client_as(signatory.user)
    url = reverse("projects:affiliation_answer", args=[claim.pk])

    assert claim.user.full_name in client.get("/my/").content.decode()
    assert client.get(reverse("projects:affiliation_answer", args=[elsewhere.pk])).status_code == 404
    assert client.post(url, {"is_right": "yes"}).status_code == 302

    claim.refresh_from_db()
    assert (claim.status, claim.signing, claim.confirmed_by) == ("confirmed", "confirmed", signatory.user)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("signing", ["no", "claimed"])
def test_a_member_who_does_not_sign_answers_no_claim(client_as, signing):
    member = AffiliationFactory(signing=signing)
    claim = AffiliationFactory(organisation=member.organisation, status="claimed")

    for url in (reverse("projects:affiliation_answer", args=[one.pk]) for one in (claim, member)):
        assert client_as(member.user).post(url, {"is_right": "yes"}).status_code == 404
    for one in (claim, member):
        with pytest.raises(PermissionDenied):
            projects.confirm_signatory(affiliation=one, by=member.user)


def test_a_signatory_cannot_confirm_after_their_affiliation_has_ended():
    signatory = AffiliationFactory(signing="confirmed", status="ended")
    claim = AffiliationFactory(organisation=signatory.organisation, status="claimed")

    with pytest.raises(PermissionDenied):
        projects.confirm_affiliation(affiliation=claim, by=signatory.user)


# The certificate -----------------------------------------------------------------------------------------------------
def test_publication_orders_a_certificate_that_everybody_can_have(client, staff):
    sign_up = SignUpFactory(submitted=True, signatory_name="Ada <Bright> & Co")
    actions.publish_sign_up(sign_up=sign_up, by=staff)
    assert OutboxMessage.objects.filter(task="pledges.make_certificate", arguments=[sign_up.pk]).count() == 1

    for _ in range(2):
        actions.make_certificate(sign_up=sign_up)

    answer = client.get(reverse("pledges:certificate", args=[sign_up.organisation.slug]))
    content = b"".join(answer.streaming_content)
    text = " ".join(pdf_text(content))
    assert_accessible(content, by_verapdf=True)
    assert answer["Content-Type"] == "application/pdf"
    assert sign_up.organisation_name in text
    assert "Ada <Bright> & Co, Chief executive" in text
    assert len(pdf_text(content)) == 1


def test_where_the_certificate_was_lost_it_is_ordered_again_and_the_page_says_so(client):
    sign_up = SignUpFactory(published=True)

    page = client.get(reverse("pledges:certificate", args=[sign_up.organisation.slug]), follow=True)

    assert "The certificate is being made" in page.content.decode()
    assert OutboxMessage.objects.filter(task="pledges.make_certificate").count() == 1


@pytest.mark.parametrize("status", ["draft", "submitted", "returned", "withdrawn", "ended"])
def test_there_is_no_certificate_of_what_is_not_published(client, status):
    sign_up = SignUpFactory(status=status, published_at=clock.now())

    assert client.get(reverse("pledges:certificate", args=[sign_up.organisation.slug])).status_code == 404
    assert not actions.make_certificate(sign_up=sign_up).certificate


# Freshness and reminders ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("age", [0, 149, 150, 182, 183, 364, 365, 900])
@pytest.mark.parametrize("has_update", [True, False])
def test_the_filter_by_freshness_finds_what_the_page_says(age, has_update):
    day = clock.today() - dt.timedelta(days=age)
    sign_up = SignUpFactory(published=True, published_at=days_ago(age))
    if has_update:
        ProgressUpdateFactory(statement=sign_up.statements.first(), made_on=day)
    rows = SignUp.objects.public().with_last_update()

    found = [state for state in LABELS if rows.fresh_as(state)]

    assert found == [rows.get().freshness.state]


def test_somebody_with_several_organisations_gets_one_mail_and_none_twice():
    person = UserFactory()
    old = days_ago(140)
    for _ in range(2):
        SignUpFactory(published=True, published_at=old, signatory=person)

    sent = [actions.remind(), actions.remind()]
    SignUpFactory(published=True, published_at=old, signatory=person)
    sent.append(actions.remind())

    mails = OutboxMessage.objects.order_by("pk")
    assert sent == [1, 0, 1]
    assert [mail.to for mail in mails] == [[person.email]] * 2
    assert "2 organisations" in mails[0].subject


def test_a_reminder_comes_before_the_step_and_says_its_date():
    sign_up = SignUpFactory(published=True, published_at=days_ago(140))

    actions.remind()

    due = clock.today() + dt.timedelta(days=10)
    assert f"due on {due:%-d %B %Y}" in OutboxMessage.objects.get(to=[sign_up.signatory.email]).body


# The wall and who else -----------------------------------------------------------------------------------------------
def test_the_wall_filters_by_pledge_freshness_and_words(client):
    one, other = SignUpFactory(published=True), SignUpFactory(published=True)
    ProgressUpdateFactory(statement=one.statements.get(pledge__number=3))
    SignUp.objects.filter(pk=other.pk).update(published_at=days_ago(400))
    one.statements.filter(pledge__number=4).update(text="We share learning on pressure ulcers.")

    for query in ("pledge=honesty", "freshness=current", "q=learn+ulcer"):
        page = client.get(f"/pledges/?{query}").content.decode()
        assert (one.get_absolute_url() in page, other.get_absolute_url() in page) == (True, False)


def test_an_organisation_s_page_names_who_else_pledged_the_same_and_why(client):
    metric = MetricFactory(is_public=True)
    hidden = MetricFactory(is_public=False)
    one, other, third = (SignUpFactory(published=True) for _ in range(3))
    other.areas.exclude(slug="falls").delete()
    third.areas.all().delete()
    for sign_up in (one, third):
        sign_up.statements.filter(pledge__number=1).update(metric=metric)
        sign_up.statements.filter(pledge__number=2).update(metric=hidden)

    page = client.get(one.get_absolute_url()).content.decode()

    assert f"{other.organisation_name}</a>: Falls<" in page
    assert f"{third.organisation_name}</a>: {metric.name}<" in page
    assert hidden.name not in page


# Wording sets --------------------------------------------------------------------------------------------------------
def test_a_new_wording_set_changes_no_old_page_and_invites_who_signed_the_one_before(client, client_as, staff):
    sign_up = SignUpFactory(published=True)
    left = SignUpFactory(published=True, member=False)
    before = client.get(sign_up.get_absolute_url()).content
    headings = [actions.Heading(f"New heading {number}", "Promise it.") for number in range(1, 6)]

    new = actions.add_wording_set(
        version="2027", name="Wording of 2027", source="", from_date=clock.today(), headings=headings, by=staff
    )
    for _ in range(2):
        actions.invite_to_wording(wording_set=new)

    mail = OutboxMessage.objects.get(kind="mail")
    assert mail.to == [sign_up.signatory.email]
    assert "stay as you signed them" in mail.body
    assert client.get(sign_up.get_absolute_url()).content == before
    assert OutboxMessage.objects.filter(task="pledges.invite_to_wording", arguments=[new.pk]).exists()
    assert (
        "You are invited to sign the new one" in client_as(sign_up.signatory).get("/pledges/sign-up/").content.decode()
    )
    assert WordingSet.objects.in_force().get() == new
    assert left.organisation_name not in mail.body


def test_under_a_new_wording_the_example_is_what_the_network_wrote_under_the_same_number(client_as, staff):
    network = SignUpFactory(published=True, organisation__kind="network")
    headings = [actions.Heading(f"New heading {number}", "Promise it.") for number in range(1, 6)]
    actions.add_wording_set(
        version="2027", name="Wording of 2027", source="", from_date=clock.today(), headings=headings, by=staff
    )
    member = AffiliationFactory()
    sign_up = actions.start_sign_up(organisation=member.organisation, by=member.user)

    page = client_as(member.user).get(step_url(sign_up, "statement-3")).content.decode()

    assert f"See what {network.organisation_name} wrote" in page
    assert "We promise something about Honesty." in page
