"""Organisations write to each other through the portal: no address is shown, nothing is smuggled into a mail."""

import datetime as dt
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from pledges import actions
from pledges.models import Buddy
from psc_portal.common import clock
from psc_portal.common.models import OutboxMessage
from psc_portal.common.refusals import ActionRefused
from tests.factories.accounts import UserFactory
from tests.factories.pledges import SignUpFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def buddy():
    sign_up = SignUpFactory(published=True)
    return actions.open_buddy(organisation=sign_up.organisation, offers="How we began huddles.", by=sign_up.signatory)


def write_url(buddy):
    return reverse("pledges:buddy_write", args=[buddy.organisation.slug])


def write(client, buddy, message="May we visit?", token=None):
    return client.post(write_url(buddy), {"message": message, "token": token or uuid.uuid4()})


def test_a_member_opts_in_and_others_write_without_seeing_an_address(client, client_as, buddy):
    writer = UserFactory()

    page = client.get(f"/pledges/{buddy.organisation.slug}/").content.decode()
    write(client_as(writer), buddy)

    mail = OutboxMessage.objects.get(to=[buddy.contact.email])
    assert "How we began huddles." in page
    assert buddy.contact.email not in page + client_as(writer).get(write_url(buddy)).content.decode()
    assert (mail.reply_to, "May we visit?" in mail.body) == (writer.email, True)


def test_a_double_click_sends_one_message(client_as, buddy):
    client, token = client_as(UserFactory()), uuid.uuid4()

    for _ in range(2):
        write(client, buddy, token=token)

    assert OutboxMessage.objects.filter(to=[buddy.contact.email]).count() == 1


def test_line_ends_in_names_smuggle_no_header_into_the_mail(client_as, buddy):
    writer = UserFactory(full_name="Eve\r\nBcc: all@example.org")

    write(client_as(writer), buddy, message="Hello\r\nBcc: all@example.org")

    mail = OutboxMessage.objects.get(to=[buddy.contact.email])
    assert "\n" not in mail.subject + mail.reply_to
    assert mail.to == [buddy.contact.email]


def test_an_nhs_number_is_refused_and_the_message_stays_in_its_box(client_as, buddy):
    page = write(client_as(UserFactory()), buddy, message="About 943 476 5919").content.decode()

    assert "what looks like an NHS number" in page
    assert "About 943 476 5919" in page
    assert not OutboxMessage.objects.exists()


def test_a_person_writes_at_most_ten_messages_a_day(client_as, buddy):
    writer = UserFactory()
    client = client_as(writer)
    for _ in range(actions.buddies.MESSAGES_A_DAY):
        write(client, buddy)

    page = write(client, buddy).content.decode()

    assert "messages a day" in page
    assert OutboxMessage.objects.count() == actions.buddies.MESSAGES_A_DAY
    with clock.at(clock.now() + dt.timedelta(days=2)):
        actions.write_to_buddy(buddy=buddy, message="Again", by=writer, token=uuid.uuid4())


def test_without_an_account_the_form_asks_to_log_in(client, buddy):
    assert "/accounts/login/" in client.get(write_url(buddy)).url


def test_only_members_open_and_end_the_offer(client_as, buddy):
    stranger = UserFactory()
    url = reverse("pledges:buddy_offer", args=[buddy.organisation.slug])

    assert client_as(stranger).post(url, {"close": "1"}).status_code == 404
    for action in (lambda **v: actions.open_buddy(offers="x", **v), actions.close_buddy):
        with pytest.raises(PermissionDenied):
            action(organisation=buddy.organisation, by=stranger)
    client_as(buddy.contact).post(url, {"close": "1"})
    assert not Buddy.objects.open().exists()
    assert client_as(stranger).get(write_url(buddy)).status_code == 404


def test_an_offer_ends_with_the_affiliation_of_its_contact(client_as, buddy):
    buddy.organisation.affiliations.update(status="ended")

    assert client_as(UserFactory()).get(write_url(buddy)).status_code == 404
    with pytest.raises(ActionRefused, match="no longer takes messages"):
        actions.write_to_buddy(buddy=buddy, message="Hello", by=UserFactory(), token=uuid.uuid4())
