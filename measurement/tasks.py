"""Jobs of the measurement plan. Each fetches by id and calls one function."""

from celery import shared_task

from measurement import actions, importing
from measurement.models import ImportFile


@shared_task(name="measurement.remind", expires=3600)
def remind():  # may run twice: each late period is told to a person once
    actions.remind_of_late_data()


@shared_task(name="measurement.handle_file", soft_time_limit=600, time_limit=630)
def handle_file(import_file_pk):  # may run twice: the second finds it taken
    importing.handle(import_file=ImportFile.objects.get(pk=import_file_pk))


@shared_task(name="measurement.sweep_files", expires=30)
def sweep_files():
    importing.sweep()
