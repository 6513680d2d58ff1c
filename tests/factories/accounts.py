import factory
from django.contrib.auth.models import Group

from psc_portal.accounts.models import Role, User

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

    class Params:
        staff = factory.Trait(is_staff=True, roles=[Role.PROGRAMME_STAFF])
        reviewer = factory.Trait(is_staff=True, roles=[Role.REVIEWER])
        lead = factory.Trait(roles=[Role.LEAD])
