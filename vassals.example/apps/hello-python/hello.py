"""The smallest WSGI application that shows something."""

import os


def application(environ, start_response):
    body = f"Hello from Python at {environ['PATH_INFO']}, worker {os.getpid()}\n".encode()
    start_response(
        "200 OK",
        [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))],
    )
    return [body]
