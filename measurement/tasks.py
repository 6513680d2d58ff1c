"""Jobs of the measurement plan. Each calls one function."""

from celery import shared_task

from measurement import actions


@shared_task(name="measurement.remind", expires=3600)
def remind():  # may run twice: each late period is told to a person once
    actions.remind_of_late_data()
