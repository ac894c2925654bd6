"""WSGI by PEP 3333: environ, wsgi.input, start_response and the answer, for one request at a time."""
import os
import stat
import struct
import sys

# Frame types; the same numbers stand in src/protocol/worker-channel/frame.ts.
DATA, END, CREDIT, ASK, FULL, HEAD, FAIL, DONE = 4, 5, 6, 38, 32, 33, 36, 37
TEMPLATE, SHORT = 34, 35

pack_frame = struct.Struct("<IIB").pack
pack_head = struct.Struct("<IIBHHIII").pack
pack_short = struct.Struct("<IIBH").pack
HEAD_BYTES = 16
UNKNOWN = 0xFFFFFFFF
PIECE = 262144
SMALL = 262144
CREDIT_STEP = 32768
HEADS_KEPT = 512
TEMPLATES_MAX = 1024

# Not with `re`, which costs 3.5 ms at each boot.
_TOKEN = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CONTROLS = dict.fromkeys([*range(9), *range(10, 32), 127])
_HOP_BY_HOP = frozenset(
    "connection keep-alive proxy-authenticate proxy-authorization te trailer trailers transfer-encoding upgrade".split()
)

#: States of Encoded.number: not repeated yet, and never to be numbered.
UNNUMBERED, UNNAMED = -1, -2

#: Encoded heads of responses by (status, *headers): most applications repeat a few.
HEADS = {}


#: types.GeneratorType, whose module is not worth 0.4 ms.
GeneratorType = type(_ for _ in ())


class ClientGone(ConnectionAbortedError):
    """The client of this request has left; nobody will read the rest."""


class Encoded:
    """A response head, checked and ready for the wire."""

    __slots__ = ("code", "text", "reason_bytes", "lines_bytes", "length", "bodiless", "number")


def encode_head(status, headers):
    """Checks what PEP 3333 asks for and returns the head as bytes; raises in the application's own call."""
    if not isinstance(status, str):
        raise TypeError("start_response: the status must be a str, not %s" % type(status).__name__)
    if len(status) < 3 or not status[:3].isdigit() or status[3:4] not in ("", " "):
        raise ValueError("start_response: the status must look like '200 OK', not %r" % status)
    if not isinstance(headers, list):
        raise TypeError("start_response: the headers must be a list, not %s" % type(headers).__name__)
    code = int(status[:3])
    if not 200 <= code <= 999:
        raise ValueError("start_response: %d is not the status of a final response" % code)
    if _has_controls(status):
        raise ValueError("start_response: control characters in the status %r" % status)
    length = -1
    lines = []
    for item in headers:
        if type(item) is not tuple or len(item) != 2:
            raise TypeError("start_response: each header must be a tuple of two str, not %r" % (item,))
        name, value = item
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError("start_response: name and value of a header must be str: %r" % (item,))
        if not name or name.strip(_TOKEN):
            raise ValueError("start_response: %r cannot be the name of a header" % name)
        if _has_controls(value):
            raise ValueError("start_response: control characters in the value of %r: %r" % (name, value))
        lower = name.lower()
        if lower in _HOP_BY_HOP:
            raise ValueError("start_response: %r belongs to the server (hop-by-hop header)" % name)
        if lower == "content-length":
            if not value.isascii() or not value.isdigit() or (length >= 0 and length != int(value)):
                raise ValueError("start_response: %r is not a Content-Length" % value)
            length = int(value)
            continue
        lines.append("%s: %s\r\n" % (name, value.strip(" \t")))
    text = "".join(lines).encode("latin-1")
    reason = status[4:].encode("latin-1")
    head = Encoded()
    head.code = code
    head.text = reason + text
    head.reason_bytes = len(reason)
    head.lines_bytes = len(text)
    head.length = length
    head.bodiless = code == 204 or code == 304
    head.number = UNNUMBERED
    if len(text) < 4096:
        if len(HEADS) >= HEADS_KEPT:
            HEADS.clear()
        HEADS[(status, *headers)] = head
    return head


def _has_controls(text):
    """Control characters other than a tab, with which a header could be split."""
    return not text.isprintable() and len(text.translate(_CONTROLS)) < len(text)


class NoBody:
    """wsgi.input of a request without a body: one for all of them."""

    __slots__ = ()

    def read(self, size=-1):
        return b""

    def readline(self, size=-1):
        return b""

    def readlines(self, hint=-1):
        return []

    def __iter__(self):
        return iter(())


