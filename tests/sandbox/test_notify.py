"""Webhooks and topics get one message per command, whatever the server at the other end does."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from framework.errors import PipelineError
from framework.load.notify.post import post
from framework.resources import read_text
from tests.harness import FeedHarness
from tests.receiver import Behaviour, Receiver, receiving, refused_url

GOOD = "id,a\n1,x\n2,y\n"
BAD = "id,a\n,confidential\n"
ALL = "[failure, refusal, late, warning, success]"
SECRETS = ("secret-path", "secret-key")
MOST_SECONDS = 5.0
"""What servers may cost a command, whatever they do."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that answers well."""
    with receiving() as receiver:
        yield receiver


def set_notify(feed: FeedHarness, notify: str) -> None:
    """Write `notify` of the sandbox's environment."""
    text = (feed.root / "environments.yml").read_text(encoding="utf-8")
    changed = text.partition("    notify:")[0].rstrip("\n") + f"\n    notify: {notify}\n"
    feed.write("environments.yml", changed)


def notices(receiver: Receiver) -> list[dict[str, Any]]:
    """Return the notices of the one message that came, which is valid by its schema."""
    document = receiver.json()
    Draft202012Validator(json.loads(read_text("schemas/output/notification.schema.json"))).validate(document)
    found: list[dict[str, Any]] = document["notices"]
    return found


def test_a_failed_load_is_reported_with_owner_file_step_cause_and_the_next_command(
    feed: FeedHarness, receiver: Receiver
) -> None:
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text + "owner: crm-team\n")
    set_notify(feed, f"{{webhook: '{receiver.url}'}}")
    feed.land("1.csv", GOOD)
    bad = feed.land("2.csv", BAD)

    code, document = feed.json("run", feed.name)

    (notice,) = notices(receiver)
    failed = document["loads"][1]
    first, cause, *_, last = failed["error"]["message"].splitlines()
    assert code == 3
    assert receiver.json()["title"] == "Feedway sandbox: 1 feed failed"
    assert notice == {
        "kind": "failure",
        "pipeline": feed.name,
        "owner": "crm-team",
        "source_file": bad,
        "run_id": failed["run_id"],
        "step": failed["error"]["step"],
        "message": f"{first}: {cause.strip()}",
        "next_step": last,
        "more": 0,
    }
    assert "replay" in last or "--instead-of" in last


def test_what_nobody_asked_for_is_not_reported(feed: FeedHarness, receiver: Receiver) -> None:
    set_notify(feed, f"{{webhook: '{receiver.url}'}}")
    feed.land("1.csv", GOOD)

    assert feed.command("run", feed.name)[0] == 0

    assert receiver.bodies == []


def test_warnings_and_successes_are_reported_on_demand(feed: FeedHarness, receiver: Receiver) -> None:
    set_notify(feed, f"{{webhook: '{receiver.url}', on: [success, warning]}}")
    feed.land("1.csv", GOOD)
    feed.land("2.csv", "id\n3\n")

    assert feed.command("run", feed.name)[0] == 0

    warning, success = notices(receiver)
    assert (warning["kind"], success["kind"]) == ("warning", "success")
    assert warning["message"].startswith("missing-column: ")
    assert success["message"] == "2 rows inserted, 0 updated, 0 deleted"


def test_a_refused_file_is_reported(feed: FeedHarness, receiver: Receiver) -> None:
    by_name = feed.spec_text.replace(f"{feed.name}/}}", f"{feed.name}/, order: name}}")
    feed.write(f"pipelines/{feed.name}.yml", by_name)
    set_notify(feed, f"{{webhook: '{receiver.url}'}}")
    feed.land("2.csv", GOOD)
    assert feed.command("run", feed.name)[0] == 0
    older = feed.land("1.csv", GOOD)

    assert feed.command("run", feed.name, "--file", older)[0] == 2

    (notice,) = notices(receiver)
    assert notice["kind"] == "refusal"
    assert "--out-of-order" in notice["next_step"]


def test_a_feed_that_is_late_after_a_run_is_reported(feed: FeedHarness, receiver: Receiver) -> None:
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text + "owner: crm-team\nexpect: {every: 1d}\n")
    set_notify(feed, f"{{webhook: '{receiver.url}'}}")

    assert feed.command("run", feed.name)[0] == 0

    (notice,) = notices(receiver)
    assert (notice["kind"], notice["owner"]) == ("late", "crm-team")
    assert notice["message"] == "no load has ever succeeded, and one is expected every 1d"
    assert notice["next_step"] == f"See its loads with: feedway --project {feed.root} history {feed.name}"
    receiver.bodies.clear()
    feed.land("1.csv", GOOD)
    assert feed.command("run", feed.name)[0] == 0
    assert feed.command("run", feed.name)[0] == 0
    assert receiver.bodies == []


def test_a_warehouse_that_cannot_be_asked_for_late_feeds_is_a_warning(feed: FeedHarness, receiver: Receiver) -> None:
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text + "expect: {every: 1d}\n")
    set_notify(feed, f"{{webhook: '{receiver.url}'}}")
    text = (feed.root / "environments.yml").read_text(encoding="utf-8")
    feed.write("environments.yml", text.replace("database: dev,", "database: nowhere,", 1))

    code, _, err = feed.command("run", feed.name)

    assert code == 0
    assert "warning: late feeds were not looked for" in err
    assert receiver.bodies == []


def test_the_watch_for_late_feeds_reports_them_if_asked_to(feed: FeedHarness, receiver: Receiver) -> None:
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text + "expect: {every: 1d}\n")

    assert feed.command("stale", "--notify")[0] == 2
    set_notify(feed, f"{{webhook: '{receiver.url}'}}")
    assert feed.command("stale", feed.name)[0] == 6
    assert receiver.bodies == []
    assert feed.command("stale", "--notify", feed.name)[0] == 6

    (notice,) = notices(receiver)
    assert notice["kind"] == "late"


