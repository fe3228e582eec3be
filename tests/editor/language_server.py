"""The language server of VS Code's YAML extension and of other editors, over its standard streams.

Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

SERVER = Path(__file__).parents[2] / ".venv-editor" / "node_modules" / "yaml-language-server" / "bin"
SETTINGS = {"yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}
CAPABILITIES = {
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["markdown"], "snippetSupport": True}},
        "publishDiagnostics": {},
    },
    "workspace": {"configuration": True},
}


@dataclass
class LanguageServer:
    """A running server, and the documents that were opened in it."""

    requests: IO[bytes]
    answers: IO[bytes]
    sent: int = 0
    opened: int = 0
    diagnostics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def mistakes(self, path: Path, text: str) -> list[str]:
        """Return what the editor underlines in a document."""
        uri = self._open(path, text)
        while uri not in self.diagnostics:
            self._read()
        return [each["message"] for each in self.diagnostics[uri]]

    def suggestions(self, path: Path, text: str, line: int, character: int) -> dict[str, tuple[str, str]]:
        """Return what the editor suggests at a place, from 0: by the label what is inserted, and its description."""
        uri = self._open(path, text)
        place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        found = self.ask("textDocument/completion", place)
        return {
            each["label"]: (each.get("insertText", each["label"]), _text_of(each.get("documentation", "")))
            for each in found["items"]
        }

    def _open(self, path: Path, text: str) -> str:
        """Open a document in the folder of a path; return its address, which no other document has."""
        self.opened += 1
        uri = path.with_name(f"{self.opened}-{path.name}").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": document})
        return uri

    def ask(self, method: str, parameters: object) -> Any:
        """Send a request; return its result."""
        self.sent += 1
        self._write({"id": self.sent, "method": method, "params": parameters})
        while True:
            message = self._read()
            if message.get("id") == self.sent and "method" not in message:
                return message["result"]

    def send(self, method: str, parameters: object) -> None:
        """Send a notification."""
        self._write({"method": method, "params": parameters})

    def _write(self, message: dict[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.requests.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.requests.flush()

    def _read(self) -> dict[str, Any]:
        """Read one message. What the server asks is answered, and what it finds in documents is kept."""
        size = 0
        while line := self.answers.readline().strip():
            name, _, value = line.partition(b":")
            size = int(value) if name.lower() == b"content-length" else size
        message: dict[str, Any] = json.loads(self.answers.read(size))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif message.get("method") == "workspace/configuration":
            result = [SETTINGS.get(each["section"]) for each in message["params"]["items"]]
            self._write({"id": message["id"], "result": result})
        elif "method" in message and "id" in message:
            self._write({"id": message["id"], "result": None})
        return message


def _text_of(documentation: str | dict[str, str]) -> str:
    return documentation if isinstance(documentation, str) else documentation["value"]


@contextmanager
def language_server(folder: Path) -> Iterator[LanguageServer]:
    """Start a server for a folder of an editor, and stop it in the end."""
    command = ["node", str(SERVER / "yaml-language-server"), "--stdio"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        server = LanguageServer(process.stdin, process.stdout)
        server.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": CAPABILITIES})
        server.send("initialized", {})
        server.send("workspace/didChangeConfiguration", {"settings": SETTINGS})
        yield server
        server.ask("shutdown", None)
        server.send("exit", None)
