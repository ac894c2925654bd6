"""Finds the application that a vassal file names: module or file, callable or factory."""
import importlib
import os
import sys

# What importlib.util re-exports; that module itself brings contextlib and collections (3.5 ms at each boot).
from importlib._bootstrap import module_from_spec
from importlib._bootstrap_external import spec_from_file_location

CO_COROUTINE = 0x80
DEFAULT_NAMES = ("application", "app")
OWN_DIRECTORY = os.path.dirname(os.path.abspath(__file__))


class LoadError(Exception):
    """The application cannot be loaded; the message says why in one line."""


def prepare_path(directory, pythonpath):
    """The directory first, then pythonpath; the bridge's own folder does not stay visible to the application."""
    rest = [entry for entry in sys.path if entry and os.path.abspath(entry) != OWN_DIRECTORY]
    extra = [os.path.join(directory, entry) for entry in pythonpath if entry]
    sys.path[:] = [directory] + extra + rest


def load_application(target, callable_name, directory):
    """The WSGI callable of `pkg.mod:name`, `pkg.mod`, `file.py`, `file.py:name` or `...:factory()`."""
    place, _, name = target.partition(":")
    name = name or callable_name
    module = _load_file(place, directory) if _is_file(place) else _load_module(place)
    found = _pick(module, name, place)
    if not callable(found):
        raise LoadError("Cannot serve '%s': it is %s, not a callable" % (target, type(found).__name__))
    if _is_coroutine(found) or _is_coroutine(getattr(type(found), "__call__", None)):
        raise LoadError("Cannot serve '%s': it is an ASGI application, and only WSGI is spoken" % target)
    return found


def _is_file(place):
    return place.endswith(".py") or "/" in place


def _load_module(place):
    try:
        return importlib.import_module(place)
    except SystemExit as leave:
        raise LoadError("Cannot import '%s': it called sys.exit(%r)" % (place, leave.code)) from leave
    except BaseException as error:
        raise LoadError("Cannot import '%s': %s" % (place, _one_line(error))) from error


def _load_file(place, directory):
    path = os.path.join(directory, place)
    if not os.path.isfile(path):
        raise LoadError("Cannot find the application file '%s'" % path)
    folder = os.path.dirname(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.insert(1, folder)
    stem = os.path.splitext(os.path.basename(path))[0]
    name = "tsgi_file_" + stem if stem in sys.modules or not stem.isidentifier() else stem
    try:
        spec = spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise LoadError("Cannot load '%s': not a Python source file (.py)" % path)
        module = module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    except LoadError:
        raise
    except SystemExit as leave:
        raise LoadError("Cannot load '%s': it called sys.exit(%r)" % (path, leave.code)) from leave
    except BaseException as error:
        raise LoadError("Cannot load '%s': %s" % (path, _one_line(error))) from error


def _pick(module, name, place):
    if not name:
        for each in DEFAULT_NAMES:
            if hasattr(module, each):
                return getattr(module, each)
        raise LoadError(
            "Cannot find 'application' or 'app' in '%s': name the callable as '%s:NAME'" % (place, place)
        )
    is_factory = name.endswith("()")
    found = module
    for part in (name[:-2] if is_factory else name).split("."):
        if not hasattr(found, part):
            raise LoadError("Cannot find '%s' in '%s'" % (name, place))
        found = getattr(found, part)
    if not is_factory:
        return found
    try:
        return found()
    except SystemExit as leave:
        raise LoadError("Cannot call '%s': it called sys.exit(%r)" % (name, leave.code)) from leave
    except BaseException as error:
        raise LoadError("Cannot call '%s': %s" % (name, _one_line(error))) from error


def _is_coroutine(function):
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & CO_COROUTINE)


def _one_line(error):
    text = str(error).strip().splitlines()
    return "%s: %s" % (type(error).__name__, text[0]) if text else type(error).__name__


def print_load_error(error):
    """The traceback as its author wants to see it: without the frames of the bridge and of the import system."""
    import traceback

    cause = error.__cause__
    if cause is None or isinstance(cause, SystemExit) and cause.__traceback__ is None:
        sys.stderr.write("%s\n" % error)
        return
    trace = cause.__traceback__
    while trace is not None and _is_machinery(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    traceback.print_exception(type(cause), cause, trace, file=sys.stderr)
    sys.stderr.flush()


def _is_machinery(filename):
    return filename.startswith("<frozen importlib") or filename.startswith(OWN_DIRECTORY) or (
        os.path.basename(os.path.dirname(filename)) == "importlib"
    )
