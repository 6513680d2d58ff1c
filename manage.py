#!/usr/bin/env python
import os
import sys

from psc_portal import local_servers

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "psc_portal.settings")
    local_servers.load_demo_environment()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
