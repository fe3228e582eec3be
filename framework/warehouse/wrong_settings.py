"""Refusals that a wrong `warehouse` setting of the environment causes, and the field at fault.

Sources: the texts of the Data API and of Redshift, as reported in
https://github.com/aws/aws-cdk/issues/30536 and https://github.com/boto/boto3/issues/2899
"""

from __future__ import annotations

import re

from framework.spec.environment import WarehouseSettings


def wrong_field(message: str, settings: WarehouseSettings) -> str | None:
    """Return the field of `warehouse` that is at fault for a refusal; None where none is."""
    field = _field(" ".join(message.split()), settings)
    return None if field is None else field[0]


def wrong_setting(message: str, settings: WarehouseSettings) -> str | None:
    """Return one line that names the setting at fault for a refusal; None where no setting is."""
    words = " ".join(message.split())
    field = _field(words, settings)
    if field is None:
        return None
    name, value = field
    return f"environments.yml: warehouse.{name} is {value!r}, which AWS does not accept: {words}"


def _field(words: str, settings: WarehouseSettings) -> tuple[str, str | None] | None:
    if re.search(r"\bsecrets?\b", words, re.IGNORECASE) and settings.secret_arn is not None:
        return "secret_arn", settings.secret_arn
    if re.search(r"redshift endpoint doesn't exist", words, re.IGNORECASE):
        return ("workgroup", settings.workgroup) if settings.workgroup else ("cluster", settings.cluster)
    # A view's query may name another database.
    database = re.escape(settings.database)
    if re.search(rf'\bdatabase "?{database}"? (does not exist|(is|was)? ?not found)', words, re.IGNORECASE):
        return "database", settings.database
    if re.search(r"authentication failed for user|FATAL:? .*\b(user|role) .* does not exist", words):
        return ("secret_arn", settings.secret_arn) if settings.secret_arn else ("db_user", settings.db_user)
    return None
