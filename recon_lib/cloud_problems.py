"""What can go wrong in a storage, in words: by kind and place, never by the text of the server."""

from __future__ import annotations

from recon_lib.errors import ReconError, RunError, UsageError

_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",
           "InvalidToken", "RequestTimeTooSkewed", "InvalidSecurity", "NotSignedUp", "403", "401"}  # fmt: skip
_NO_LOGIN = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError"}
_OTHER = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}


class Differs(Exception):
    """The object is not the one that was expected: someone else wrote, changed or deleted it."""


def told(problem: BaseException, folder: str, name: str) -> Exception:
    """The problem in words: what kind it is and where it was met, at the object `name` (empty: none) of the address `folder`."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    if isinstance(problem, ReconError | Differs):
        return problem
    where = f"{folder}/{name}" if name else folder
    kind = type(problem).__name__
    answer = getattr(problem.__cause__, "response", None) or getattr(problem, "response", None)
    code = str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else ""
    if code in _OTHER or code in ("NoSuchKey", "404"):
        return Differs(where)
    if code == "NoSuchBucket":
        return UsageError(f"there is no bucket {folder.split('/')[2]}", hoped="a bucket that exists",
                          do="correct the name, or AWS_ENDPOINT_URL, which says what service is asked")  # fmt: skip
    if code in _DENIED or isinstance(problem, PermissionError):
        return UsageError(
            f"access to {where} is denied ({code or kind})",
            hoped="the right to list, read and (for --out) write and delete objects there",
            do="see which credentials are used (AWS_PROFILE, AWS_ACCESS_KEY_ID, role) and what their policy says",
        )
    if kind in _NO_LOGIN:
        return UsageError(
            f"there are no credentials for {folder} ({kind})",
            hoped="the usual environment, profile or role of AWS",
            do="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for the user who runs this",
        )
    if code == "NotImplemented":
        return no_conditions(folder)
    if isinstance(problem, OSError) and problem.filename:  # a file of this machine
        return RunError(
            f"{problem.filename} cannot be written: {problem.strerror}", hoped="room for a copy of the account"
        )
    return RunError(f"{where} cannot be reached or broke off ({code or kind})", hoped="a storage that answers",
                    do="run again when it does: what is published stays, what was sent halfway is completed")  # fmt: skip


def no_conditions(folder: str) -> UsageError:
    return UsageError(f"the storage of {folder} ignores the conditions of a write (If-None-Match, If-Match)",
                      hoped="a server that keeps them, as Amazon S3 does: without them two runs could overwrite each other",
                      do="give a local --out folder, and copy it up with another program")  # fmt: skip
