"""What can go wrong while fetching. Every text is for people and never holds a secret: `hide` went over it before.

Unanswered    no usable answer in spite of several tries; the next run tries again                       (3)
OutOfTime     the run's own time limit is reached; what was asked for is continued by the next run       (3)
Damaged       what arrived is not whole; nothing of it is kept                                           (3)
Refused       Amazon refuses this one request; the other families go on                                  (3)
NotAllowed    the credentials are good, but may not do this; the other families go on                    (2)
NotLetIn      the credentials are refused or unusable: everything that needs them ends                   (2)
"""

from __future__ import annotations

from recon_lib.errors import RunError, UsageError


class Unanswered(RunError):
    """No usable answer in spite of several tries."""


class OutOfTime(RunError):
    """The time limit of the run is reached."""


class Damaged(RunError):
    """A document did not arrive whole."""


class Expired(RunError):
    """The address of a document is no longer good; a fresh one is asked for."""


class Refused(RunError):
    """Amazon refuses one request."""


class NotAllowed(UsageError):
    """The credentials may not do this."""


class NotLetIn(UsageError):
    """The credentials are refused or unusable."""
