from celery import shared_task

from psc_portal.search import words


@shared_task(name="search.learn_words", expires=300)
def learn_words():  # may run twice: the second finds that nothing has changed
    words.learn_words_if_changed()
