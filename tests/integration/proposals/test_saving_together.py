"""Nothing typed is lost: automatic saves, two tabs, two people, log-outs, earlier versions."""

import datetime as dt
import json
import re
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from proposals import actions, merging, questions
from proposals.models import Collaborator, DraftVersion, Proposal
from psc_portal.accounts import second_factor
from psc_portal.common import clock
from tests.factories.accounts import UserFactory
from tests.factories.proposals import ProposalFactory
from tests.integration.proposals.test_writing import png

pytestmark = pytest.mark.django_db
ABOUT = questions.BY_SLUG["about"]
START = dt.datetime(2026, 6, 1, 12, 0, 30, tzinfo=dt.UTC)


def new_draft(**kwargs):
    return ProposalFactory(answers={}, version=0, title="", **kwargs)


def address(proposal, page="draft_section", *more):
    args = [proposal.call.slug, proposal.public_id, *more]
    if page in ("draft_section", "draft_autosave") and not more:
        args.append("about")
    return reverse(f"proposals:{page}", args=args)


def base_on(client, proposal):
    """What the section's page carries now."""
    page = client.get(address(proposal)).content.decode()
    return re.search(r'name="base" value="([^"]*)"', page)[1].replace("&quot;", '"')


def autosave(client, proposal, base="{}", **answers):
    return client.post(address(proposal, "draft_autosave"), {"base": base, **answers})


def writer_of(proposal, role=Collaborator.Role.EDIT):
    user = UserFactory()
    Collaborator.objects.create(
        proposal=proposal, email=user.email, user=user, role=role, invited_by=proposal.applicant, accepted_at=START
    )
    return user


# Automatic saves ------------------------------------------------------------------------------------------------------
def test_an_automatic_save_keeps_what_is_typed_and_says_when(client_as):
    proposal = new_draft()

    with clock.at(START):
        answer = autosave(client_as(proposal.applicant), proposal, title="Half a ti").json()

    proposal.refresh_from_db()
    version = DraftVersion.objects.get()
    assert (proposal.answers, proposal.title) == ({"title": "Half a ti"}, "Half a ti")
    assert (answer["saved_at"], answer["version"], "clashes" in answer) == ("13:00", 1, False)
    assert json.loads(answer["base"]) == {"title": merging.digest("Half a ti")}
    assert (version.is_automatic, version.saved_by) == (True, proposal.applicant)


def test_five_minutes_of_automatic_saves_are_one_version_and_a_button_makes_one_that_stays(client_as):
    proposal = new_draft()
    client, base = client_as(proposal.applicant), "{}"
    for seconds, title in ((0, "One"), (4, "One two"), (8, "One two three"), (300, "Later")):
        with clock.at(START + dt.timedelta(seconds=seconds)):
            base = autosave(client, proposal, base, title=title).json()["base"]
    with clock.at(START + dt.timedelta(seconds=302)):
        client.post(address(proposal), {"title": "Later", "base": base, "version": "4", "later": "1"})
    with clock.at(START + dt.timedelta(seconds=305)):
        autosave(client, proposal, base, title="Later still")

    rows = list(DraftVersion.objects.order_by("number").values_list("answers__title", "is_automatic"))
    assert rows == [("One two three", True), ("Later", True), ("Later", False), ("Later still", True)]


