"""How gunicorn serves the portal. WEB_CONCURRENCY (gunicorn's own variable) sets the number of processes."""

import os

bind = os.environ.get("BIND", f"127.0.0.1:{os.environ.get('PORT', '8000')}")
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
timeout = 60
graceful_timeout = 25
max_requests = 5000  # a process is replaced now and then, so that no leak grows for weeks
max_requests_jitter = 500
control_socket_disable = True
accesslog = "-"
