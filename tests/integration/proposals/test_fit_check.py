import re
from html import unescape

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from proposals import forms
from proposals.models import DraftVersion, Proposal
from psc_portal.accounts.models import User
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.proposals import CallFactory

pytestmark = pytest.mark.django_db


def address(call, name="fit_check"):
    return reverse(f"proposals:{name}", args=[call.slug])


def checked(call, **changes):
    return {
        "priorities": [str(one.pk) for one in call.priorities.all()],
        "asked_by": "several",
        "evidence_level": "3",
        "sites_now": "2",
        "adopters": "agreed",
        "aim_kind": "measured",
        "aim": "A quarter fewer falls by March 2028",
        "involves_people": "yes",
        "serves_underserved": "no",
        "growth": "no",
    } | changes


def test_the_six_criteria_are_asked_on_one_page_without_an_account(client):
    call = CallFactory()

    answer = client.get(address(call))

    page = answer.content.decode()
    for weight in call.weights.all():
        assert f"{weight.criterion.number}. {weight.criterion.title}" in page
    assert "no-store" in answer["Cache-Control"]
    assert address(call) in client.get(call.get_absolute_url()).content.decode()


def test_an_idea_that_fits_is_likely_and_nothing_is_stored(client):
    call = CallFactory(eligibility="The lead gives care in the region")

    page = client.post(address(call), checked(call)).content.decode()

    assert ">Likely</h1>" in page
    assert "The lead gives care in the region" in page
    assert (Session.objects.count(), Proposal.objects.count()) == (0, 0)
    assert "session" not in client.cookies


def test_an_idea_that_does_not_fit_yet_is_told_why_what_to_do_and_who_can_help(client, settings):
    settings.COLLABORATIVE = {**settings.COLLABORATIVE, "email": "help@psc.example", "phone": "0115 496 0000"}
    call = CallFactory()
    weak = {"evidence_level": "1", "adopters": "nobody", "involves_people": "no", "growth": "no"}

    page = client.post(address(call), checked(call, **weak)).content.decode()

    assert ">Not yet</h1>" in page
    for reason in ("it has not been evaluated in at least one setting of care", "nobody has said yet", "no patients"):
        assert reason in page
    assert "aim yet" not in page
    assert "Criterion 6" not in page
    assert "help@psc.example" in page
    assert "0115 496 0000" in page
    assert "/how-can-we-help/" in page


def test_what_was_left_out_is_named_and_what_was_entered_stays(client):
    call = CallFactory()

    answer = client.post(address(call), checked(call, adopters="", sites_now="many", aim="Half as many"))

    page = answer.content.decode()
    assert "<title>Error: " in page
    assert "Select whether anyone else would adopt it" in page
    assert 'value="many"' in page
    assert "Half as many" in page


def test_the_result_goes_along_through_sign_in_into_the_new_draft(client):
    call, user = CallFactory(), UserFactory()
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)

    gone_on = client.post(address(call, "fit_check_go_on"), checked(call), follow=True)
    log_in = gone_on.redirect_chain[-1][0]
    applied = client.post(log_in, {"login": user.email, "password": PASSWORD}, follow=True)
    assert "Your answers from the fit check are carried over" in applied.content.decode()
    client.post(address(call, "apply"))

    proposal = Proposal.objects.get()
    section = reverse("proposals:draft_section", args=[call.slug, proposal.public_id, "spread"])
    page = client.get(section).content.decode()
    assert {name: proposal.answers[name] for name in ("evidence_level", "sites_now", "aim", "growth")} == {
        "evidence_level": "3",
        "sites_now": "2",
        "aim": "A quarter fewer falls by March 2028",
        "growth": forms.fit_check.NOTHING_EXPECTED,
    }
    assert proposal.answers["priorities"] == checked(call)["priorities"]
    assert DraftVersion.objects.get().saved_by == user
    assert 'name="sites_now" value="2"' in page
    assert "From your fit check" in page
    assert "carried over" not in client.get(address(call, "apply")).content.decode()


@pytest.mark.parametrize("same_browser", [True, False])
def test_the_result_goes_along_through_sign_up_and_the_mails_link_into_the_new_draft(client, mailed, same_browser):
    """The link may be opened in the mail program's own browser: the log-in on the first one goes on all the same."""
    call = CallFactory()
    gone_on = client.post(address(call, "fit_check_go_on"), checked(call), follow=True)
    log_in = gone_on.redirect_chain[-1][0]
    main = client.get(log_in).content.decode().partition("<main")[2]
    sign_up = unescape(re.search(r'href="(/accounts/signup/[^"]*)"', main)[1])
    new = {
        "full_name": "Ada Lovelace",
        "email": f"ada.{same_browser:d}@example.org",
        "password1": "three wet umbrellas",
    }

    form = client.get(sign_up).content.decode()
    client.post(sign_up, new | {"next": re.search(r'name="next" value="([^"]*)"', form)[1]})
    user = User.objects.get(email=new["email"])
    [mail] = mailed(user)
    path = re.search(r"http://testserver(\S+)", mail.body)[1]
    confirmed = (client if same_browser else Client()).post(path, follow=True)
    log_in = confirmed.redirect_chain[-1][0]  # the other browser knows no more than that there is a log-in
    applied = client.post(log_in, {"login": user.email, "password": new["password1"]}, follow=True)

    assert applied.redirect_chain[-1][0] == address(call, "apply")
    assert "Your answers from the fit check are carried over" in applied.content.decode()
    client.post(address(call, "apply"))
    assert Proposal.objects.get().answers["aim"] == "A quarter fewer falls by March 2028"


def test_a_carried_answer_can_be_changed_and_is_then_one_s_own(client_as):
    call, user = CallFactory(), UserFactory()
    client = client_as(user)
    client.post(address(call, "fit_check_go_on"), checked(call))
    client.post(address(call, "apply"))
    proposal = Proposal.objects.get()
    section = reverse("proposals:draft_section", args=[call.slug, proposal.public_id, "spread"])

    client.post(section, {"sites_now": "7", "version": "1", "later": "1"})

    proposal.refresh_from_db()
    assert proposal.answers["sites_now"] == "7"
    assert "From your fit check" not in client.get(section).content.decode()


def test_answers_of_one_call_are_not_carried_into_another(client_as):
    call, other = CallFactory(), CallFactory()
    client = client_as(UserFactory())

    client.post(address(call, "fit_check_go_on"), checked(call))
    client.post(address(other, "apply"))

    assert Proposal.objects.get().answers == {}


def test_nonsense_sent_on_is_not_carried(client):
    call = CallFactory()

    answer = client.post(address(call, "fit_check_go_on"), {"priorities": "1", "status": "approved"})

    assert answer.url == address(call)
    assert Session.objects.count() == 0


def test_a_closed_call_says_so_and_an_upcoming_one_when_it_opens(client):
    closed, upcoming = CallFactory(closed=True), CallFactory(upcoming=True)

    assert "This call closed on" in client.get(address(closed)).content.decode()
    assert "This call closed on" in client.post(address(closed), checked(closed)).content.decode()
    page = client.post(address(upcoming), checked(upcoming)).content.decode()
    assert "This call opens on" in page
    assert "Write a proposal with these answers" not in page
    assert client.post(address(upcoming, "fit_check_go_on"), checked(upcoming)).url == address(upcoming)


def test_a_draft_call_has_no_fit_check(client):
    assert client.get(address(CallFactory(draft=True))).status_code == 404
