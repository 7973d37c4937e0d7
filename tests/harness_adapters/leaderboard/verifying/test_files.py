"""Files that nobody of good will sends: archives, packed records, documents."""

from __future__ import annotations

import json
import os
import resource
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from harness_adapters.errors import AdapterError
from harness_adapters.leaderboard import packing
from harness_adapters.leaderboard.submission import DOCUMENT, RECORDS
from tests.conftest import REPO
from tests.harness_adapters.collapse.logs_made import claiming
from tests.harness_adapters.leaderboard.forging import (
    CARES,
    Care,
    Content,
    claims_of,
    write_document,
)
from tests.harness_adapters.leaderboard.verifying.conftest import Forge, Made, failed


@pytest.fixture
def copied(lexical: Made, tmp_path: Path) -> Path:
    """A copy of a submission, byte for byte."""
    folder = tmp_path / "copied"
    folder.mkdir()
    for name in (DOCUMENT, RECORDS):
        (folder / name).write_bytes((lexical.folder / name).read_bytes())
    return folder


def said_of(made: Made, place: Path, check: str) -> str:
    """What fails first, and alone matters: nothing is read after it."""
    checked = made.checked(place)
    assert not checked.verified
    return failed(checked)[check]


# folders


def test_a_copy_is_verified(copied: Path, lexical: Made) -> None:
    assert failed(lexical.checked(copied)) == {}


def test_a_place_that_is_not_there_cannot_be_looked_at(tmp_path: Path, lexical: Made) -> None:
    with pytest.raises(AdapterError, match="There is no submission"):
        lexical.checked(tmp_path / "nowhere")


def test_an_empty_folder_is_none(tmp_path: Path, lexical: Made) -> None:
    assert said_of(lexical, tmp_path, "files") == "It has no submission.json."


@pytest.mark.parametrize("name", [DOCUMENT, RECORDS])
def test_each_of_the_two_files_is_needed(name: str, copied: Path, lexical: Made) -> None:
    (copied / name).unlink()

    assert said_of(lexical, copied, "files") == f"It has no {name}."


@pytest.mark.parametrize("name", [DOCUMENT, RECORDS])
def test_a_link_is_no_file(name: str, copied: Path, lexical: Made, tmp_path: Path) -> None:
    (copied / name).rename(tmp_path / "elsewhere")
    (copied / name).symlink_to(tmp_path / "elsewhere")

    assert said_of(lexical, copied, "files") == f"{name} is a link or no plain file."


@pytest.mark.parametrize("name", [DOCUMENT, RECORDS])
def test_neither_is_a_folder_or_a_pipe(name: str, copied: Path, lexical: Made) -> None:
    (copied / name).unlink()
    (copied / name).mkdir()
    assert said_of(lexical, copied, "files") == f"{name} is a link or no plain file."
    (copied / name).rmdir()
    os.mkfifo(copied / name)
    assert said_of(lexical, copied, "files") == f"{name} is a link or no plain file."


@pytest.mark.parametrize(
    "name", ["more.txt", ".git", "SUBMISSION.json", "a\u202eb\x1b[2J", "\udcff"]
)
def test_nothing_else_lies_beside_them(name: str, copied: Path, lexical: Made) -> None:
    (copied / os.fsencode(name).decode("utf-8", "surrogateescape")).write_text("")

    said = said_of(lexical, copied, "files")

    assert "which is no part of a submission" in said
    assert said.isprintable()


def test_a_file_of_another_kind_is_no_submission(tmp_path: Path, lexical: Made) -> None:
    (tmp_path / "a.tar").write_text("")

    assert "name its folder, or a .zip of it" in said_of(lexical, tmp_path / "a.tar", "files")


# archives

Members = list[tuple[str, bytes]]


def zipped(
    folder: Path, to: Path, change: Callable[[Members], object] = len, **options: Any
) -> Path:
    """A zip file of a submission, with changed members."""
    members = [(f"mine/{name}", (folder / name).read_bytes()) for name in (DOCUMENT, RECORDS)]
    change(members)
    with zipfile.ZipFile(to, "w", options.pop("method", zipfile.ZIP_DEFLATED)) as archive:
        for name, content in members:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # as it is: ZipInfo changes some names
            info.compress_type = archive.compression
            for key, value in options.items():
                setattr(info, key, value)
            archive.writestr(info, content)
    return to


