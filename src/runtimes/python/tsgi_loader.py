"""The loader of a vassal's Python application: loads it once, forks workers from it, tells how they end.

Gets its settings on stdin (NUL-separated key, value, ...); dials the socket named there and speaks lines: "loaded",
"failed TEXT", "forked TICKET PID", "exited PID STATUS" to the vassal process, "fork TICKET", "opened TICKET" from it. It
exits when that connection ends.

Every module that is imported here is paid for at each boot. `socket` and `signal` bring enum, selectors and functools
(10 ms); the C modules below them are all that is needed.
"""
import _signal
import _socket
import faulthandler
import mmap
import os
import select
import sys

import tsgi_load
import tsgi_worker
import tsgi_wsgi

MINIMUM = (3, 8)
OPEN_TO_THE_END = []


def main():
    settings = read_settings()
    os.chdir(settings["directory"])
    sys.argv[:] = [settings["target"]]
    tsgi_load.prepare_path(settings["directory"], settings["pythonpath"].split(":"))
    sys.stdout.reconfigure(line_buffering=True)
    link = dial(settings, "loader", "0")
    _signal.signal(_signal.SIGINT, ignore)
    _signal.signal(_signal.SIGHUP, ignore)
    if sys.version_info < MINIMUM:
        tell(link, "failed Cannot use Python %d.%d: at least %d.%d is needed" % (sys.version_info[:2] + MINIMUM))
        return 22
    application = None
    if settings["preload"] == "1":
        try:
            application = load(settings)
        except tsgi_load.LoadError as error:
            tsgi_load.print_load_error(error)
            tell(link, "failed " + " ".join(str(error).split()))
            return 22
    tell(link, "loaded")
    return Loader(settings, link, application).run()


def read_settings():
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    if not text:
        # The vassal process is gone, or gave up before it came to this one.
        os._exit(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    parts = iter(text.split("\0"))
    return dict(zip(parts, parts))


def load(settings):
    return tsgi_load.load_application(settings["target"], settings["callable"], settings["directory"])


def dial(settings, role, ticket):
    link = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    link.connect(settings["socket"])
    hello = "%s %s %s %d\n" % (settings["token"], role, ticket, os.getpid())
    link.sendall(hello.encode("ascii"))
    return link


def tell(link, line):
    link.sendall(line.encode("utf-8", "backslashreplace") + b"\n")


def ignore(_number, _frame):
    """A handler and not SIG_IGN, which programs started by the application would inherit."""


class Loader:
    """Forks on demand and reports deaths; it runs no request and no thread."""

    def __init__(self, settings, link, application):
        self.settings = settings
        self.link = link
        self.application = application
        self.children = set()
        #: Output FIFOs by ticket, held open until the vassal process reads them.
        self.outputs = {}
        self.wake, self.waker = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self.waker, False)

    def run(self):
        _signal.signal(_signal.SIGCHLD, ignore)
        # Service managers signal whole groups: the loader goes when the vassal process closes its connection.
        _signal.signal(_signal.SIGTERM, ignore)
        _signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        self.freeze()
        poll = select.poll()
        poll.register(self.link.fileno(), select.POLLIN)
        poll.register(self.wake, select.POLLIN)
        rest = b""
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self.wake:
                    self.drain_wake()
                    self.reap()
                    continue
                try:
                    chunk = self.link.recv(65536)
                except OSError:
                    chunk = b""
                if not chunk:
                    os._exit(0)
                lines = (rest + chunk).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    self.order(line.decode("ascii"))

    def freeze(self):
        """What is loaded now lives as long as the process: keep the collector from touching shared pages."""
        import gc

        gc.collect()
        gc.freeze()

    def drain_wake(self):
        try:
            while os.read(self.wake, 4096):
                pass
        except BlockingIOError:
            pass

    def reap(self):
        # By pid: the application may have children of its own, whose status is not ours to take.
        for pid in list(self.children):
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                ended, status = pid, 0
            if ended:
                self.children.discard(pid)
                tell(self.link, "exited %d %d" % (pid, status))

    def order(self, line):
        word, _, ticket = line.partition(" ")
        if word == "fork":
            self.fork(ticket)
        elif word == "opened":
            for descriptor in self.outputs.pop(ticket, ()):
                os.close(descriptor)

    def fork(self, ticket):
        outputs = [self.open_output(ticket, name) for name in ("out", "err")]
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError as error:
            for descriptor in outputs:
                os.close(descriptor)
            tell(self.link, "unforked %s %s" % (ticket, error.strerror))
            return
        if pid == 0:
            self.become_worker(ticket, outputs)
        self.outputs[ticket] = outputs
        self.children.add(pid)
        tell(self.link, "forked %s %d" % (ticket, pid))

    def open_output(self, ticket, name):
        """A FIFO and not a socket: programs open /dev/stdout."""
        path = os.path.join(self.settings["scratch"], "%s-%s" % (name, ticket))
        os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def become_worker(self, ticket, outputs):
        status = 1
        try:
            _signal.set_wakeup_fd(-1)
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
            _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)
            for index, descriptor in enumerate(outputs):
                os.dup2(descriptor, index + 1)
                os.close(descriptor)
            for held in self.outputs.values():
                for descriptor in held:
                    os.close(descriptor)
            os.close(self.wake)
            os.close(self.waker)
            self.link.close()
            status = work(self.settings, ticket, self.application)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            leave(status)


def work(settings, ticket, application):
    """The life of a worker process."""
    threads = int(settings["threads"])
    control = dial(settings, "control", ticket)
    data = dial(settings, "data", ticket)
    # Their end tells the vassal process that this one is over: after exit handlers, not before.
    OPEN_TO_THE_END.extend((control, data))
    with open(os.path.join(settings["scratch"], "begun-" + ticket), "r+b") as file:
        begun = mmap.mmap(file.fileno(), 4 * threads)
    # The last resort of a deadline, when code that holds the interpreter lock keeps the control thread from answering.
    faulthandler.register(_signal.SIGRTMIN + 6, file=2, all_threads=True)
    if application is None:
        try:
            application = load(settings)
        except tsgi_load.LoadError as error:
            tsgi_load.print_load_error(error)
            return 22
    base = {
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_SOFTWARE": settings["software"],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": threads > 1,
        "wsgi.multiprocess": int(settings["workers"]) > 1,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        "wsgi.file_wrapper": tsgi_wsgi.FileWrapper,
    }
    tsgi_worker.Worker(data, control, begun, threads, base).run(application)
    return 0


def leave(status):
    """Exit handlers of the application run; threads that still run something do not keep the process."""
    import atexit

    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        status = status or 1
    os._exit(status)
