"""A stand-in for the Hugging Face hub: serves data sets made here to the stock clients."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Files = Mapping[str, bytes]
"""Path in the repository -> content."""


@contextmanager
def local_hub(datasets: Mapping[tuple[str, str], Files], cache: Path) -> Iterator[dict[str, str]]:
    """Serves data sets by (name, revision); the environment that sends commands here.

    Whatever the commands keep of it goes into `cache`, never where the user's own data lie.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(datasets))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {**own_caches(cache), "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    finally:
        server.shutdown()
        server.server_close()


def own_caches(cache: Path) -> dict[str, str]:
    """The environment in which commands keep downloads and prepared data in a folder."""
    return {
        "XDG_CACHE_HOME": str(cache),  # Inspect's own cache is in there
        "INSPECT_EVALS_CACHE_DIR": str(cache / "inspect_evals"),
        "HF_HOME": str(cache / "huggingface"),
        "HF_HUB_CACHE": str(cache / "huggingface" / "hub"),
        "HF_DATASETS_CACHE": str(cache / "huggingface" / "datasets"),
        "HF_HUB_OFFLINE": "0",
        "HF_DATASETS_OFFLINE": "0",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _handler(datasets: Mapping[tuple[str, str], Files]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            match unquote(urlsplit(self.path).path).strip("/").split("/"):
                case ["api", "datasets", owner, name, "revision", revision]:
                    self._describe(f"{owner}/{name}", revision)
                case ["api", "datasets", owner, name, "tree", revision, *folder]:
                    self._list((f"{owner}/{name}", revision), "/".join(folder))
                case ["datasets", owner, name, "resolve", revision, *path]:
                    self._send_file((f"{owner}/{name}", revision), "/".join(path))
                case _:
                    self._send(404, b"{}")

        def do_HEAD(self) -> None:
            self.do_GET()

        def _describe(self, name: str, revision: str) -> None:
            files = datasets.get((name, revision))
            if files is None:
                return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
            siblings = [{"rfilename": path} for path in files]
            return self._send_json({"id": name, "sha": revision, "siblings": siblings})

        def _list(self, dataset: tuple[str, str], folder: str) -> None:
            files = datasets.get(dataset, {})
            inside = f"{folder}/" if folder else ""
            below = [path for path in files if path.startswith(inside)]
            if not below:
                return self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})
            whole = "recursive=true" in self.path.lower()
            entries: dict[str, Any] = {}
            for path in below:
                first, deeper, _ = path.removeprefix(inside).partition("/")
                if deeper:
                    entries[inside + first] = {"type": "directory", "oid": _hash(first.encode())}
                if whole or not deeper:
                    entries[path] = {
                        "type": "file",
                        "size": len(files[path]),
                        "oid": _hash(files[path]),
                    }
            return self._send_json([{"path": path, **entry} for path, entry in entries.items()])

        def _send_file(self, dataset: tuple[str, str], path: str) -> None:
            content = datasets.get(dataset, {}).get(path)
            if content is None:
                return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            headers = {"ETag": f'"{_hash(content)}"', "X-Repo-Commit": dataset[1]}
            return self._send(200, content, headers)

        def _send_json(self, content: Any) -> None:
            self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

        def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    return Handler


def _hash(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
