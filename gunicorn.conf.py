"""How gunicorn serves the portal. WEB_CONCURRENCY (gunicorn's own variable) sets the number of processes."""

import gc
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


def post_worker_init(worker):
    """What is loaded at the start stays, and a ranking makes tens of thousands of rows: look for garbage less often."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
