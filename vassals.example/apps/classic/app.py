"""A WSGI application as it was written for uWSGI."""

import os


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    yield f"Hello from {os.environ['APP_NAME']}, mode {os.environ['APP_MODE']}\n".encode()
