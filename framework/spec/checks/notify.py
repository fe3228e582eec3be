"""Checks of `notify` in `environments.yml`. No message quotes a webhook's URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framework.spec.document import Finding, Path, field_name
from framework.spec.fields import text_at, value_at
from framework.spec.webhook import url_fault

_KEPT = ("url", "env", "secret_arn")
"""The fields of a webhook that say where its URL is."""
_FIELDS = {*_KEPT, "format"}
_FIX = "Write the URL, or where it is: {env: NAME} or {secret_arn: ARN}."
_ON_AWS_ONLY = ("sns", "event_bus", "metrics_namespace")


def notify_findings(path: Path, environment: Mapping[str, object]) -> Iterator[Finding]:
    """Yield the problems of the environment at a path: webhooks without a usable URL, and AWS in the sandbox."""
    is_sandbox = text_at(environment, "kind") == "sandbox"
    for name in _ON_AWS_ONLY:
        if is_sandbox and text_at(environment, "notify", name) is not None:
            yield _on_aws_only((*path, "notify", name))
    written = value_at(environment, ("notify", "webhook"))
    place: Path = (*path, "notify", "webhook")
    for where, webhook in _each(place, written):
        yield from _webhook_findings(where, webhook)
        if is_sandbox and text_at(webhook, "secret_arn") is not None:
            yield _on_aws_only((*where, "secret_arn"))


def _each(place: Path, written: object) -> Iterator[tuple[Path, object]]:
    if isinstance(written, list):
        yield from (((*place, number), each) for number, each in enumerate(written))
    elif written is not None:
        yield place, written


def _webhook_findings(path: Path, webhook: object) -> Iterator[Finding]:
    if isinstance(webhook, str):
        yield from _url_findings(path, webhook)
    elif not isinstance(webhook, dict):
        yield Finding(path, "spec/webhook", f"{field_name(path)} has an entry that is neither text nor a mapping", _FIX)
    elif webhook.keys() <= _FIELDS:
        yield from _kept_findings(path, [name for name in _KEPT if webhook.get(name) is not None])
        yield from _url_findings((*path, "url"), webhook.get("url"))


def _kept_findings(path: Path, given: Sequence[str]) -> Iterator[Finding]:
    if len(given) != 1:
        found = " and ".join(given) or "none of url, env and secret_arn"
        yield Finding(path, "spec/webhook", f"{field_name(path)} has {found}, and takes one of them", _FIX)


def _url_findings(path: Path, url: object) -> Iterator[Finding]:
    if isinstance(url, str) and (fault := url_fault(url)) is not None:
        fix = "Write a URL such as https://hooks.slack.com/…, or name the variable that holds it: {env: NAME}."
        yield Finding(path, "spec/webhook", f"{field_name(path)} {fault}", fix)


def _on_aws_only(path: Path) -> Finding:
    message = f"{field_name(path[2:])} is for environments on AWS, and this one is the sandbox"
    fix = "Leave it out: the sandbox has a webhook alone, by URL or env."
    return Finding(path, "spec/notify", message, fix, at_key=True)