def test_an_archive_is_verified_with_a_folder_in_it_or_without(
    copied: Path, lexical: Made, tmp_path: Path
) -> None:
    def bare(members: Members) -> None:
        members[:] = [(name.removeprefix("mine/"), content) for name, content in members]

    assert failed(lexical.checked(zipped(copied, tmp_path / "a.zip"))) == {}
    assert failed(lexical.checked(zipped(copied, tmp_path / "b.zip", bare))) == {}
    stored = zipped(copied, tmp_path / "c.zip", method=zipfile.ZIP_STORED)
    assert failed(lexical.checked(stored)) == {}


@pytest.mark.parametrize(
    "name",
    [
        "../submission.json",
        "mine/../../submission.json",
        "/etc/submission.json",
        "mine\\submission.json",
        "C:/submission.json",
        "C:submission.json",
        "//server/share/submission.json",
    ],
)
def test_no_member_leads_out_of_its_folder(
    name: str, copied: Path, lexical: Made, tmp_path: Path
) -> None:
    def rename(members: Members) -> None:
        members[0] = (name, members[0][1])

    place = zipped(copied, tmp_path / "a.zip", rename)

    assert "leads out of its folder" in said_of(lexical, place, "files")
    assert not (tmp_path / "submission.json").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it.append(("mine/more.txt", b"")), "is no part of a submission"),
        (lambda it: it.append(("mine/deeper/submission.json", b"")), "no part of a submission"),
        (lambda it: it.append(("yours/", b"")), "are to lie in one folder"),
        (lambda it: it.append(it[0]), "holds submission.json more than once"),
        (lambda it: it.append(("submission.json", it[0][1])), "submission.json more than once"),
        (lambda it: it.insert(0, (f"yours/{DOCUMENT}", it.pop(0)[1])), "to lie in one folder"),
        (lambda it: it.pop(), "The archive has no records.jsonl.zst."),
        (lambda it: it.clear(), "The archive has no submission.json."),
        (lambda it: it.append(("mine/a\x1b[2Jb", b"")), "is no part of a submission"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_holds_one_submission(
    change: Any, said: str, copied: Path, lexical: Made, tmp_path: Path
) -> None:
    place = zipped(copied, tmp_path / "a.zip", change)

    assert said in said_of(lexical, place, "files")


def test_a_member_is_no_link(copied: Path, lexical: Made, tmp_path: Path) -> None:
    mode = (stat.S_IFLNK | 0o777) << 16

    place = zipped(copied, tmp_path / "a.zip", external_attr=mode)

    assert "is a link or no plain file" in said_of(lexical, place, "files")


def _patched(file: Path, at: int, value: bytes, *, local: bool = True) -> Path:
    """Both headers of the first member, changed at a place of the central one."""
    raw = bytearray(file.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + at : central + at + len(value)] = value
    if local:
        raw[at - 2 : at - 2 + len(value)] = value
    file.write_bytes(bytes(raw))
    return file


def test_a_member_is_not_encrypted(copied: Path, lexical: Made, tmp_path: Path) -> None:
    place = _patched(zipped(copied, tmp_path / "a.zip"), 8, b"\x01\x00")

    assert "is encrypted" in said_of(lexical, place, "files")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 93])
def test_members_are_packed_by_deflate_or_not_at_all(
    method: int, copied: Path, lexical: Made, tmp_path: Path
) -> None:
    """Of other methods a block is unpacked as a whole, however large it becomes."""
    place = _patched(zipped(copied, tmp_path / "a.zip"), 10, struct.pack("<H", method))

    assert "is packed by other means than Deflate" in said_of(lexical, place, "files")


def test_an_archive_of_a_later_version_is_not_read(
    copied: Path, lexical: Made, tmp_path: Path
) -> None:
    place = _patched(zipped(copied, tmp_path / "a.zip"), 6, b"\xff\x00")

    assert "no zip file that can be read" in said_of(lexical, place, "files")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"\0" * 1000])
