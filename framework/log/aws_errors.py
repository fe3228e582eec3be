"""Feedway's errors for botocore's own, which no service has answered: the network, the credentials, or a setting."""

from __future__ import annotations

import botocore.exceptions as botocore_errors
from botocore.exceptions import BotoCoreError

from framework.errors import PipelineError, SpecError, TransientWarehouseError, WarehouseError

BROKEN_CONNECTION = (
    botocore_errors.HTTPClientError,
    botocore_errors.ConnectionError,
    # An answer whose connection was closed before its end.
    botocore_errors.IncompleteReadError,
)
_CREDENTIALS = (
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
_HOW_TO_SIGN_IN = (
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
            f"{_HOW_TO_SIGN_IN}"
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
    if isinstance(error, _CREDENTIALS):
        return WarehouseError(f"{message}. {_HOW_TO_SIGN_IN}", is_outage=True)
    return WarehouseError(message)


def credentials_refused(code: str) -> str | None:
    """Return the advice for an error code that refuses the credentials; None for any other code."""
    return f"Renew or correct the credentials. {_HOW_TO_SIGN_IN}" if code in _REFUSED_CREDENTIALS else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
