"""A notification in the form of each service, cut to what the service takes. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from framework.load.notify.notices import Notice, Notification
from framework.model.words import counted
from framework.spec.webhook import WebhookFormat

SLACK_BLOCKS = 50
SLACK_SECTION = 3000
SLACK_HEADER = 150
"""Characters. Source: https://docs.slack.dev/reference/block-kit/blocks"""
TEAMS_BYTES = 27_000
"""A message has at most 28 KB. Source:
https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using"""
SNS_BYTES = 262_144
SNS_SUBJECT = 100
"""ASCII characters. Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
JSON_BYTES = 262_144
"""No service's limit: that of SNS, so that a receiver of both needs no other."""
_LONGEST_LINE = 1500
_WORDS = {"failure": "FAILED", "refusal": "REFUSED", "late": "LATE", "warning": "WARNING", "success": "LOADED"}


def webhook_body(notification: Notification, form: WebhookFormat) -> bytes:
    """Return the body of the request that posts a notification."""
    match form:
        case "slack":
            return _json(_slack(notification.first(SLACK_BLOCKS - 3)))
        case "teams":
            return _fitting(notification, lambda each: _json(_teams(each)), TEAMS_BYTES)
        case "json":
            return _fitting(notification, lambda each: _json(each.as_dict()), JSON_BYTES)


def sns_message(notification: Notification) -> tuple[str, str]:
    """Return the subject and the text of a notification for a topic."""
    subject = _cut(notification.heading, SNS_SUBJECT).replace("…", ".").encode("ascii", "replace").decode()
    return subject, _fitting(notification, lambda each: _text(each).encode(), SNS_BYTES).decode()


def _fitting(notification: Notification, render: Callable[[Notification], bytes], most_bytes: int) -> bytes:
    """Return the rendering with as many notices, from the first one on, as have room."""
    fits, too_many = 0, len(notification.notices) + 1
    while too_many - fits > 1:
        tried = (fits + too_many) // 2
        if len(render(notification.first(tried))) <= most_bytes:
            fits = tried
        else:
            too_many = tried
    return render(notification.first(fits))


def _json(document: Mapping[str, Any]) -> bytes:
    # Half a surrogate pair, which a file's name may have, is no UTF-8.
    return json.dumps(document).encode("ascii")


def _slack(notification: Notification) -> dict[str, Any]:
    """Return blocks of plain text, in which a name mentions nobody and needs no escaping."""
    heading = notification.heading
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(_cut(heading, SLACK_HEADER))}]
    texts = ["\n".join(_lines(notice)) for notice in notification.notices] + _rest(notification)
    blocks += [{"type": "section", "text": _plain(_cut(text, SLACK_SECTION))} for text in texts]
    # The text of the notification itself, which is no plain text.
    escaped = heading.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"text": escaped, "blocks": blocks}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _teams(notification: Notification) -> dict[str, Any]:
    """Return an Adaptive Card as workflows take it. Its runs are plain, where a TextBlock would read Markdown."""
    body = [_paragraph(notification.heading, size="Large", weight="Bolder")]
    for notice in notification.notices:
        first, *others = _lines(notice)
        body.append(_paragraph(first, weight="Bolder") | {"separator": True})
        body += [_paragraph(line) for line in others]
    body += [_paragraph(line) for line in _rest(notification)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _paragraph(text: str, **style: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _text(notification: Notification) -> str:
    notices = ["\n".join(_lines(notice)) for notice in notification.notices]
    return "\n\n".join([notification.heading, *notices, *_rest(notification)]) + "\n"


def _lines(notice: Notice) -> list[str]:
    """Return what a notice says: the feed, the file, the cause, and the command that continues."""
    owner = f" (owner: {notice.owner})" if notice.owner else ""
    places = {"file": notice.source_file, "step": notice.step, "run": notice.run_id}
    place = ", ".join(f"{name} {value}" for name, value in places.items() if value is not None)
    more = f"and {notice.more:,} more of {notice.pipeline}" if notice.more else None
    lines: Sequence[str | None] = (
        f"{_WORDS[notice.kind]}: {notice.pipeline}{owner}",
        place or None,
        notice.message,
        notice.next_step,
        more,
    )
    return [_cut(_printable(line), _LONGEST_LINE) for line in lines if line]


def _printable(text: str) -> str:
    """Return a text in one line, without what a service may refuse: keys of S3 may hold control characters."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _rest(notification: Notification) -> list[str]:
    """Return the lines on what had no room, if there is any, and on the job."""
    left_out = notification.left_out
    more = [f"and {counted(left_out, 'notice')} more, see: history"] if left_out else []
    return [*more, *([f"job {notification.job_id}"] if notification.job_id else [])]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
