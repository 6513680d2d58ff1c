"""Export and erase: every model that names people is listed, and a person with rows in all of them goes wholly."""

import datetime as dt
import itertools
import json

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.urls import reverse

from projects.models import Registration, Subscription
from psc_portal.accounts import actions
from psc_portal.accounts.models import User
from psc_portal.common import clock, outbox, personal_data
from psc_portal.common.models import AuditEvent, OutboxMessage
from psc_portal.common.refusals import ActionRefused
from psc_portal.content.models import Feedback
from tests.factories.accounts import UserFactory
from tests.factories.content import FeedbackFactory
from tests.factories.projects import EventFactory, RegistrationFactory

pytestmark = pytest.mark.django_db

NAME, ADDRESS = "Quilla Ravensworth", "quilla@ravensworth.example"
NAMES = {"Registration.name", "Feedback.name", "ConsultationResponse.name", "SignUp.signatory_name",
         "Invitation.full_name"}  # fmt: skip
STATES = {  # what an action may read of the row
    "pledges.WordingSet": {"from_date": dt.date(2001, 1, 1), "to_date": dt.date(2002, 1, 1)},
    "proposals.Proposal": {"status": "submitted", "submitted_at": dt.datetime(2026, 3, 2, tzinfo=clock.UK)},
}
BY_HAND = {("common.OutboxMessage", "reply_to")}  # mails: erase_mails


@pytest.fixture
def staff():
    UserFactory(staff=True)
    return UserFactory(staff=True)