class Input:
    """wsgi.input: reads what has arrived, waits for more, never goes past the end of the body."""

    __slots__ = ("_worker", "_id", "_state", "_rest", "_eaten")

    def __init__(self, worker, id, state):
        self._worker = worker
        self._id = id
        self._state = state
        self._rest = b""
        self._eaten = 0

    def _more(self):
        """The next chunk, or b"" at the end."""
        state = self._state
        while not state.chunks:
            if state.aborted:
                raise ClientGone("Cannot read the request body: the client is gone")
            if state.ended:
                return b""
            if state.ask:
                state.ask = False
                self._worker.out.append(pack_frame(0, self._id, ASK))
            self._worker.wait(state, self._is_fed)
        chunk = state.chunks.popleft()
        self._eaten += len(chunk)
        if self._eaten >= CREDIT_STEP and not state.ended:
            self._worker.out.append(pack_frame(4, self._id, CREDIT) + self._eaten.to_bytes(4, "little"))
            self._eaten = 0
            self._worker.flush()
        return chunk

    def _is_fed(self):
        state = self._state
        return state.chunks or state.ended or state.aborted

    def read(self, size=-1):
        if size is None or size < 0:
            parts = [self._rest]
            self._rest = b""
            while True:
                chunk = self._more()
                if not chunk:
                    return b"".join(parts)
                parts.append(chunk)
        if size == 0:
            return b""
        have = self._rest
        if len(have) < size:
            parts = [have]
            total = len(have)
            while total < size:
                chunk = self._more()
                if not chunk:
                    break
                parts.append(chunk)
                total += len(chunk)
            have = b"".join(parts)
        self._rest = have[size:]
        return have[:size]

    def readline(self, size=-1):
        if size is None:
            size = -1
        parts = []
        total = 0
        have = self._rest
        while True:
            end = have.find(b"\n") + 1
            if 0 <= size <= total + (end or len(have)):
                end = size - total
            if end or size == total:
                parts.append(have[:end])
                self._rest = have[end:]
                return b"".join(parts)
            parts.append(have)
            total += len(have)
            have = self._more()
            if not have:
                self._rest = b""
                return b"".join(parts)

    def readlines(self, hint=-1):
        lines = []
        total = 0
        while True:
            line = self.readline()
            if not line:
                return lines
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                return lines

    def __iter__(self):
        return iter(self.readline, b"")


class FileWrapper:
    """wsgi.file_wrapper: read in large blocks when the server sees it, an ordinary iterator when it is wrapped."""

    def __init__(self, filelike, block_size=8192):
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.block_size)
        if not block:
            raise StopIteration
        return block


NO_BODY = NoBody()


class Response:
    """The answer to one request: start_response, write() and what is sent for it."""

    __slots__ = ("worker", "id", "head", "is_head", "sent", "complete", "state", "left", "_told")

    def __init__(self, worker, id, is_head, state):
        self.worker = worker
        self.id = id
        self.is_head = is_head
        self.state = state
        self.head = None
        self.sent = False
        self.complete = False
        self._told = False

    def start(self, status, headers, exc_info=None):
        """start_response of PEP 3333."""
        if exc_info:
            try:
                if self.sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.head is not None:
            raise AssertionError("start_response was called a second time without exc_info")
        try:
            head = HEADS[(status, *headers)]
            if type(headers) is not list:
                raise TypeError("start_response: the headers must be a list")
            if head.number == UNNUMBERED:
                self.worker.number(head)
            self.head = head
        except (KeyError, TypeError):
            self.head = encode_head(status, headers)
        return self.write

    def write(self, data):
        """The imperative way of PEP 3333: what is written has left before this returns."""
        self._part(data)
        self.worker.flush()

    def full(self, body):
        """The whole response as one frame; it leaves with the batch."""
        head = self.head
        length = head.length
        size = len(body)
        if head.bodiless:
            body = b""
            size = 0
        elif self.is_head:
            if length < 0 and size:
                length = size
            body = b""
            size = 0
        elif length < 0 or size == length:
            if head.number >= 0:
                self.sent = self.complete = True
                self.worker.out.extend((pack_short(2 + size, self.id, SHORT, head.number), body))
                return
            length = size
        else:
            self._wrong_length(size)
            if size > length:
                body = body[:length]
                size = length
        text = head.text
        if length < 0:
            low = high = UNKNOWN
        else:
            low = length & UNKNOWN
            high = length >> 32
        self.sent = self.complete = True
        self.worker.out.extend(
            (
                pack_head(
                    HEAD_BYTES + len(text) + size,
                    self.id,
                    FULL,
                    head.code,
                    head.reason_bytes,
                    head.lines_bytes,
                    low,
                    high,
                ),
                text,
                body,
            )
        )

    def stream(self, result):
        """Sends an iterable part by part; each part has left before the next one is asked for."""
        worker = self.worker
        kind = type(result)
        if (kind is list or kind is tuple) and self.head is not None and not self.sent:
            joined = b"".join(result)
            if len(joined) <= SMALL:
                self.full(joined)
                return
            result = (joined,)
        elif kind is FileWrapper and self.head is not None and not self.sent:
            result = self._file(result)
        for part in result:
            if not part:
                if type(part) is not bytes:
                    self._part(part)
                continue
            if not self.sent and self.head is not None and self.head.length == len(part):
                self._check(part)
                if len(part) <= SMALL:
                    self.full(part)
                    continue
            self._part(part)
            worker.flush()
        if self.complete:
            return
        if not self.sent:
            if self.head is None:
                raise AssertionError("the application returned without calling start_response")
            self.full(b"")
            return
        self.complete = True
        if self.left > 0 and not self.is_head and not self.head.bodiless:
            self._wrong_length(self.head.length - self.left)
        worker.out.append(pack_frame(0, self.id, END))

    def _check(self, part):
        if not isinstance(part, bytes):
            raise TypeError("the application must give bytes, not %s" % type(part).__name__)

    def _part(self, part):
        self._check(part)
        if self.head is None:
            raise AssertionError("a body was given before start_response was called")
        if not self.sent:
            self._send_head()
        if self.is_head or self.head.bodiless or self.complete:
            if self.complete:
                self._wrong_length(self.head.length + len(part))
            return
        if self.left >= 0:
            if len(part) > self.left:
                self._wrong_length(self.head.length + len(part) - self.left)
                part = part[: self.left]
            self.left -= len(part)
        if part:
            self._send_data(part)

    def _send_head(self):
        head = self.head
        self.sent = True
        self.left = head.length
        if self.state is None:
            self.state = self.worker.state_of(self.id)
        low = high = UNKNOWN
        if head.length >= 0:
            low = head.length & UNKNOWN
            high = head.length >> 32
        self.worker.out.extend(
            (
                pack_head(
                    HEAD_BYTES + len(head.text),
                    self.id,
                    HEAD,
                    head.code,
                    head.reason_bytes,
                    head.lines_bytes,
                    low,
                    high,
                ),
                head.text,
            )
        )

    def _send_data(self, part):
        worker = self.worker
        state = self.state
        left = len(part)
        view = part if left <= state.credit and left <= PIECE else memoryview(part)
        while left:
            while state.credit <= 0:
                if state.aborted:
                    raise ClientGone("Cannot send the response: the client is gone")
                worker.wait(state, self._may_send)
            if state.aborted or self.id in worker.aborted:
                raise ClientGone("Cannot send the response: the client is gone")
            size = min(left, state.credit, PIECE)
            piece = view if size == left else view[:size]
            if size != left:
                view = view[size:]
            state.spend(size)
            left -= size
            worker.out.extend((pack_frame(size, self.id, DATA), piece))
            if left:
                worker.flush()

    def _may_send(self):
        return self.state.credit > 0 or self.state.aborted

    def _file(self, wrapper):
        """Large blocks of a regular file, whose rest also gives the Content-Length."""
        try:
            facts = os.fstat(wrapper.filelike.fileno())
            rest = facts.st_size - wrapper.filelike.tell()
        except (AttributeError, OSError, ValueError):
            return wrapper
        if not stat.S_ISREG(facts.st_mode) or rest < 0:
            return wrapper
        head = self.head
        if head.length < 0:
            known = Encoded()
            for name in Encoded.__slots__:
                setattr(known, name, getattr(head, name))
            known.length = rest
            self.head = known
        read = wrapper.filelike.read
        return iter(lambda: read(PIECE), b"")

    def _wrong_length(self, size):
        if not self._told:
            self._told = True
            sys.stderr.write(
                "Content-Length was %d but the application gave %s%d bytes\n"
                % (self.head.length, "at least " if size > self.head.length else "", size)
            )


