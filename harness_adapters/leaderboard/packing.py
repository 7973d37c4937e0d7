"""Writing submissions, and reading those of others: nothing in them is trusted.

A submission is a folder with two files, or a zip file of them. What is read is read with limits,
however much a file says that it holds; nothing is ever unpacked to a disk.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, BinaryIO

import zstandard
from pydantic import ValidationError

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard.record import Record, line_of
from harness_adapters.leaderboard.submission import DOCUMENT, RECORDS, Records, Submission

LARGEST_DOCUMENT = 4 * 2**20
"""Bytes: a hundred runs with their judges' cards are half of it."""
LARGEST_RECORDS = 8 * 2**30
"""Bytes, unpacked: half a million long records."""
LONGEST_LINE = 16 * 2**20
"""Bytes: JSON takes up to thirty times as much memory once it is read."""
MOST_PACKED = 2 * 2**30
_WINDOW = 2**27
_LEVEL = 9


class SubmissionError(AdapterError):
    """A submission that is none, or is broken; the message says what and where."""


class RecordsWriter(AbstractContextManager["RecordsWriter"]):
    """Writes the file of records, one at a time.

    Args:
        file: where to.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._raw = file.open("wb")
        self._stream = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).stream_writer(
            self._raw
        )
        self._bytes = 0
        self._lines = 0

    def add(self, record: Record) -> None:
        """One more record."""
        line = line_of(record).encode("ascii") + b"\n"
        if len(line) > LONGEST_LINE:
            raise SubmissionError(
                f"The record of {record.id}, epoch {record.epoch}, has {len(line):,} bytes; up to"
                f" {LONGEST_LINE:,} are read."
            )
        self._stream.write(line)
        self._bytes += len(line)
        self._lines += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the file."""
        self._stream.close()  # type: ignore[no-untyped-call]  # and the file below it

    @property
    def written(self) -> Records:
        """What was written, once it is closed."""
        return Records(
            file="records.jsonl.zst",
            sha256=_sha256(self._file.open("rb")),
            bytes=self._bytes,
            lines=self._lines,
        )


def write_document(submission: Submission, folder: Path) -> None:
    """Writes `submission.json`."""
    text = json.dumps(submission.model_dump(mode="json"), indent=1, ensure_ascii=True)
    (folder / DOCUMENT).write_text(text + "\n", encoding="ascii", newline="\n")


class Packed:
    """A submission as it lies there, in a folder or a zip file; nothing of it was read yet.

    Args:
        place: the folder or file.

    Raises:
        SubmissionError: if there is anything but the two files, or one of them is no plain file.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.name = place.resolve().name
        self._members: dict[str, str] | None = None
        if place.is_dir():
            try:
                _check_folder(place)
            except OSError as error:
                raise SubmissionError(f"{place} cannot be read: {_reason(error)}.") from error
        elif place.is_file() and place.suffix == ".zip":
            self._members = _zip_members(place)
        elif place.exists():
            raise SubmissionError(f"{place} is no submission: name its folder, or a .zip of it.")
        else:
            raise SubmissionError(f"There is no submission {place}.")

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """One of the two files."""
        try:
            if self._members is None:
                with (self.place / name).open("rb") as stream:
                    yield stream
                return
            with (
                zipfile.ZipFile(self.place) as archive,
                archive.open(self._members[name]) as member,
            ):
                yield _Bounded(member, name)  # type: ignore[misc]
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise SubmissionError(f"{name} cannot be read: {_reason(error)}.") from error

    def document(self) -> Submission:
        """What the submission says.

        Raises:
            SubmissionError: if that is no submission of this version.
        """
        with self.opened(DOCUMENT) as stream:
            content = stream.read(LARGEST_DOCUMENT + 1)
        if len(content) > LARGEST_DOCUMENT:
            raise SubmissionError(f"{DOCUMENT} has more than {LARGEST_DOCUMENT:,} bytes.")
        try:
            loaded = json.loads(content, object_pairs_hook=_unique_keys)
        except (ValueError, RecursionError) as error:
            raise SubmissionError(f"{DOCUMENT} is no JSON: {_reason(error)}.") from error
        version = loaded.get("format") if isinstance(loaded, dict) else None
        if version != 1:
            raise SubmissionError(
                f"{DOCUMENT} says format={version!r:.40}, and this version reads format 1: install"
                " the privacy-tasks that it was made with."
            )
        try:
            return Submission.model_validate_json(content)
        except ValidationError as error:
            raise SubmissionError(f"{DOCUMENT}: {_first(error)}.") from error

    def sha256(self) -> str:
        """Of the file of records as it lies there."""
        with self.opened(RECORDS) as stream:
            return _sha256(stream)

    def records(self, claimed: Records) -> Iterator[Record]:
        """The records, one at a time.

        Args:
            claimed: what the submission says of the file.

        Raises:
            SubmissionError: names the line at which it is broken, or is more than was claimed.
        """
        if claimed.bytes > LARGEST_RECORDS:
            raise SubmissionError(
                f"{RECORDS} is said to unpack to {claimed.bytes:,} bytes; up to"
                f" {LARGEST_RECORDS:,} are read."
            )
        with self.opened(RECORDS) as stream:
            for number, line in enumerate(_lines(stream, claimed), start=1):
                yield _record(line, number)


def read_submission(place: Path) -> Submission:
    """What a submission says, without its records.

    Raises:
        SubmissionError: if it is none.
    """
    return Packed(place).document()


def _check_folder(folder: Path) -> None:
    for entry in sorted(folder.iterdir()):
        if entry.name not in (DOCUMENT, RECORDS):
            raise SubmissionError(
                f"It holds {entry.name!r}, which is no part of a submission: {DOCUMENT} and"
                f" {RECORDS} are all."
            )
        if not stat.S_ISREG(entry.lstat().st_mode):
            raise SubmissionError(f"{entry.name} is a link or no plain file.")
    for name in (DOCUMENT, RECORDS):
        if not (folder / name).is_file():
            raise SubmissionError(f"It has no {name}.")
    packed = (folder / RECORDS).stat().st_size
    if packed > MOST_PACKED:
        raise SubmissionError(f"{RECORDS} has {packed:,} bytes; up to {MOST_PACKED:,} are read.")


def _zip_members(file: Path) -> dict[str, str]:
    """Where the two files are in a zip file: at its top, or in its one folder."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile, ValueError, RuntimeError) as error:
        raise SubmissionError(f"It is no zip file that can be read: {_reason(error)}.") from error
    found: dict[str, str] = {}
    folders = set()
    for member in members:
        _check_member(member)
        path = PurePosixPath(member.filename)
        folders.add(path.parent if not member.is_dir() else path)
        if member.is_dir() and len(path.parts) == 1:
            continue
        if path.name not in (DOCUMENT, RECORDS) or len(path.parts) > 2 or member.is_dir():
            raise SubmissionError(
                f"The archive holds {member.filename!r:.120}, which is no part of a submission:"
                f" {DOCUMENT} and {RECORDS} are all."
            )
        if path.name in found:
            raise SubmissionError(f"The archive holds {path.name} more than once.")
        found[path.name] = member.filename
    for name in (DOCUMENT, RECORDS):
        if name not in found:
            raise SubmissionError(f"The archive has no {name}.")
    if len(folders) > 1:
        raise SubmissionError("The archive's two files are to lie in one folder.")
    return found