def test_what_is_no_archive_is_said_to_be_none(
    content: bytes, lexical: Made, tmp_path: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(content)

    assert (
        "archive" in said_of(lexical, tmp_path / "a.zip", "files") or content[:4] != b"PK\x05\x06"
    )


def test_a_damaged_member_is_named(copied: Path, lexical: Made, tmp_path: Path) -> None:
    place = zipped(copied, tmp_path / "a.zip")
    raw = bytearray(place.read_bytes())
    raw[60:90] = bytes(30)
    place.write_bytes(bytes(raw))

    assert "submission.json cannot be read" in said_of(lexical, place, "schema")


def test_a_member_that_is_declared_huge_is_not_opened(
    copied: Path, lexical: Made, tmp_path: Path
) -> None:
    place = zipped(copied, tmp_path / "a.zip")
    for member in (DOCUMENT, RECORDS):
        found = claiming(zipped(copied, place), member, 0xF0000000)
        assert "unpacks to 4,026,531,840 bytes" in said_of(lexical, found, "files")


def test_a_member_that_holds_more_than_it_says_is_cut(
    copied: Path, lexical: Made, tmp_path: Path
) -> None:
    def bomb(members: Members) -> None:
        members[0] = (members[0][0], members[0][1] + b" " * 50_000_000)

    place = claiming(zipped(copied, tmp_path / "a.zip", bomb), DOCUMENT, 5_000)

    assert "submission.json cannot be read" in said_of(lexical, place, "schema")


# packed records


def _packed(content: bytes, **options: Any) -> bytes:
    return zstandard.ZstdCompressor(**options).compress(content)


def _plain(folder: Path) -> bytes:
    with (folder / RECORDS).open("rb") as stream:
        return zstandard.ZstdDecompressor().stream_reader(stream).read()


def repacked(folder: Path, raw: bytes, lines: int | None = None, size: int | None = None) -> Path:
    """The submission with another file of records, of which nothing wrong is said."""
    (folder / RECORDS).write_bytes(raw)
    document = json.loads((folder / DOCUMENT).read_text())
    claims = claims_of(folder, [])
    claims["bytes"] = document["records"]["bytes"] if size is None else size
    claims["lines"] = document["records"]["lines"] if lines is None else lines
    document["records"] |= claims
    write_document(folder, document)
    return folder


def test_records_that_were_cut_are_named(copied: Path, lexical: Made) -> None:
    raw = (copied / RECORDS).read_bytes()
    (copied / RECORDS).write_bytes(raw[:-1])  # all but a byte of its checksum
    assert "not the one whose hash" in said_of(lexical, copied, "records")
    for cut in (len(raw) // 2, len(raw) - 5, 3):
        repacked(copied, raw[:cut])
        said = said_of(lexical, copied, "records")
        assert "unpacks to" in said or "cut off" in said or "cannot be unpacked" in said


@pytest.mark.parametrize("more", [b"garbage", b"\0" * 100, b"{}\n"])
def test_nothing_follows_the_records(more: bytes, copied: Path, lexical: Made) -> None:
    repacked(copied, (copied / RECORDS).read_bytes() + more)

    assert "records.jsonl.zst cannot be unpacked" in said_of(lexical, copied, "records")


def test_a_second_frame_is_read_as_well(copied: Path, lexical: Made) -> None:
    plain = _plain(copied)
    half = plain.index(b"\n") + 1

    repacked(copied, _packed(plain[:half]) + _packed(plain[half:]))
    assert failed(lexical.checked(copied)) == {}

    repacked(copied, _packed(plain) + _packed(plain[:half]))
    assert "more than the" in said_of(lexical, copied, "records")


def test_a_window_that_takes_much_memory_is_refused(copied: Path, lexical: Made) -> None:
    header = b"\x28\xb5\x2f\xfd\x00" + bytes([(28 - 10) << 3])  # a window of 256 MiB
    block = struct.pack("<I", (5 << 3) | 1)[:3] + b"hello"

    repacked(copied, header + block)

    assert "records.jsonl.zst cannot be unpacked" in said_of(lexical, copied, "records")


LINES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "not a line": (lambda it: it.replace(b"\n", b"\n\n", 1), "line 2:"),
    "without an end": (lambda it: it[:-1], "is too long, or cut off"),
    "no text": (lambda it: it.replace(b'"run"', b'"\xff\xfe"', 1), "line 1:"),
    "another encoding": (lambda it: it.replace(b"{", b"\xef\xbb\xbf{", 1), "line 1"),
    "spaces": (lambda it: it.replace(b'":', b'": ', 1), "line 1, is not written as records are"),
    "NaN": (lambda it: it.replace(b'"epoch":1', b'"epoch":NaN', 1), "line 1: epoch:"),
    "infinite": (lambda it: it.replace(b'"calls":0', b'"calls":Infinity', 1), "line 1: cost.calls"),
    "a fraction": (lambda it: it.replace(b'"epoch":1', b'"epoch":1.0', 1), "line 1: epoch:"),
    "true": (lambda it: it.replace(b'"epoch":1', b'"epoch":true', 1), "line 1: epoch:"),
    "zero": (lambda it: it.replace(b'"epoch":1', b'"epoch":0', 1), "line 1: epoch:"),
    "huge": (lambda it: it.replace(b'"epoch":1', b'"epoch":' + b"9" * 5000, 1), "line 1:"),
    "large": (lambda it: it.replace(b'"epoch":1', b'"epoch":' + b"9" * 100, 1), ""),
    "twice": (
        lambda it: it.replace(b'"epoch":1', b'"epoch":2,"epoch":1', 1),
        "line 1: a key stands twice",
    ),
    "twice within": (
        lambda it: it.replace(b'"disclosed":true', b'"disclosed":false,"disclosed":true', 1),
        "line 1: a key stands twice",
    ),
    "unknown": (lambda it: it.replace(b'{"run"', b'{"luck":1,"run"', 1), "line 1: luck:"),
    "missing": (lambda it: it.replace(b'"epoch":1,', b"", 1), "line 1: epoch: Field required"),
    "of another type": (lambda it: it.replace(b'"epoch":1', b'"epoch":"1"', 1), "line 1: epoch:"),
    "a default": (
        lambda it: it.replace(b'"epoch":1', b'"epoch":1,"answer":null', 1),
        "is not written as records are",
    ),
    "a list": (lambda it: b"[]\n" + it[it.index(b"\n") + 1 :], "line 1:"),
    "deep": (
        lambda it: b'{"run":' + b"[" * 100_000 + b"\n" + it[it.index(b"\n") + 1 :],
        "line 1:",
    ),
    "deep and whole": (
        lambda it: (
            b'{"run":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n" + it[it.index(b"\n") + 1 :]
        ),
        "line 1:",
    ),
    "nothing": (lambda it: b"", "completeness"),
}


@pytest.mark.parametrize("what", LINES)
def test_a_line_that_is_no_record_is_named(what: str, copied: Path, lexical: Made) -> None:
    change, said = LINES[what]
    plain = _plain(copied)
    changed = change(plain)
    assert changed != plain

    lines = changed.count(b"\n") + (what == "without an end")
    repacked(copied, _packed(changed), lines=lines, size=len(changed))

    found = failed(lexical.checked(copied))
    if what in ("nothing", "large"):
        assert "completeness" in found or "records" in found
    else:
        assert said in found["records"]
    assert len(json.dumps(found)) < 5000, "what was sent is not sent back"


def test_more_is_not_read_than_is_claimed(copied: Path, lexical: Made) -> None:
    plain = _plain(copied)
    repacked(copied, _packed(plain), size=len(plain) - 1)
    assert "unpacks to more than" in said_of(lexical, copied, "records")
    repacked(copied, _packed(plain), lines=2)
    assert "unpacks to more than" in said_of(lexical, copied, "records")
    repacked(copied, _packed(plain), size=len(plain) + 1, lines=6)
    assert "and submission.json says" in said_of(lexical, copied, "records")
    repacked(copied, _packed(plain), size=2**40)
    assert "is said to unpack to 1,099,511,627,776 bytes" in said_of(lexical, copied, "records")


@pytest.mark.parametrize("care", CARES[1:])
@pytest.mark.parametrize("text", ["half \ud83d of a pair", "a \0 in it", "\u202eturned\x1b[2J"])
def test_whatever_a_model_writes_can_be_submitted(
    text: str, care: Care, episodes: Made, forge: Forge
) -> None:
    """In a flow of several turns, where there is no other place that it should stand in."""

    def add(content: Content) -> None:
        flow = next(it for it in content.records if it.get("flows"))["flows"][0]
        flow["text"] += f"\n{text}"
        flow["parts"] = [*flow["parts"], text]

    found = failed(forge(episodes, add, care))

    assert set(found) == (set() if care == "thorough" else {"seals"})


# documents

DOCUMENTS: dict[str, tuple[Callable[[str], str | bytes], str]] = {
    "empty": (lambda it: "", "is no JSON"),
    "cut": (lambda it: it[: len(it) // 2], "is no JSON"),
    "a list": (lambda it: "[]", "says format=None"),
    "another format": (lambda it: it.replace('"format": 1', '"format": 2'), "says format=2, and"),
    "no format": (lambda it: it.replace('"format": 1,', ""), "says format=None"),
    "a word": (lambda it: it.replace('"format": 1', '"format": "1"'), "says format='1'"),
    "a long format": (
        lambda it: it.replace('"format": 1', '"format": "' + "x" * 9999 + '"'),
        "says format='xxx",
    ),
    "twice": (lambda it: it.replace('"format": 1', '"format": 1, "format": 1'), "a key stands"),
    "twice within": (
        lambda it: it.replace('"access"', '"access": "api", "access"'),
        "a key stands twice",
    ),
    "unknown": (lambda it: it.replace('"format": 1', '"format": 1, "luck": 1'), "luck: Extra"),
    "unknown within": (lambda it: it.replace('"access"', '"luck": 1, "access"'), "model.luck"),
    "missing": (lambda it: it.replace('"access": "closed",', ""), "model.access: Field required"),
    "of another type": (lambda it: it.replace('"epochs": 1', '"epochs": "1"'), "runs.0.epochs"),
    "a fraction": (lambda it: it.replace('"epochs": 1', '"epochs": 1.5'), "runs.0.epochs"),
    "none": (lambda it: it.replace('"epochs": 1', '"epochs": 0'), "runs.0.epochs"),
    "many": (lambda it: it.replace('"epochs": 1', '"epochs": 1001'), "runs.0.epochs"),
    "huge": (lambda it: it.replace('"epochs": 1', '"epochs": ' + "9" * 5000), "submission.json"),
    "NaN": (lambda it: it.replace('"calls": 0', '"calls": NaN'), "submission.json"),
    "a mean of NaN": (lambda it: _mean(it, "NaN"), "submission.json"),
    "an infinite mean": (lambda it: _mean(it, "1e999"), "submission.json"),
    "deep": (lambda it: it.replace('"format": 1', '"format": 1, "x": ' + "[" * 99_999), "JSON"),
    "no text": (lambda it: it.encode().replace(b"lab/model", b"lab/\xff"), "submission.json"),
    "another encoding": (lambda it: it.encode("utf-16"), "submission.json"),
    "half a character": (lambda it: it.replace("lab/model", "lab/\\ud800"), "submission.json"),
    "no run": (lambda it: json.dumps(json.loads(it) | {"runs": []}), "runs:"),
    "another file": (
        lambda it: it.replace('"file": "records.jsonl.zst"', '"file": "../records"'),
        "records.file",
    ),
}


def _mean(text: str, value: str) -> str:
    whole = json.loads(text)
    whole["runs"][0]["metrics"]["leak_rate"]["mean"] = "here"
    return json.dumps(whole).replace('"here"', value)


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_that_is_none_is_said_to_be(what: str, copied: Path, lexical: Made) -> None:
    change, said = DOCUMENTS[what]
    text = (copied / DOCUMENT).read_text()
    made = change(text)
    assert made != text
    (copied / DOCUMENT).write_bytes(made if isinstance(made, bytes) else made.encode())

    found = said_of(lexical, copied, "schema")

    assert said in found
    assert len(found) <= 300


def test_a_document_is_read_up_to_a_limit(
    copied: Path, lexical: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "LARGEST_DOCUMENT", 1000)

    assert "has more than 1,000 bytes" in said_of(lexical, copied, "schema")


def test_names_are_of_a_length_that_can_be_shown(lexical: Made, forge: Forge) -> None:
    def lengthen(content: Content) -> None:
        content.document["model"]["name"] = "x" * 201

    assert "model.name" in failed(forge(lexical, lengthen, "careful"))["schema"]


# how much memory they take, measured in a process of its own

WATCH = """
import sys
from pathlib import Path
from harness_adapters.leaderboard.asked import Given
from harness_adapters.leaderboard.verifying.verification import verify
data, *places = sys.argv[1:]
def peak():  # of this process alone: what a parent had is counted by getrusage
    (line,) = (it for it in open("/proc/self/status") if it.startswith("VmHWM"))
    return int(line.split()[1]) // 1024
verify(Path(places[0]), Given({"core": Path(data)}), {})
before = peak()
for place in places[1:]:
    checked = verify(Path(place), Given({"core": Path(data)}), {})
    said = [it.said for it in checked.failures]
    print(Path(place).name, checked.verified, peak() - before, *said)
"""


def _bomb(copied: Path, to: Path, raw: bytes, size: int) -> Path:
    to.mkdir()
    (to / DOCUMENT).write_bytes((copied / DOCUMENT).read_bytes())
    return repacked(to, raw, lines=1, size=size)


_MANY = 2**20

LARGE = {
    "keys": b'{"run":"r",' + b",".join(b'"%x":1' % it for it in range(_MANY)) + b"}\n",
    "verdicts": b'{"run":"r","verdicts":[' + b"{}," * _MANY + b"{}]}\n",
    "parts": b'{"run":"r","flows":[{"parts":[' + b"1," * _MANY + b"1]}]}\n",
}
"""Lines of some megabytes, in which pydantic could find a million faults."""


def _zeros_in_deflate(size: int) -> bytes:
    """Deflate of so many megabytes of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size)) + packer.flush()


def _zeros_in_zstd(size: int) -> bytes:
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size)) + packer.flush()


def _zip_bomb(copied: Path, to: Path, size: int, claimed: int) -> Path:
    """An archive whose document is so many megabytes of zeros."""
    packed = _zeros_in_deflate(size)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(DOCUMENT, packed)
        archive.writestr(RECORDS, (copied / RECORDS).read_bytes())
    _patched(to, 10, struct.pack("<H", zipfile.ZIP_DEFLATED))
    raw = bytearray(to.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = struct.pack("<I", claimed)
    raw[22:26] = struct.pack("<I", claimed)
    to.write_bytes(bytes(raw))
    return to


def test_bombs_take_little_memory(lexical: Made, copied: Path, tmp_path: Path) -> None:
    """Archives and records that unpack to hundreds of times what they are."""
    zeros = _zeros_in_zstd(256)
    places = [
        _bomb(copied, tmp_path / "one-line", zeros, 2**28),
        _bomb(copied, tmp_path / "claims-little", zeros, 1000),
        _zip_bomb(copied, tmp_path / "little.zip", 256, 5000),
        _zip_bomb(copied, tmp_path / "large.zip", 256, packing.LARGEST_DOCUMENT),
        *(
            _bomb(copied, tmp_path / name, _packed(content), len(content))
            for name, content in LARGE.items()
        ),
    ]
    assert all(os.path.getsize(it) < 2**20 for it in places)

    run = subprocess.run(
        [sys.executable, "-c", WATCH, str(lexical.given.paths["core"]), str(lexical.folder)]
        + [str(it) for it in places],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30)),
    )

    told = [line.split(maxsplit=3) for line in run.stdout.splitlines()]
    assert [it[:2] for it in told] == [[place.name, "False"] for place in places]
    assert all(int(it[2]) < 100 for it in told[:4]), run.stdout
    assert all(int(it[2]) < 500 for it in told), run.stdout
    assert "line 1, is too long, or cut off" in told[0][3]
    assert "unpacks to more than" in told[1][3] or "too long" in told[1][3]