@pytest.mark.parametrize("versions", [1, 30])
def test_an_automatic_save_takes_at_most_six_queries_however_many_versions_there_are(client_as, versions):
    proposal = new_draft()
    for number in range(1, versions + 1):
        DraftVersion.objects.create(
            proposal=proposal, number=number, answers={}, saved_by=proposal.applicant, saved_at=START
        )
    Proposal.objects.filter(pk=proposal.pk).update(version=versions)
    writers = [proposal.applicant, writer_of(proposal)]

    for user in writers:
        client = client_as(user)
        base = autosave(client, proposal, base_on(client, proposal), title=f"Warm {user.pk}").json()["base"]
        for title in ("New version", "The same version"):
            with CaptureQueriesContext(connection) as captured:
                base = autosave(client, proposal, base, title=f"{title} {user.pk}").json()["base"]
            queries = [one["sql"] for one in captured if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
            assert len(queries) <= 6, "\n".join(queries)


def test_old_automatic_versions_are_thinned_to_one_an_hour_and_nothing_else_goes():
    proposal = new_draft()
    kept = {"saved_by": proposal.applicant, "proposal": proposal, "answers": {}}
    for number, (minutes, extra) in enumerate(
        [(0, {}), (5, {}), (10, {"not_taken": {"title": "x"}}), (15, {"is_automatic": False}), (70, {}), (75, {})], 1
    ):
        moment = START + dt.timedelta(minutes=minutes)
        DraftVersion.objects.create(**{"is_automatic": True, "number": number, "saved_at": moment, **kept, **extra})
    Proposal.objects.filter(pk=proposal.pk).update(version=6)

    with clock.at(START + dt.timedelta(hours=2)):
        assert actions.thin_out_versions() == 0
    with clock.at(START + dt.timedelta(days=2)):
        assert actions.thin_out_versions() == 1

    assert sorted(proposal.versions.values_list("number", flat=True)) == [2, 3, 4, 5, 6]


# Two at once ----------------------------------------------------------------------------------------------------------
def test_two_people_who_change_different_answers_both_win_and_neither_is_told_of_a_clash(client_as):
    proposal = new_draft()
    mine, theirs = client_as(proposal.applicant), client_as(writer_of(proposal))

    autosave(mine, proposal, title="Mine", problem="")
    answer = autosave(theirs, proposal, title="", problem="Theirs").json()

    proposal.refresh_from_db()
    assert "clashes" not in answer
    assert proposal.answers == {"title": "Mine", "problem": "Theirs"}


def test_an_automatic_save_that_clashes_saves_the_rest_overwrites_nothing_and_keeps_both_texts(client_as):
    proposal = new_draft()
    mine, theirs = client_as(proposal.applicant), client_as(writer_of(proposal))
    autosave(theirs, proposal, problem="Their text")

    first = autosave(mine, proposal, title="My title", problem="My text").json()
    again = autosave(mine, proposal, first["base"], title="My title", problem="My text").json()

    proposal.refresh_from_db()
    assert proposal.answers == {"title": "My title", "problem": "Their text"}
    assert [(one["name"], one["stored"]) for one in first["clashes"]] == [("problem", "Their text")]
    assert again["clashes"] == first["clashes"]
    assert proposal.versions.first().not_taken == {"problem": "My text"}
    chosen = json.loads(again["base"]) | {"problem": first["clashes"][0]["mark"]}  # “Keep what I have in the form”
    assert "clashes" not in autosave(mine, proposal, json.dumps(chosen), title="My title", problem="My text").json()
    proposal.refresh_from_db()
    assert proposal.answers["problem"] == "My text"


def test_a_clash_found_by_the_button_shows_both_texts_and_saves_everything_else(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)
    base = base_on(client, proposal)
    autosave(client_as(writer_of(proposal)), proposal, problem="Their text")

    page = client.post(address(proposal), {"title": "My title", "problem": "My text", "base": base}).content.decode()

    proposal.refresh_from_db()
    assert proposal.answers == {"title": "My title", "problem": "Their text"}
    assert page.count("Their text") == 1 and page.count("My text") == 2
    assert "Everything else is saved" in page
    again = re.search(r'name="base" value="([^"]*)"', page)[1].replace("&quot;", '"')
    client.post(address(proposal), {"title": "My title", "problem": "Both together", "base": again, "later": "1"})
    proposal.refresh_from_db()
    assert proposal.answers["problem"] == "Both together"


def test_a_page_whose_base_is_not_known_never_overwrites_silently(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)
    client.post(address(proposal), {"problem": "Kept", "version": "0", "later": "1"})

    page = client.post(address(proposal), {"problem": "Other", "version": "77"}).content.decode()

    proposal.refresh_from_db()
    assert proposal.answers["problem"] == "Kept"
    assert "Two texts for the same question" in page


def test_a_reader_and_a_stranger_get_a_404_from_an_automatic_save_and_a_visitor_a_401(client_as):
    proposal = new_draft()
    reader = writer_of(proposal, Collaborator.Role.VIEW)

    answers = [autosave(client_as(user), proposal, title="x").status_code for user in (reader, UserFactory())]

    assert answers == [404, 404]
    assert autosave(Client(), proposal, title="x").status_code == 401
    assert not DraftVersion.objects.exists()


def test_an_automatic_save_after_the_submit_is_told_and_its_text_kept_beside(client_as):
    proposal = ProposalFactory(submitted=True)

    answer = autosave(client_as(proposal.applicant), proposal, problem="Typed meanwhile", care_settings="acute")

    assert answer.status_code == 409
    assert "is not submitted" in answer.json()["problem"]
    assert proposal.versions.get().not_taken == {"problem": "Typed meanwhile"}


# Log-outs -------------------------------------------------------------------------------------------------------------
def log_in(client, user):
    client.force_login(user)
    session = client.session
    session[second_factor.ENROLLED_KEY] = str(user.pk)
    session.save()


def test_without_javascript_what_is_sent_after_a_log_out_is_on_the_page_after_the_log_in(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)
    base = base_on(client, proposal)
    client.logout()

    sent = client.post(address(proposal), {"title": "Typed long ago", "base": base})
    log_in(client, proposal.applicant)
    page = client.get(address(proposal)).content.decode()

    assert sent.url == f"{reverse('account_login')}?{urlencode({'next': address(proposal)})}"
    assert "What you typed before you were logged out" in page
    assert 'value="Typed long ago"' in page
    assert "Typed long ago" not in client.get(address(proposal)).content.decode()


def test_what_is_sent_after_a_log_out_and_after_a_colleague_submitted_is_kept_and_said_to_be_late(client_as):
    proposal = ProposalFactory()
    colleague = writer_of(proposal)
    client = client_as(colleague)
    client.logout()
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)

    client.post(address(proposal), {"title": "Typed too late", "base": "{}"})
    log_in(client, colleague)
    answer = client.get(address(proposal))

    proposal.refresh_from_db()
    assert answer.status_code == 409
    assert "Typed too late" in answer.content.decode() and "is not submitted" in answer.content.decode()
    assert proposal.versions.first().not_taken["title"] == "Typed too late"
    assert proposal.title != "Typed too late"
    assert client.get(address(proposal)).url == proposal.get_absolute_url()  # once