def run_application(worker, id, block):
    """One request from its environ block to its answer in worker.out; never raises."""
    environ = worker.base.copy()
    parts = iter(block.decode("latin-1").split("\0"))
    environ.update(zip(parts, parts))
    states = worker.states
    state = states.get(id) if states else None
    environ["wsgi.input"] = NO_BODY if state is None else Input(worker, id, state)
    response = Response(worker, id, environ["REQUEST_METHOD"] == "HEAD", state)
    result = None
    try:
        result = worker.application(environ, response.start)
        kind = type(result)
        if kind is list and len(result) == 1 and response.head is not None and not response.sent:
            body = result[0]
            if type(body) is bytes and len(body) <= SMALL:
                response.full(body)
            else:
                response.stream(result)
        else:
            response.stream(result)
            if not worker.waiting() and kind is not GeneratorType and hasattr(result, "close"):
                # What it does in close() must not delay its answer. With more requests at hand the answer stays in
                # its batch, and the vassal process fetches it when that takes long.
                worker.flush()
    except ClientGone:
        worker.out.append(pack_frame(0, id, DONE))
        response.complete = True
    except BaseException as error:
        fail(worker, id, environ, response, error)
    if result is not None and type(result) is not list:
        close = getattr(result, "close", None)
        if close is not None:
            try:
                close()
            except BaseException as error:
                fail(worker, id, environ, response, error)
    if states or worker.aborted:
        states.pop(id, None)
        worker.aborted.discard(id)


def fail(worker, id, environ, response, error):
    """The traceback into the log; the client learns only that it failed, unless the answer is complete already."""
    import traceback

    gone = isinstance(error, ConnectionError) and id in worker.aborted
    if not gone:
        where = "%s %s" % (environ.get("REQUEST_METHOD"), environ.get("REQUEST_URI"))
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        sys.stderr.write("Exception in %s\n%s" % (where.encode("unicode_escape").decode(), "".join(lines)))
        sys.stderr.flush()
    if response.complete:
        return
    response.complete = True
    cause = ("%s: %s" % (type(error).__name__, error))[:500].encode("utf-8", "backslashreplace")
    worker.out.extend((pack_frame(len(cause), id, FAIL), cause))
