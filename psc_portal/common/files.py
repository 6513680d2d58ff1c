"""Uploaded and generated files: stored under random names, given out by views that ask who may have them."""

import uuid
from pathlib import PurePath

from django.core.files.storage import default_storage as private_storage
from django.http import FileResponse
from django.utils.deconstruct import deconstructible

__all__ = ["attachment_response", "private_storage", "random_name"]


@deconstructible
class random_name:
    """`upload_to` that keeps nothing of the user's file name but a harmless ending."""

    def __init__(self, folder: str):
        self.folder = folder

    def __call__(self, instance, filename):
        ending = PurePath(filename).suffix.lower()
        return f"{self.folder}/{uuid.uuid4().hex}{ending if ending[1:].isalnum() else ''}"

    def __eq__(self, other):
        return isinstance(other, random_name) and other.folder == self.folder


def attachment_response(stored, name: str, *, content_type: str | None = None) -> FileResponse:
    """The stored file as a download called `name`. The caller has asked whether this user may have it."""
    response = FileResponse(stored.open("rb"), as_attachment=True, filename=name, content_type=content_type)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