def test_a_message_sent_after_a_log_out_is_on_the_page_after_the_log_in(client_as):
    proposal = ProposalFactory(submitted=True)
    client, page = client_as(proposal.applicant), proposal.get_absolute_url()
    client.logout()

    sent = client.post(reverse("proposals:proposal_message", args=[proposal.address]), {"text": "When is the panel?"})
    log_in(client, proposal.applicant)

    assert sent.url == f"{reverse('account_login')}?{urlencode({'next': page})}"
    assert "When is the panel?</textarea>" in client.get(page).content.decode()
    assert not proposal.messages.exists()


def test_a_file_sent_with_a_clashing_answer_is_kept(client_as):
    proposal = new_draft()
    client, evidence = client_as(proposal.applicant), address(proposal, "draft_section", "evidence")
    client.post(evidence, {"evaluation-1-result": "Theirs", "version": "0", "later": "1"})

    mine = {"evaluation-1-result": "Mine", "evaluation-1-file": png(), "version": "0", "later": "1"}
    page = client.post(evidence, mine).content.decode()

    assert "Theirs" in page and "Mine" in page
    assert proposal.attachments.current().get().question == "evaluation-1-file"


def test_what_is_sent_when_an_idle_session_has_just_ended_is_on_the_page_after_the_log_in(client_as):
    proposal = new_draft(applicant=UserFactory(staff=True))
    client = client_as(proposal.applicant)
    now = clock.now()
    client.get(address(proposal))

    with clock.at(now + dt.timedelta(minutes=45)):
        client.post(address(proposal), {"title": "Typed over lunch", "base": "{}"})
        log_in(client, proposal.applicant)
        page = client.get(address(proposal)).content.decode()

    assert 'value="Typed over lunch"' in page


def test_kept_text_is_shown_to_nobody_who_may_not_write_the_proposal_and_is_forgotten_after_a_day():
    proposal = new_draft()
    client = Client()
    client.post(address(proposal), {"title": "Secret"})

    log_in(client, UserFactory())
    assert client.get(address(proposal)).status_code == 404
    log_in(client, proposal.applicant)
    with clock.at(clock.now() + dt.timedelta(hours=25)):
        log_in(client, proposal.applicant)
        assert "Secret" not in client.get(address(proposal)).content.decode()


@pytest.mark.parametrize("text", ["", "x" * 600_000])
def test_nothing_and_floods_are_not_kept_and_nothing_for_a_proposal_that_there_is_not(text):
    proposal, client = new_draft(), Client()
    url = address(proposal)

    client.post(url, {"title": text} if text else {})
    client.post(url.replace(str(proposal.public_id)[:8], "00000000"), {"title": "Typed"})

    assert "proposals_typed" not in client.session


