"""One worker process: takes batches of requests from the data connection, answers in batches, obeys the control one."""
import _signal
import _socket
import _thread
import itertools
import os
import select
import struct
import sys
import time
from _collections import deque

import tsgi_wsgi
from tsgi_wsgi import (
    CREDIT,
    DATA,
    END,
    HEAD_BYTES,
    TEMPLATE,
    TEMPLATES_MAX,
    UNNAMED,
    pack_frame,
    pack_head,
    run_application,
)

# Frame types; the same numbers stand in src/protocol/worker-channel/frame.ts.
REQUEST, REQUEST_BODY, REQUEST_ASK, ABORT = 1, 2, 3, 7
RECALL, DUMP, FLUSH, PING = 8, 9, 10, 11
READY, RECALLED, STACK, LEAVING, PONG = 48, 49, 50, 51, 52

HEADER_BYTES = 9
# Below the size at which malloc maps and unmaps pages for every read.
RECEIVE_BYTES = 65536
#: Bytes of a response that may be under way before the front has passed them on.
SEND_WINDOW = 524288
#: A batch is sent when it is older than this, or when one request took this long.
BATCH_SECONDS = 0.001
SLOW_SECONDS = 0.0002
#: How long running requests may go on once the vassal process is gone.
ORPHAN_SECONDS = 5

unpack_frame = struct.Struct("<IIB").unpack_from
pack_id = struct.Struct("<I").pack_into
unpack_id = struct.Struct("<I").unpack_from


class State:
    """What a request needs beyond its head: body chunks that have arrived, credit for the response."""

    __slots__ = ("chunks", "ended", "aborted", "ask", "granted", "spent", "bell")

    def __init__(self, ask=False):
        self.chunks = deque()
        self.ended = False
        self.aborted = False
        self.ask = ask
        # One counter to a writer: the reading thread grants, the request's thread spends.
        self.granted = SEND_WINDOW
        self.spent = 0
        self.bell = _thread.allocate_lock()
        self.bell.acquire()

    @property
    def credit(self):
        return self.granted - self.spent

    def spend(self, size):
        self.spent += size

    def ring(self):
        try:
            self.bell.release()
        except RuntimeError:
            pass


