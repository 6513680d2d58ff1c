import factory
from django.contrib.auth.models import Group

from psc_portal.accounts.models import ADMIN_ROLES, Role, User

PASSWORD = "a-long-test-password"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda number: f"person{number}@example.org")
    full_name = factory.Sequence(lambda number: f"Person {number}")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def roles(self, create, extracted, **kwargs):
        for role in extracted or []:
            self.groups.add(Group.objects.get_or_create(name=role)[0])

    @classmethod
    def _generate(cls, strategy, params):
        """`staff=True`, `reviewer=True`, `lead=True`; traits cannot set what is done after the row."""
        for trait, role in (("staff", Role.PROGRAMME_STAFF), ("reviewer", Role.REVIEWER), ("lead", Role.LEAD)):
            if params.pop(trait, False):
                params.setdefault("is_staff", role in ADMIN_ROLES)
                params["roles"] = [*params.get("roles", []), role]
        return super()._generate(strategy, params)
