"""Signing keys: Ed25519, one in use per person, its private half wrapped by a key derived from the password.

What is signed is the pre-authentication encoding of DSSE v1 over a type and a text, so that a signature on one kind of
text never stands for another kind.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from guidegen.errors import AccessError
from guidegen.review import passwords
from guidegen.review.canonical import canonical

RECORD_TYPE = "application/vnd.guidegen.review+json"
MANIFEST_TYPE = "application/vnd.in-toto+json"
NONCE_BYTES = 12


class SigningKey:
    """A private key in memory, for one act; never shown."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_pem = _pem(private.public_key())
        self.fingerprint = fingerprint_of(self.public_pem)

    def __repr__(self) -> str:
        return f"SigningKey({self.fingerprint[:16]}…)"

    def sign(self, kind: str, payload: bytes) -> str:
        """The signature over a payload of a kind, in base64."""
        return base64.b64encode(self._private.sign(pre_authentication(kind, payload))).decode()

    def wrapped(self, user: str, password: str) -> str:
        """The private key as only the password opens it, for this user alone: JSON."""
        salt, nonce, cost = secrets.token_bytes(passwords.SALT_BYTES), secrets.token_bytes(NONCE_BYTES), passwords.COST
        cipher = ChaCha20Poly1305(passwords.derived_key(password, salt, cost))
        sealed = cipher.encrypt(nonce, self._private.private_bytes_raw(), _bound_to(user, self.fingerprint))
        parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
        return canonical(
            {"argon2id": asdict(cost)} | {key: base64.b64encode(part).decode() for key, part in parts.items()}
        )


def new_key() -> SigningKey:
    """A fresh key."""
    return SigningKey(Ed25519PrivateKey.generate())


def unwrapped(wrapped: str, user: str, fingerprint: str, password: str) -> SigningKey:
    """The private key behind a password; AccessError where the password, the user or the key is another."""
    try:
        parts = json.loads(wrapped)
        salt, nonce, sealed = (base64.b64decode(parts[key], validate=True) for key in ("salt", "nonce", "sealed"))
        cost = passwords.Cost(**parts["argon2id"])
        cipher = ChaCha20Poly1305(passwords.derived_key(password, salt, cost))
        key = SigningKey(
            Ed25519PrivateKey.from_private_bytes(cipher.decrypt(nonce, sealed, _bound_to(user, fingerprint)))
        )
    except (InvalidTag, ValueError, KeyError, TypeError) as error:
        raise AccessError(
            f"expected the signing key of {user} behind this password, found none; replace password and key"
        ) from error
    if key.fingerprint != fingerprint:
        raise AccessError(f"expected the signing key of {user} that the chain names, found another; replace the key")
    return key


def is_signed(public_pem: str, kind: str, payload: bytes, signature: str) -> bool:
    """Whether a signature in base64 is that of this key over this payload of this kind."""
    try:
        public = load_pem_public_key(public_pem.encode())
        if not isinstance(public, Ed25519PublicKey):
            return False
        public.verify(base64.b64decode(signature, validate=True), pre_authentication(kind, payload))
    except (InvalidSignature, ValueError):
        return False
    return True


def pre_authentication(kind: str, payload: bytes) -> bytes:
    """What is signed: kind and payload with their lengths (DSSE v1, PAE)."""
    name = kind.encode()
    return b" ".join([b"DSSEv1", b"%d" % len(name), name, b"%d" % len(payload), payload])


def fingerprint_of(public_pem: str) -> str:
    """SHA-256 of the key's 32 raw bytes, in hex; ValueError for what is no Ed25519 key."""
    public = load_pem_public_key(public_pem.encode())
    if not isinstance(public, Ed25519PublicKey):
        raise ValueError("expected an Ed25519 public key, found another kind")
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()


def _pem(public: Ed25519PublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _bound_to(user: str, fingerprint: str) -> bytes:
    return canonical({"user": user, "fingerprint": fingerprint}).encode()
