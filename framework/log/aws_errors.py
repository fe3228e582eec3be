"""Feedway's errors for botocore's own: the network, the credentials, or a setting; and what a refusal says."""

from __future__ import annotations

import re

import botocore.exceptions as botocore_errors
from botocore.exceptions import BotoCoreError, ClientError

from framework.errors import PipelineError, SpecError, TransientWarehouseError, WarehouseError

BROKEN_CONNECTION = (
    botocore_errors.HTTPClientError,
    botocore_errors.ConnectionError,
    # An answer whose connection was closed before its end.
    botocore_errors.IncompleteReadError,
)
CREDENTIALS_ERRORS = (
    botocore_errors.NoCredentialsError,
    botocore_errors.PartialCredentialsError,
    botocore_errors.CredentialRetrievalError,
    botocore_errors.TokenRetrievalError,
    botocore_errors.SSOError,
)
_REFUSED_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = re.compile(r"not authorized to perform: (\S+?:\w+)(?: on resource: \"?(arn:[^\s\"]+))?")
"""Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
SKEWED_CODE = "RequestTimeTooSkewed"
_SKEWED = re.compile(rf"{SKEWED_CODE}|Signature (expired|not yet current)")
"""S3's code, and the words of the other services. Source:
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList"""
HOW_TO_SIGN_IN = (
    "environments.yml names no credentials: they come from AWS_PROFILE, from AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY, or from the role that the machine has"
)


def client_error(
    error: BotoCoreError | ValueError, region_field: str, region: str | None, environment: str
) -> SpecError:
    """Return the error of a client that cannot be made: the region, the profile or an endpoint is missing or wrong.

    `region_field` is the field of environments.yml that names the client's region. botocore raises ValueError for an
    endpoint.
    """
    field = f"environments.yml: {region_field} of {environment!r}"
    if isinstance(error, botocore_errors.NoRegionError):
        return SpecError(
            f"{field} is not set, and neither AWS_DEFAULT_REGION nor the AWS profile names a region. "
            "Write one, such as region: eu-west-1"
        )
    if isinstance(error, botocore_errors.InvalidRegionError):
        return SpecError(f"{field} is {region!r}, which is not a region. Write one such as region: eu-west-1")
    if isinstance(error, botocore_errors.ProfileNotFound):
        return SpecError(
            f"{_one_line(error)}. AWS_PROFILE names it: correct that, or describe the profile in ~/.aws/config. "
            f"{HOW_TO_SIGN_IN}"
        )
    return SpecError(
        f"the AWS settings of this machine cannot be used: {_one_line(error)}. "
        "Check the variables that begin with AWS_, and ~/.aws/config"
    )


def call_error(error: BotoCoreError, service: str, doing: str, region_field: str) -> PipelineError:
    """Return the error of a call that got no answer."""
    if isinstance(error, botocore_errors.EndpointConnectionError):
        message = f"{service} could not be reached ({doing}): {error}. Is {region_field} in environments.yml right?"
        return TransientWarehouseError(message, is_outage=True)
    if isinstance(error, BROKEN_CONNECTION):
        return TransientWarehouseError(f"{service} could not be reached ({doing}): {error}", is_outage=True)
    message = f"{service} cannot be called ({doing}): {_one_line(error)}"
    if isinstance(error, CREDENTIALS_ERRORS):
        return WarehouseError(f"{message}. {HOW_TO_SIGN_IN}", is_outage=True)
    return WarehouseError(message)


def credentials_refused(code: str) -> str | None:
    """Return the advice for an error code that refuses the credentials; None for any other code."""
    return f"Renew or correct the credentials. {HOW_TO_SIGN_IN}" if code in _REFUSED_CREDENTIALS else None


def is_setting_fault(error: PipelineError) -> bool:
    """Return whether the error is that of a client that cannot be made; see `client_error`."""
    return isinstance(error.__cause__, BotoCoreError | ValueError)


def is_region_fault(error: PipelineError) -> bool:
    """Return whether the error is that of a client whose region is missing or wrong."""
    return isinstance(error.__cause__, botocore_errors.NoRegionError | botocore_errors.InvalidRegionError)


def has_answer(error: PipelineError) -> bool:
    """Return whether the service has answered the call, if only to refuse it."""
    return isinstance(error.__cause__, ClientError)


def is_denied(error: PipelineError) -> bool:
    """Return whether a service has refused the call for want of a right."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return False
    code = cause.response.get("Error", {}).get("Code", "")
    is_forbidden = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403
    return (is_forbidden or code == "AccessDeniedException") and credentials_refused(code) is None


def credentials_advice(error: PipelineError) -> str | None:
    """Return the advice for an answer that refuses the credentials; None for any other error."""
    cause = error.__cause__
    return (
        credentials_refused(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else None
    )


def is_skew_fault(error: PipelineError) -> bool:
    """Return whether a service has refused the call because this machine's clock is wrong."""
    return isinstance(error.__cause__, ClientError) and _SKEWED.search(str(error.__cause__)) is not None


def denied_right(error: PipelineError) -> str | None:
    """Return the IAM action and resource that a denial names, `s3:PutObject on arn:…`; None where it names none."""
    cause = error.__cause__
    text = cause.response.get("Error", {}).get("Message", "") if isinstance(cause, ClientError) else ""
    named = _DENIED.search(text)
    return None if named is None else named[1] + (f" on {named[2]}" if named[2] else "")


def answer_of(error: PipelineError) -> str:
    """Return the service's answer without our advice: `NoSuchBucket: The specified bucket does not exist`.

    Where no service has answered, it is the first sentence of the message.
    """
    if not isinstance(error.__cause__, ClientError):
        return " ".join(str(error).split()).partition(". ")[0].rstrip(".")
    details = error.__cause__.response.get("Error", {})
    return f"{details.get('Code', '')}: {' '.join(str(details.get('Message', '')).split())}".rstrip(":. ")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