def test_a_spec_that_cannot_be_read_is_reported(feed: FeedHarness, receiver: Receiver) -> None:
    set_notify(feed, f"{{webhook: '{receiver.url}'}}")
    feed.write(f"pipelines/{feed.name}.yml", "pipeline: [")

    assert feed.command("run", feed.name)[0] == 2

    (notice,) = notices(receiver)
    assert (notice["kind"], notice["pipeline"], notice["run_id"]) == ("failure", feed.name, None)
    assert f"pipelines/{feed.name}.yml has one problem: pipelines/{feed.name}.yml:1:" in notice["message"]


def test_a_url_may_be_in_the_environment_and_formats_differ(
    feed: FeedHarness, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDWAY_TEST_HOOK", receiver.url)
    hooks = ", ".join(f"{{env: FEEDWAY_TEST_HOOK, format: {each}}}" for each in ("slack", "teams", "json"))
    set_notify(feed, f"{{webhook: [{hooks}]}}")
    feed.land("1.csv", BAD)

    assert feed.command("run", feed.name)[0] == 3

    bodies = sorted((json.loads(body) for body in receiver.bodies), key=lambda body: min(body))
    assert [sorted(body)[0] for body in bodies] == ["attachments", "blocks", "environment"]
    assert {headers["Content-Type"] for headers in receiver.headers} == {"application/json"}


def assert_command_ends_as_without(feed: FeedHarness, hooks: str, unsent: str) -> None:
    """Check that a failing run ends in its own exit code, in time, with one warning and without the URL."""
    set_notify(feed, f"{{webhook: {hooks}}}")
    feed.land("1.csv", BAD)
    begun = time.monotonic()
    code, out, err = feed.command("--output", "lines", "run", feed.name)
    took = time.monotonic() - begun
    entries = [json.loads(line) for line in out.splitlines()[:-1]]
    warnings = [entry for entry in entries if entry["level"] == "warning" and "notified" in entry["msg"]]

    feed.land("2.csv", BAD)
    set_notify(feed, "{}")
    begun = time.monotonic()
    without, *_ = feed.command("run", feed.name)
    took_without = time.monotonic() - begun

    assert code == without == 3
    assert took - took_without < 2 * MOST_SECONDS, "a server has its seconds once"
    assert {(entry["msg"], entry["error"].partition(": ")[2] or entry["error"]) for entry in warnings} == {
        ("webhook 1 was not notified", unsent)
    }
    assert [secret for secret in SECRETS if secret in out + err] == []


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize(
    ("behaviour", "unsent"),
    [
        ("error", "the server answered 500"),
        ("redirect", "the server answered 302, a redirect, which is not followed"),
        ("hang", "no answer within 5 s"),
        ("trickle", "no answer within 5 s"),
        ("garbage", "the server could not be reached (BadStatusLine)"),
    ],
)
def test_a_server_that_answers_badly_changes_no_exit_code(feed: FeedHarness, behaviour: Behaviour, unsent: str) -> None:
    with receiving(behaviour) as receiver:
        assert_command_ends_as_without(feed, f"'{receiver.url}'", unsent)

        assert len(receiver.bodies) == 1


def test_a_server_that_does_not_listen_changes_no_exit_code(feed: FeedHarness) -> None:
    assert_command_ends_as_without(feed, f"'{refused_url()}'", "the server could not be reached: Connection refused")


def test_a_certificate_that_nobody_trusts_is_not_accepted(feed: FeedHarness, own_certificate: ssl.SSLContext) -> None:
    with receiving(tls=own_certificate) as receiver:
        unsent = "its certificate is not trusted: self-signed certificate"
        assert_command_ends_as_without(feed, f"'{receiver.url}'", unsent)

        assert receiver.bodies == []


def test_all_servers_together_are_waited_for_no_longer_than_one(feed: FeedHarness, receiver: Receiver) -> None:
    with receiving("hang") as first, receiving("trickle") as second:
        set_notify(feed, f"{{webhook: ['{first.url}', '{second.url}', '{receiver.url}']}}")
        feed.land("1.csv", BAD)
        begun = time.monotonic()

        assert feed.command("run", feed.name)[0] == 3

        assert time.monotonic() - begun < 2 * MOST_SECONDS, "one after the other they would take as long"
    assert len(notices(receiver)) == 1


def test_a_variable_that_is_not_set_is_a_warning(feed: FeedHarness) -> None:
    set_notify(feed, "{webhook: {env: FEEDWAY_NOT_SET}}")
    feed.land("1.csv", BAD)

    code, _, err = feed.command("run", feed.name)

    assert code == 3
    assert "webhook 1 (FEEDWAY_NOT_SET) was not notified" in err
    assert "the environment variable FEEDWAY_NOT_SET is not set" in err


@pytest.fixture
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """What a server needs whose certificate is signed by itself."""
    folder: Path = tmp_path_factory.mktemp("tls")
    make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def make_certificate(folder: Path) -> None:
    """Write a self-signed certificate for this machine, and its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


def test_the_proxy_of_the_environment_is_used_and_not_for_this_machine(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy() as (address, asked):
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, address)
        post(receiver.url, b"{}", 5)
        with pytest.raises(PipelineError, match="could not be reached") as caught:
            post("https://hooks.example/secret-path", b"{}", 5)

    assert receiver.bodies == [b"{}"]
    assert asked == ["CONNECT hooks.example:443"]
    assert "secret-path" not in str(caught.value)


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a proxy that refuses to connect, and what it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_error(502)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
