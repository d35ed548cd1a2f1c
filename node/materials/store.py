"""The store (材料库): ciphertext in files named by hash, under the site's folder, for nobody else to read.

    materials/blobs/ab/abcd…     whole blobs, complete and checked
    materials/coming/abcd…       blobs on their way here; what is there is contiguous from the first byte
    materials/uploads/<id>       files on their way from a browser; gone as soon as they are checked
    materials/thumbs/abcd…       small pictures, enciphered too

One rule: a path is made of a hash or of an id of our own, never of anything a person or another node chose. Every
folder is 0700 and every file 0600. These functions block; callers give the longer ones to a thread.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol import blobs

_NAME = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{32}")
_READ = 1024 * 1024


class Store:
    """The materials of one site."""

    def __init__(self, site: Path) -> None:
        self._root = site / "materials"

    # whole blobs

    def has(self, name: str) -> bool:
        """Whether the whole blob is here."""
        return self._blob(name).is_file()

    def keep(self, blob: bytes) -> str:
        """Store a blob of ours; its name."""
        name = hashlib.sha256(blob).hexdigest()
        path = self._blob(name)
        if not path.is_file():
            fresh = path.with_name(name + ".new")
            _write(fresh, blob)
            fresh.replace(path)
            _settle(path.parent)
        return name

    def read(self, name: str, at: int, size: int) -> bytes:
        """Bytes of a whole blob; FileNotFoundError if it is not here."""
        with self._blob(name).open("rb") as file:
            file.seek(at)
            return file.read(size)

    def size(self, name: str) -> int | None:
        """How long a whole blob is; None if it is not here."""
        try:
            return self._blob(name).stat().st_size
        except FileNotFoundError:
            return None

    def plain(self, name: str, key: bytes) -> Iterator[bytes]:
        """The material in a blob, segment by segment; FileNotFoundError, or SealError if it is not right."""
        with self._blob(name).open("rb") as file:
            yield from blobs.decipher(file.read, key)

    def forget(self, name: str) -> None:
        """Delete a blob and all that was made of it."""
        for path in (self._blob(name), self._coming(name), self._thumb(name)):
            path.unlink(missing_ok=True)

    # small pictures

    def keep_thumb(self, name: str, key: bytes, thumb: bytes) -> None:
        """Store the small picture of a material, under a key made from the material's."""
        path = self._thumb(name)
        fresh = path.with_name(name + ".new")
        _write(fresh, blobs.encipher(thumb, _thumb_key(key)))
        fresh.replace(path)

    def thumb(self, name: str, key: bytes) -> bytes | None:
        """The small picture; None if there is none."""
        try:
            with self._thumb(name).open("rb") as file:
                return b"".join(blobs.decipher(file.read, _thumb_key(key)))
        except FileNotFoundError:
            return None

    # blobs on their way here

    def come(self, name: str) -> int:
        """How much of a blob on its way is here, from its first byte on."""
        try:
            return self._coming(name).stat().st_size
        except FileNotFoundError:
            return 0

    def add(self, name: str, at: int, data: bytes) -> None:
        """Put bytes behind those that are here; ValueError if they do not follow on."""
        path = self._coming(name)
        with open(path, "ab", opener=_private) as file:
            if file.tell() != at:
                raise ValueError(f"{name[:12]} 已有 {file.tell()} 字节，不是 {at}")
            file.write(data)

    def complete(self, name: str) -> bool:
        """Move a blob that has come into its place if it is the one named; else drop it and answer False."""
        path = self._coming(name)
        found = hashlib.sha256()
        with path.open("rb") as file:
            while part := file.read(_READ):
                found.update(part)
            os.fsync(file.fileno())
        if found.hexdigest() != name:
            path.unlink(missing_ok=True)
            return False
        target = self._blob(name)
        path.replace(target)
        _settle(target.parent)
        return True

    def drop(self, name: str) -> None:
        """Begin a blob on its way anew."""
        self._coming(name).unlink(missing_ok=True)

    # files on their way from a browser

    def uploaded(self, upload: str) -> int:
        """How much of an upload is here."""
        try:
            return self._upload(upload).stat().st_size
        except FileNotFoundError:
            return 0

    def write_upload(self, upload: str, at: int, data: bytes) -> None:
        """Put bytes of an upload where they belong; a repeat writes the same again."""
        with os.fdopen(os.open(self._upload(upload), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.seek(at)
            file.write(data)

    def read_upload(self, upload: str) -> bytes:
        """The whole upload."""
        return self._upload(upload).read_bytes()

    def drop_upload(self, upload: str) -> None:
        """Delete the plain bytes of an upload."""
        self._upload(upload).unlink(missing_ok=True)

    def uploads(self) -> list[str]:
        """Every upload that has bytes here."""
        folder = self._root / "uploads"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def free(self) -> int:
        """Bytes of room left on the disk."""
        return shutil.disk_usage(self._folder("blobs")).free

    # paths

    def _blob(self, name: str) -> Path:
        _check(_NAME, name)
        return self._folder("blobs", name[:2]) / name

    def _coming(self, name: str) -> Path:
        _check(_NAME, name)
        return self._folder("coming") / name

    def _thumb(self, name: str) -> Path:
        _check(_NAME, name)
        return self._folder("thumbs") / name

    def _upload(self, upload: str) -> Path:
        _check(_ID, upload)
        return self._folder("uploads") / upload

    def _folder(self, *names: str) -> Path:
        path = self._root.joinpath(*names)
        if not path.is_dir():
            for at in range(len(names) + 1):
                self._root.joinpath(*names[:at]).mkdir(mode=0o700, parents=at == 0, exist_ok=True)
        return path


def _check(form: re.Pattern[str], name: str) -> None:
    if not form.fullmatch(name):
        raise ValueError(f"不是材料的名字：{name[:80]!r}")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _write(path: Path, data: bytes) -> None:
    """A new file, never readable by others, on the disk when this returns."""
    with open(path, "wb", opener=_private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Have a new name in a folder survive a loss of power, where folders can be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def _thumb_key(key: bytes) -> bytes:
    return HKDF(
        algorithm=hashes.SHA256(), length=blobs.KEY_BYTES, salt=None, info=b"liandong-thumb-v1"
    ).derive(key)
