"""Signatures: who can sign what, and the keys of a cluster.

The core is given an `Authority`, so that the simulator may sign with something faster than Ed25519.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from quorate_impl.protocol import Misconfigured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

encode = msgspec.msgpack.Encoder().encode
"""From a statement to what is signed. It has the name of its class in it, so that no statement is taken for another."""


class Scheme(Protocol):
    """A way to sign."""

    def public(self, secret: bytes) -> bytes:
        """The public key that belongs to the secret one."""
        ...

    def sign(self, secret: bytes, data: bytes) -> bytes:
        """The signature; always the same for the same data, since a core draws no random numbers."""
        ...

    def verify(self, public: bytes, data: bytes, signature: bytes) -> bool:
        """Whether the owner of the key has signed the data. False, too, if what should be a key is none."""
        ...


class Ed25519:
    """Ed25519 (RFC 8032), by the package `cryptography`. Keys are their 32 bytes."""

    def public(self, secret: bytes) -> bytes:
        return _private(secret).public_key().public_bytes_raw()

    def sign(self, secret: bytes, data: bytes) -> bytes:
        return _private(secret).sign(data)

    def verify(self, public: bytes, data: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature

        try:
            _public(public).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


@lru_cache(maxsize=64)
def _private(secret: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(secret)


@lru_cache(maxsize=4096)
def _public(public: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public)


@dataclass(frozen=True)
class Authority:
    """What a replica can sign with, its own key, and what it knows of the others: their public keys, by name."""

    secret: bytes
    public: Mapping[str, bytes]
    scheme: Scheme

    def sign(self, statement: msgspec.Struct) -> bytes:
        """The replica's signature under a statement."""
        return self.scheme.sign(self.secret, encode(statement))

    def has_signed(self, source: str, statement: msgspec.Struct, signature: bytes) -> bool:
        """Whether the replica of this name has signed the statement; no, if there is none."""
        public = self.public.get(source)
        return public is not None and self.scheme.verify(public, encode(statement), signature)

    def is_of_owner(self, public: bytes, statement: msgspec.Struct, signature: bytes) -> bool:
        """Whether the owner of the key has signed the statement."""
        return self.scheme.verify(public, encode(statement), signature)


# Keys in files: NAME.key, for its owner only, and NAME.pub, for all.


def make_keys(directory: Path, names: Iterable[str]) -> None:
    """New keys for these replicas."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        secret = new_secret()
        descriptor = os.open(directory / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret.hex() + "\n")
        (directory / f"{name}.pub").write_text(Ed25519().public(secret).hex() + "\n", encoding="ascii")


def new_secret() -> bytes:
    """A secret key that nobody else has."""
    return os.urandom(32)


def read_authority(directory: Path, name: str, members: Iterable[str]) -> Authority:
    """The key of the replica, and the public ones of all. Raises `Misconfigured` if one is missing or no key."""
    scheme = Ed25519()
    public = {each: _read(directory / f"{each}.pub") for each in members}
    secret = _read(directory / f"{name}.key")
    if scheme.public(secret) != public.get(name):
        raise Misconfigured(f"{directory / f'{name}.key'} is not the key that the others know {name} by.")
    return Authority(secret, public, scheme)


def _read(path: Path) -> bytes:
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise Misconfigured(f"{path}, a key of the cluster, cannot be read: {error.strerror}.") from None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Misconfigured(f"{path} has no key: 64 hexadecimal digits were expected.")
    return key