class Worker:
    """The state of the process; the hot loops keep what they need in local variables."""

    def __init__(self, data, control, begun, threads, base):
        self.data = data
        self.control = control
        #: Shared with the vassal process: the id that each thread began last, so that it survives a SIGKILL.
        self.begun = begun
        self.threads = threads
        self.base = base
        self.application = None
        self.idents = [0] * threads
        #: Requests that have arrived and not begun: whoever pops an id here owns the request.
        self.unbegun = {}
        self.pending = deque()
        self.states = {}
        #: Running requests whose client has left.
        self.aborted = set()
        #: Parts of frames on their way; extended in one call, so that frames stay whole.
        self.out = []
        self.sending = _thread.allocate_lock()
        self.reading = _thread.allocate_lock()
        self.rest = b""
        #: Reading end of the pipe that numbers of signals are written to.
        self.signals = -1
        self.enqueue = self.pending.append
        #: How many requests wait to be begun.
        self.waiting = self.pending.__len__
        #: next() is one step: two threads never get the same number.
        self.numbers = itertools.count()

    def run(self, application):
        """Serves until the vassal process closes the data connection."""
        self.application = application
        _signal.signal(_signal.SIGTERM, self._leave)
        # A handler waits for its thread to come back from recv(), and a signal just before recv() blocks does not wake
        # it: the control thread hears of every signal by this pipe.
        self.signals, bell = os.pipe()
        os.set_blocking(bell, False)
        _signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        os.register_at_fork(after_in_child=self._forget_signals)
        _thread.start_new_thread(self._obey, ())
        if self.threads == 1:
            self.idents[0] = _thread.get_ident()
            self._tell(READY)
            self._serve_alone()
        else:
            self._serve_many()
        self.flush()

    def _tell(self, kind, id=0, payload=b""):
        self.control.sendall(pack_frame(len(payload), id, kind) + payload)

    def _leave(self, _number, _frame):
        """SIGTERM: the vassal process sends nothing more, takes back what has not begun, then closes the connection."""
        self._tell(LEAVING)

    def _forget_signals(self):
        """In a child that the application forks: what ends it must not look like the end of the worker."""
        _signal.set_wakeup_fd(-1)
        if _signal.getsignal(_signal.SIGTERM) == self._leave:
            _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)

    # -- the data connection ------------------------------------------------------------------------------------

    def _serve_alone(self):
        """One thread: it reads, runs and answers. Nobody else is paid for."""
        reading, recv = self.reading, self.data.recv
        pending, unbegun, begun, out = self.pending, self.unbegun, self.begun, self.out
        take, flush, feed, now = self.pending.popleft, self.flush, self.feed, time.monotonic
        batch_at = before = 0.0
        while True:
            if not pending:
                if out:
                    flush()
                with reading:
                    if pending:
                        continue
                    chunk = recv(RECEIVE_BYTES)
                    if not chunk:
                        return
                    feed(chunk)
                batch_at = before = now()
                continue
            id = take()
            block = unbegun.pop(id, None)
            if block is None:
                continue
            pack_id(begun, 0, id)
            run_application(self, id, block)
            after = now()
            # A batch may wait for its next request only while requests are short.
            if after - batch_at > BATCH_SECONDS or after - before > SLOW_SECONDS:
                if out:
                    flush()
                batch_at = after
            before = after

    def _serve_many(self):
        """The main thread reads, N threads run requests."""
        from queue import SimpleQueue

        queue = SimpleQueue()
        self.enqueue = queue.put
        self.waiting = queue.qsize
        for index in range(self.threads):
            _thread.start_new_thread(self._request_thread, (index, queue))
        self._tell(READY)
        recv, feed, reading = self.data.recv, self.feed, self.reading
        try:
            while True:
                with reading:
                    # Blocking with the lock: the control thread has nothing to read for us meanwhile.
                    chunk = recv(RECEIVE_BYTES)
                    if not chunk:
                        return
                    feed(chunk)
        finally:
            for state in list(self.states.values()):
                state.aborted = True
                state.ring()

    def _request_thread(self, index, queue):
        self.idents[index] = _thread.get_ident()
        get, unbegun, begun, flush = queue.get, self.unbegun, self.begun, self.flush
        place = index * 4
        empty = queue.empty
        now = time.monotonic
        while True:
            id = get()
            block = unbegun.pop(id, None)
            if block is None:
                continue
            pack_id(begun, place, id)
            before = now()
            run_application(self, id, block)
            if empty() or now() - before > SLOW_SECONDS:
                flush()

    def feed(self, chunk):
        """Takes frames apart; called with `reading` held."""
        if self.rest:
            chunk = self.rest + chunk
        position = 0
        end = len(chunk)
        unbegun, enqueue, states = self.unbegun, self.enqueue, self.states
        while end - position >= HEADER_BYTES:
            size, id, kind = unpack_frame(chunk, position)
            start = position + HEADER_BYTES
            stop = start + size
            if stop > end:
                break
            position = stop
            if kind == REQUEST:
                unbegun[id] = chunk[start:stop]
                enqueue(id)
            elif kind == DATA:
                state = states.get(id)
                if state is not None:
                    state.chunks.append(chunk[start:stop])
                    state.ring()
            elif kind == END:
                state = states.get(id)
                if state is not None:
                    state.ended = True
                    state.ring()
            elif kind == REQUEST_BODY or kind == REQUEST_ASK:
                states[id] = State(kind == REQUEST_ASK)
                unbegun[id] = chunk[start:stop]
                enqueue(id)
            elif kind == CREDIT:
                state = states.get(id)
                if state is not None:
                    state.granted += int.from_bytes(chunk[start:stop], "little")
                    state.ring()
            elif kind == ABORT:
                self._abort(id)
        self.rest = chunk[position:] if position < end else b""

    def number(self, head):
        """A head that repeats is sent once; numbers are never used again, since a response may still hold its head."""
        number = next(self.numbers)
        if number >= TEMPLATES_MAX:
            head.number = UNNAMED
            return
        size = HEAD_BYTES + len(head.text)
        fixed = pack_head(size, number, TEMPLATE, head.code, head.reason_bytes, head.lines_bytes, 0, 0)
        self.out.append(fixed + head.text)
        # Only now: another thread must not use it before it is on its way.
        head.number = number

    def state_of(self, id):
        state = self.states.get(id)
        if state is None:
            state = self.states[id] = State()
            if id in self.aborted:
                state.aborted = True
        return state

    def wait(self, state, is_met):
        """Until `is_met`, which something on the data connection brings about."""
        self.flush()
        if self.threads > 1:
            if not is_met():
                state.bell.acquire()
            return
        with self.reading:
            # Checked under the lock: the control thread may have read it for us.
            if is_met():
                return
            chunk = self.data.recv(RECEIVE_BYTES)
            if not chunk:
                raise tsgi_wsgi.ClientGone("Cannot go on: the vassal process is gone")
            self.feed(chunk)

    def flush(self):
        """Sends what is ready. Any thread may call it: order is kept, frames stay whole."""
        out = self.out
        with self.sending:
            while out:
                parts = out[:]
                del out[: len(parts)]
                try:
                    self.data.sendall(b"".join(parts) if len(parts) > 1 else parts[0])
                except OSError:
                    # The vassal process is gone; the loops end at the end of file.
                    return

    # -- the control connection ---------------------------------------------------------------------------------

    def _obey(self):
        """A thread of its own, so that it answers while requests run."""
        rest = b""
        try:
            poll = select.poll()
            poll.register(self.control.fileno(), select.POLLIN)
            poll.register(self.signals, select.POLLIN)
            while True:
                ready = [descriptor for descriptor, _ in poll.poll()]
                if self.signals in ready:
                    self._hear(os.read(self.signals, 64))
                if self.control.fileno() not in ready:
                    continue
                chunk = self.control.recv(65536)
                if not chunk:
                    break
                rest += chunk
                while len(rest) >= HEADER_BYTES:
                    size, id, kind = unpack_frame(rest, 0)
                    if len(rest) < HEADER_BYTES + size:
                        break
                    rest = rest[HEADER_BYTES + size :]
                    self._order(kind, id)
        except OSError:
            pass
        time.sleep(ORPHAN_SECONDS)
        os._exit(0)

    def _hear(self, numbers):
        """Signals that have come; one that the application took over is not for us."""
        if _signal.SIGTERM in numbers and _signal.getsignal(_signal.SIGTERM) == self._leave:
            self._tell(LEAVING)

    def _order(self, kind, id):
        if kind == RECALL:
            self._recall()
        elif kind == ABORT:
            self._read_ahead()
            self._abort(id)
        elif kind == DUMP:
            self._tell(STACK, id, self._stack(id).encode("utf-8", "backslashreplace"))
        elif kind == FLUSH:
            self.flush()
        elif kind == PING:
            self._tell(PONG, id)

    def _read_ahead(self):
        """What lies unread in the socket while the main thread runs a request belongs to the unbegun ones too."""
        if not self.reading.acquire(False):
            return
        try:
            while True:
                chunk = self.data.recv(RECEIVE_BYTES, _socket.MSG_DONTWAIT)
                if not chunk:
                    return
                self.feed(chunk)
        except OSError:
            pass
        finally:
            self.reading.release()

    def _recall(self):
        self._read_ahead()
        taken = []
        for id in list(self.unbegun):
            if self.unbegun.pop(id, None) is not None:
                self.states.pop(id, None)
                taken.append(id.to_bytes(4, "little"))
        self._tell(RECALLED, 0, b"".join(taken))
        # Answers that wait for the rest of their batch must not wait for a slow request in it.
        self.flush()

    def _abort(self, id):
        state = self.states.get(id)
        if self.unbegun.pop(id, None) is not None:
            self.states.pop(id, None)
            self._tell(RECALLED, 0, id.to_bytes(4, "little"))
            return
        if self._thread_of(id) is None:
            return
        # Those that ended meanwhile are of no interest any more.
        self.aborted.intersection_update(unpack_id(self.begun, index * 4)[0] for index in range(self.threads))
        self.aborted.add(id)
        if state is not None:
            state.aborted = True
            state.ring()

    def _thread_of(self, id):
        for index in range(self.threads):
            if unpack_id(self.begun, index * 4)[0] == id:
                return self.idents[index]
        return None

    def _stack(self, id):
        import traceback

        ident = self._thread_of(id)
        frame = sys._current_frames().get(ident) if ident else None
        if frame is None:
            return ""
        lines = traceback.format_stack(frame)
        here = os.path.dirname(os.path.abspath(__file__))
        return "".join(line for line in lines if here not in line.split("\n", 1)[0])
