"""Mutual TLS: who has no certificate of the cluster's authority gets nothing, and a node is who its certificate says."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quorate_impl.runtime.config import Tls

DAYS = 365


def context(tls: Tls, is_server: bool) -> ssl.SSLContext:
    """TLS 1.3, with a certificate asked of either side. Names are compared by `has_name`, not with host names."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(tls.certificate, tls.key)
    made.load_verify_locations(tls.authority)
    return made


def has_name(certificate: Any, name: str) -> bool:
    """Whether the certificate, as `ssl` gives it, was made out to this node."""
    return certificate is not None and ("DNS", name) in certificate.get("subjectAltName", ())


def make_certificates(directory: Path, names: Iterable[str]) -> dict[str, Tls]:
    """An authority, and a certificate for each name, for a cluster on one machine. The authority's key is not kept."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cluster authority")])

    def sign(subject: x509.Name, key: ec.EllipticCurvePrivateKey, is_authority: bool, name: str) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=DAYS))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    authority = directory / "authority.pem"
    authority.write_bytes(sign(issuer, authority_key, True, "authority"))
    made = {}
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate, key_path = directory / f"{name}.pem", directory / f"{name}.key"
        certificate.write_bytes(sign(subject, key, False, name))
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        descriptor = os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secret)
        made[name] = Tls(str(certificate), str(key_path), str(authority))
    return made
