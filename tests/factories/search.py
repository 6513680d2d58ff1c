import factory

from psc_portal.search.models import Synonym


class SynonymFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Synonym

    terms = ("bed sore", "bedsore", "pressure ulcer")