def _check_member(member: zipfile.ZipInfo) -> None:
    """Refuses what would leave the folder, or is no plain file."""
    name = member.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise SubmissionError(
            f"The archive holds {name!r:.120}, a path that leads out of its folder."
        )
    kind = member.external_attr >> 16
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or not stat.S_IFMT(kind)):
        raise SubmissionError(f"In the archive {name!r:.120} is a link or no plain file.")
    if member.flag_bits & 1:
        raise SubmissionError(f"In the archive {name!r:.120} is encrypted.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # of others a whole block is unpacked at once, however large
        raise SubmissionError(
            f"In the archive {name!r:.120} is packed by other means than Deflate."
        )
    limit = MOST_PACKED if path.name == RECORDS else LARGEST_DOCUMENT
    if member.file_size > limit:
        raise SubmissionError(
            f"In the archive {name!r:.120} unpacks to {member.file_size:,} bytes; up to {limit:,}"
            " are read."
        )


class _Bounded(io.RawIOBase):
    """A member of an archive that is read up to a limit, whatever the archive says of its size."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name
        self._left = (MOST_PACKED if name == RECORDS else LARGEST_DOCUMENT) + 1

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        content: bytes = self._stream.read(wanted)
        self._left -= len(content)
        if not self._left:
            raise SubmissionError(f"{self._name} unpacks to more than is read of it.")
        return content


def _lines(stream: BinaryIO, claimed: Records) -> Iterator[bytes]:
    """The lines of the file of records, unpacked bit by bit."""
    total = count = 0
    try:
        unpacking = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        with (
            unpacking.stream_reader(stream, read_across_frames=True, closefd=False) as raw,
            io.BufferedReader(raw, 2**20) as reader,
        ):
            while line := reader.readline(LONGEST_LINE + 1):
                total, count = total + len(line), count + 1
                if total > claimed.bytes or count > claimed.lines:
                    raise SubmissionError(
                        f"{RECORDS} unpacks to more than the {claimed.bytes:,} bytes and"
                        f" {claimed.lines:,} records that {DOCUMENT} says."
                    )
                if not line.endswith(b"\n"):
                    raise SubmissionError(f"{RECORDS}, line {count}, is too long, or cut off.")
                yield line[:-1]
    except zstandard.ZstdError as error:
        raise SubmissionError(f"{RECORDS} cannot be unpacked: {_reason(error)}.") from error
    if (total, count) != (claimed.bytes, claimed.lines):
        raise SubmissionError(
            f"{RECORDS} unpacks to {total:,} bytes and {count:,} records, and {DOCUMENT} says"
            f" {claimed.bytes:,} and {claimed.lines:,}."
        )


def _record(line: bytes, number: int) -> Record:
    try:
        record = Record.model_validate(json.loads(line, object_pairs_hook=_few_keys))
        written = line_of(record)
    except ValidationError as error:
        raise SubmissionError(f"{RECORDS}, line {number}: {_first(error)}.") from error
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"{RECORDS}, line {number}: {_reason(error)}.") from error
    if written.encode() != line:
        raise SubmissionError(
            f"{RECORDS}, line {number}, is not written as records are: without spaces, and"
            " without what goes without saying."
        )
    return record


_MOST_KEYS = 50
"""No part of a record has as many; each one that is unknown would be an error of its own."""


def _few_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _MOST_KEYS:
        raise ValueError(f"an object has {len(pairs):,} keys, which none in a record has")
    return _unique_keys(pairs)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _sha256(stream: BinaryIO) -> str:
    with stream:
        digest = hashlib.sha256()
        while chunk := stream.read(2**20):
            digest.update(chunk)
        return digest.hexdigest()


def _first(error: ValidationError) -> str:
    """The first fault: where, and what; without what was given."""
    fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, fault["loc"]))[:200]
    return f"{where}: {fault['msg']}" if where else fault["msg"]


def _reason(error: Exception) -> str:
    text = " ".join(str(getattr(error, "strerror", None) or error).split())[:200]
    return text or type(error).__name__