def columns_that_name_people():
    """(model, column) of every foreign key to a user and every e-mail address, of our models and of others' apps."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            is_person = column.is_relation and column.related_model is User and not column.primary_key
            if is_person or isinstance(column, models.EmailField):
                yield model, column


def test_every_column_that_names_a_person_is_listed_for_export_and_erasing():
    listed = {
        (held.model._meta.label, name)
        for held in personal_data.everything()
        for name in (*held.people, *held.addresses)
    }

    missing = {(model._meta.label, column.name) for model, column in columns_that_name_people()} - listed - BY_HAND

    assert not missing, "list these in the personal_data.py of their app"


def test_what_is_listed_says_what_it_shows_and_what_becomes_of_it_or_why_it_stays():
    for held in personal_data.everything():
        assert held.shown or held.is_deleted, held.what
        assert held.is_deleted or held.kept, held.what
    names = [held.what for held in personal_data.everything()]
    assert len(names) == len(set(names)), "an export would show one and lose the other"


# A person with a row in every table ----------------------------------------------------------------------------------
class Everywhere:
    """Makes one row of each model, with the person in every column that can hold one. Rules of content are lifted."""

    def __init__(self, person):
        self.person, self.rows, self.numbers = person, {}, itertools.count(7000)

    def row(self, model):
        if model is User:
            return self.person
        if model not in self.rows:
            self.rows[model] = None  # a way back to itself stays empty
            values = {c.name: self.value(model, c) for c in model._meta.concrete_fields if self.is_wanted(c)}
            row = model(**values | STATES.get(model._meta.label, {}))
            models.Model.save_base(row, force_insert=True)
            self.rows[model] = row
        return self.rows[model]

    @staticmethod
    def is_wanted(column):
        return not (column.primary_key and column.has_default() is False and not column.is_relation) and not (
            column.generated or isinstance(column, models.FileField)
        )

    def value(self, model, column):
        if column.is_relation:
            return self.relation(model, column)
        if isinstance(column, models.EmailField):
            return ADDRESS
        if column.has_default() and not isinstance(column, models.CharField | models.TextField):
            return column.get_default()
        if column.choices:
            return next(value for value, _ in column.flatchoices if value != "")
        if column.null and not isinstance(column, models.CharField | models.TextField | models.DateField):
            return None
        return self.plain(model, column)

    def relation(self, model, column):
        if column.related_model is User:
            return self.person
        if column.null or column.related_model is model:
            return None
        return self.row(column.related_model)

    def plain(self, model, column):
        number = next(self.numbers)
        if isinstance(column, models.DateTimeField):
            return clock.now() - dt.timedelta(days=30) if not column.null else None
        if isinstance(column, models.DateField):
            return clock.today() if not column.null else None
        if f"{model.__name__}.{column.name}" in NAMES:
            return NAME
        if isinstance(column, models.SlugField | models.CharField):
            return f"t{number}"[: column.max_length]
        if isinstance(column, models.TextField):
            return f"Text of {model.__name__}.{column.name}"
        if isinstance(column, models.BooleanField):
            return False
        if isinstance(column, models.DecimalField):
            return 1
        if isinstance(column, models.JSONField):
            return []
        if isinstance(column, ArrayField):
            return []
        if isinstance(column, models.GenericIPAddressField):
            return "192.0.2.1"
        return number % 30_000

    def lift_rules(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' "
                           "AND connamespace = 'public'::regnamespace AND conrelid <> 0")  # fmt: skip
            for table, name in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def everything_stored() -> str:
    """The text of every row of every table, as PostgreSQL writes it."""
    said = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" t')
            said += [f"{model._meta.label}: {row}" for (row,) in cursor.fetchall()]
    return "\n".join(said)


@pytest.fixture
def person():
    """Somebody who is named in every table that can name a person."""
    person = UserFactory(full_name=NAME, email=ADDRESS, reviewer=True)
    everywhere = Everywhere(person)
    everywhere.lift_rules()
    for held in personal_data.everything():
        everywhere.row(held.model)
    outbox.store_mail(to=[ADDRESS], subject=f"Hello {NAME}", body=f"Dear {NAME}", reply_to=ADDRESS)
    return person


def test_a_person_named_in_every_table_is_exported_wholly(person, staff):
    exported = actions.export_person(user=person, by=staff)

    rows = {held.what for held in personal_data.everything() if not exported.get(held.what)}
    assert rows == set()
    assert exported["rows you may not read"] == {}
    assert set(exported["what erasing the person does"]) == {held.what for held in personal_data.everything()}
    said = json.dumps(exported, default=str)
    for text in ("ProgressUpdate.what_changed", "Feedback.message", "ConsultationAnswer.text", "Section.text",
                 "Registration.access_needs", "Review.comment", "Message.text"):  # fmt: skip
        assert f"Text of {text}" in said
    assert ADDRESS in said


def test_a_person_named_in_every_table_is_erased_wholly_and_each_thing_that_stays_says_why(person, staff):
    before = everything_stored()
    assert before.count(ADDRESS) > 5

    done = actions.erase_person(user=person, by=staff)

    left = [line for line in everything_stored().splitlines() if NAME in line or ADDRESS in line]
    assert left == []
    assert len(done) > len(personal_data.listed) / 2
    assert all(line.endswith(".") for line in done)
    person.refresh_from_db()
    assert (person.full_name, person.is_active) == ("Erased person", False)


def test_what_staff_may_not_read_of_proposals_is_counted_and_not_exported(staff):
    from tests.factories.proposals import ProposalFactory

    draft = ProposalFactory(title="A secret idea")

    exported = actions.export_person(user=draft.applicant, by=staff)

    assert exported["rows you may not read"] == {"proposals": 1}
    assert "A secret idea" not in json.dumps(exported, default=str)


def test_an_export_shows_nothing_of_somebody_else(staff):
    other = RegistrationFactory(name="Other Person", email="other@example.org")
    person = UserFactory()
    RegistrationFactory(event=other.event, email=person.email.upper())

    exported = actions.export_person(user=person, by=staff)

    assert len(exported["event registrations"]) == 1
    assert "Other Person" not in json.dumps(exported, default=str)


# Somebody without an account -----------------------------------------------------------------------------------------
@pytest.fixture
def visitor():
    """An address that gave feedback, subscribed, has a place at an event for one, and wrote a message."""
    FeedbackFactory(name="Vera Visitor", email="vera@visitor.example", message="The page on falls helped my mother.")
    Subscription.objects.create(email="vera@visitor.example")
    event = EventFactory(places=1)
    RegistrationFactory(event=event, name="Vera Visitor", email="Vera@visitor.example", access_needs="A hearing loop")
    RegistrationFactory(event=event, status="waiting", email="next@example.org")
    outbox.store_mail(to=["lead@example.org"], subject="A question", body="Vera asks", reply_to="vera@visitor.example")
    return "vera@visitor.example"


def test_staff_export_and_erase_what_an_address_without_an_account_gave(client_as, staff, visitor):
    client = client_as(staff)

    exported = client.post(reverse("admin:accounts_user_export_address"), {"email": visitor})
    erased = client.post(reverse("admin:accounts_user_erase_address"), {"email": visitor}, follow=True)

    assert "attachment" in exported["Content-Disposition"]
    for text in ("The page on falls helped my mother.", "A hearing loop", "A question"):
        assert text in exported.content.decode()
    assert "event registrations (1)" in erased.content.decode()
    assert "vera@visitor.example" not in everything_stored().lower()
    assert "Vera" not in everything_stored()
    assert Feedback.objects.get().message == "Erased."
    assert not Subscription.objects.exists()
    assert list(Registration.objects.order_by("pk").values_list("status", flat=True)) == ["cancelled", "registered"]
    assert OutboxMessage.objects.filter(to=["next@example.org"]).exists()
    assert AuditEvent.objects.filter(verb="erase_address").exists()


def test_an_address_with_an_account_is_sent_to_its_account(staff):
    person = UserFactory()

    for action in (actions.export_address, actions.erase_address):
        with pytest.raises(ActionRefused, match="There is an account"):
            action(email=person.email.upper(), by=staff)


def test_only_staff_export_and_erase_addresses(client_as, visitor):
    reviewer = UserFactory(reviewer=True)

    for action in (actions.export_address, actions.erase_address):
        with pytest.raises(PermissionDenied):
            action(email=visitor, by=reviewer)
    assert client_as(reviewer).get(reverse("admin:accounts_user_erase_address")).status_code == 404
    assert Feedback.objects.get().email == visitor


def test_a_failure_half_way_erases_nothing(staff, visitor, monkeypatch):
    monkeypatch.setattr("psc_portal.common.personal_data.erase_mails", lambda *values: 1 / 0)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        actions.erase_address(email=visitor, by=staff)

    assert Feedback.objects.get().email == visitor
