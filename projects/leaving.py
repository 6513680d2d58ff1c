"""What a person looks after in an organisation, and who could take it over."""

from django.contrib.auth import get_user_model
from django.db.models import Q

from projects.models import Affiliation
from psc_portal.common.hand_over import duties_of


def place_of_duties(affiliation) -> int | None:
    """The organisation whose duties end with the affiliation; None, so all, where the person belongs nowhere else."""
    elsewhere = Affiliation.objects.current().filter(user=affiliation.user_id).exclude(pk=affiliation.pk)
    return affiliation.organisation_id if elsewhere.exists() else None


def duties_at(affiliation):
    if affiliation.status != Affiliation.Status.CONFIRMED:
        return []
    return duties_of(affiliation.user, place_of_duties(affiliation))


def people_to_take_over(affiliation):
    """Members of the organisation; programme staff too."""
    members = Affiliation.objects.current().filter(organisation=affiliation.organisation_id).values("user")
    people = get_user_model().objects.filter(Q(pk__in=members) | Q(groups__name="programme staff"), is_active=True)
    return people.exclude(pk=affiliation.user_id).distinct().order_by("full_name")
