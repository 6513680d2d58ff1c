from django.core.management.base import BaseCommand

from psc_portal.content import actions


class Command(BaseCommand):
    help = "Bring pages that nobody has edited up to the text this version of the portal carries. Safe to run again."

    def handle(self, **options):
        changed = actions.refresh_essential_pages()
        self.stdout.write(f"Pages brought up to date: {', '.join(changed) or 'none'}")