# Earlier versions -----------------------------------------------------------------------------------------------------
def save(proposal, by=None, section=ABOUT, **answers):
    proposal.refresh_from_db()
    return actions.save_draft(
        proposal=proposal, by=by or proposal.applicant, section=section, answers=answers, version=proposal.version
    )


def test_earlier_versions_say_who_when_how_and_which_sections_changed(client_as, queries_of):
    proposal = new_draft()
    other = writer_of(proposal)
    client = client_as(proposal.applicant)
    save(proposal, title="One")
    with_one = queries_of(client, [address(proposal, "draft_versions")])
    save(proposal, by=other, section=questions.BY_SLUG["growth"], growth="Ten jobs")
    autosave(client, proposal, base_on(client, proposal), title="Three")

    page = client.get(address(proposal, "draft_versions")).content.decode()

    assert queries_of(client, [address(proposal, "draft_versions")]) == with_one
    assert page.count("Changed: About the proposal") == 2 and "Changed: Growth" in page
    assert other.display_name in page
    assert "saved by the page itself" in page and "saved by a button" in page


def test_a_version_shows_its_difference_from_now_in_words_and_can_be_brought_back_without_losing_anything(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)
    save(proposal, title="Fewer falls", problem="Many people fall")
    save(proposal, title="Fewer falls at night", problem="")

    page = client.get(address(proposal, "draft_version", 1)).content.decode()
    client.post(address(proposal, "draft_restore", 1), {"section": "about"})

    assert re.search(r"<ins><span[^>]*>\[added: </span> at night", page)
    assert re.search(r"<del><span[^>]*>\[taken out: </span>Many people fall", page)
    proposal.refresh_from_db()
    assert proposal.answers == {"title": "Fewer falls", "problem": "Many people fall"}
    assert [one.answers["title"] for one in proposal.versions.all()] == [
        "Fewer falls", "Fewer falls at night", "Fewer falls",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hours_after", "said"), [(-1, "while someone else changed the same answer"), (1, "could no longer be changed")]
)
def test_a_version_says_why_its_text_was_not_taken_by_when_it_was_typed(client_as, hours_after, said):
    proposal = ProposalFactory()
    actions.submit_proposal(proposal=proposal, by=proposal.applicant)
    proposal.versions.create(
        number=7, answers={}, not_taken={"title": "Typed"}, saved_by=proposal.applicant,
        saved_at=clock.now() + dt.timedelta(hours=hours_after),
    )  # fmt: skip

    page = client_as(proposal.applicant).get(
        reverse("proposals:draft_version", args=[proposal.call.slug, proposal.public_id, 7])
    )

    assert f"It was typed {'when the proposal ' if hours_after > 0 else ''}{said}" in page.content.decode()


def test_text_that_was_not_taken_can_be_used_from_the_version_that_holds_it(client_as):
    proposal = new_draft()
    client = client_as(proposal.applicant)
    autosave(client_as(writer_of(proposal)), proposal, problem="Their text")
    autosave(client, proposal, problem="My text")
    number = proposal.versions.exclude(not_taken={}).get().number

    page = client.get(address(proposal, "draft_version", number)).content.decode()
    client.post(address(proposal, "draft_restore", number), {"name": "problem"})

    proposal.refresh_from_db()
    assert "Text that was not taken" in page and "My text" in page
    assert proposal.answers["problem"] == "My text"
    assert "Their text" in [one.answers["problem"] for one in proposal.versions.all()]


def test_versions_are_for_the_team_only_and_a_reader_can_restore_nothing(client_as):
    proposal = new_draft()
    save(proposal, title="One")
    save(proposal, title="Two")
    pages = [address(proposal, "draft_versions"), address(proposal, "draft_version", 1)]
    reader = client_as(writer_of(proposal, Collaborator.Role.VIEW))

    for user in (UserFactory(), UserFactory(staff=True), UserFactory(reviewer=True)):
        assert {client_as(user).get(page).status_code for page in pages} == {404}
    assert {reader.get(page).status_code for page in pages} == {200}
    assert reader.post(address(proposal, "draft_restore", 1), {}).status_code == 404
    assert proposal.versions.count() == 2
