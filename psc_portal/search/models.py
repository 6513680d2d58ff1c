"""What the search knows of words: which mean the same here, and which there are at all."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.db import models
from django.db.models import Func, TextField

from psc_portal.common.models import Timestamped


class Stems(Func):
    """Each of several phrases as the search compares it: stemmed, in order, without stop words."""

    function = "search_stems"
    output_field = ArrayField(TextField())


class Synonym(Timestamped):
    """Words that mean the same in this field: whoever searches for one of them finds the others too."""

    terms = ArrayField(models.CharField(max_length=60), help_text="Two to twelve words or short phrases")
    stems = models.GeneratedField(
        expression=Stems("terms"), output_field=ArrayField(models.TextField()), db_persist=True
    )

    class Meta:
        ordering = ["terms"]
        indexes = [GinIndex(fields=["stems"], name="synonym_stems")]

    def __str__(self):
        return ", ".join(self.terms)


class SearchWord(models.Model):
    """A word of what everybody may read, for “did you mean”. Made anew now and then from the public rows alone."""

    word = models.CharField(max_length=40, primary_key=True)
    rows = models.PositiveIntegerField(help_text="How many public things hold it")

    class Meta:
        ordering = ["word"]
        indexes = [GistIndex(OpClass("word", name="gist_trgm_ops"), name="searchword_trigrams")]

    def __str__(self):
        return self.word
