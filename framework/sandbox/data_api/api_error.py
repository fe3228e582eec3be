"""What the API answers when a request itself cannot be served, as botocore parses it.

A statement that fails is no such error: its request succeeds, and DescribeStatement reports the failure.
"""

from __future__ import annotations


class ApiError(Exception):
    """One modelled error. `code` is the exception's name in the service model."""

    def __init__(self, code: str, message: str, http_status: int = 400, **members: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.http_status = http_status
        self.members = members

    def body(self) -> dict[str, str]:
        """Return the response document; the code must be in the body, a header is not read."""
        return {"__type": self.code, "Message": self.message, **self.members}


def validation_error(message: str) -> ApiError:
    """Return the error for a request that is not well formed, or asks for what the sandbox lacks."""
    return ApiError("ValidationException", message)


def query_not_found(statement_id: str) -> ApiError:
    """Return the error for an id that no statement has, or no longer."""
    return ApiError("ResourceNotFoundException", "Query does not exist.", ResourceId=statement_id)


def result_not_found(statement_id: str) -> ApiError:
    """Return the error for a result that is not there yet, or never will be."""
    text = "Query does not have result. Please check query status with DescribeStatement."
    return ApiError("ResourceNotFoundException", text, ResourceId=statement_id)


def too_many_active(limit: int) -> ApiError:
    """Return the error for a submission above the number of statements that may be active."""
    return ApiError("ActiveStatementsExceededException", f"Active statements exceeded the allowed quota ({limit}).")
