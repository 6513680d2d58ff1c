import pytest
from django.apps import apps

from psc_portal.common.models import Stateful
from psc_portal.management.commands.write_states import PATH, all_states

STATEFUL = [model for model in apps.get_models() if issubclass(model, Stateful)]


@pytest.mark.parametrize("model", STATEFUL, ids=lambda model: model.__name__)
def test_every_status_of_a_stateful_model_has_its_transitions(model):
    statuses = set(dict(model._meta.get_field("status").flatchoices))

    assert set(model.TRANSITIONS) == statuses
    assert set().union(*model.TRANSITIONS.values()) <= statuses


def test_docs_show_the_states_that_the_code_has():
    assert PATH.read_text() == all_states(), "run: manage.py write_states"
