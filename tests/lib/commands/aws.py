"""Reads commands of AWS's command line as it does itself: a good one gets as far as sending its first request.

A JSON list of argument lists on standard input; on standard output a list of `null` for each that is good, or why it is not.
"""

import argparse
import contextlib
import functools
import io
import json
import sys

# A flag that is cut off stands for the whole one where it is the only such, which the second version does not do.
argparse.ArgumentParser.__init__ = functools.partialmethod(argparse.ArgumentParser.__init__, allow_abbrev=False)

from awscli.clidriver import create_clidriver  # noqa: E402

# The one that comes with awscli, under the name by which awscli itself imports it.
from botocore.httpsession import URLLib3Session  # noqa: E402


class Sent(BaseException):
    """A request was about to be sent. No Exception, so that nothing but this file catches it."""


def send(*_):
    raise Sent


URLLib3Session.send = send


def refusal(arguments):
    """Why a command is refused, or None."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code = create_clidriver().main(arguments)
    except Sent:
        return None
    except SystemExit as end:
        code = end.code
    lines = [line for line in errors.getvalue().splitlines() if line.strip()]
    return f"ends with {code} before it sends anything: {' '.join(lines[-2:])}"


json.dump([refusal(each) for each in json.load(sys.stdin)], sys.stdout)
