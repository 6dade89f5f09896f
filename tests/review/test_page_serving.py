"""Where the page listens: this machine alone, or others over TLS and asked for; and that it starts so."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from review_cases import copy_database

from guidegen.errors import InputError
from guidegen.review.web.serve import Listening

GUIDEGEN = Path(sys.executable).with_name("guidegen")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for this machine, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    kept = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *kept))
    return paths


def test_by_default_only_this_machine_is_listened_to() -> None:
    listening = Listening()
    assert listening.is_loopback
    assert listening.hosts == {"127.0.0.1:8421", "localhost:8421", "[::1]:8421"}
    assert listening.address == "http://127.0.0.1:8421/"
    assert Listening("::1").address == "http://[::1]:8421/"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
@pytest.mark.parametrize("missing", ["to_others", "tls_cert", "name", "all"])
def test_others_are_served_over_tls_alone_and_when_asked_for(host: str, missing: str, pem: tuple[Path, Path]) -> None:
    given: dict[str, object] = {"to_others": True, "tls_cert": pem[0], "tls_key": pem[1], "name": "review.example"}
    assert Listening(host, **given).hosts == {"review.example:8421"}  # type: ignore[arg-type]
    for name in given if missing == "all" else (missing, *(("tls_key",) if missing == "tls_cert" else ())):
        given[name] = False if name == "to_others" else None
    with pytest.raises(InputError, match="to serve others, say --to-others"):
        Listening(host, **given)  # type: ignore[arg-type]


def test_what_cannot_be_listened_to_is_told(pem: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="expected an IP address"):
        Listening("localhost.example")
    with pytest.raises(InputError, match="expected --tls-cert and --tls-key together"):
        Listening(tls_cert=pem[0])
    with pytest.raises(InputError, match="expected a PEM file"):
        Listening(tls_cert=pem[0], tls_key=pem[1].with_name("none.pem"))


def test_the_usual_port_is_not_in_the_host_name(pem: tuple[Path, Path]) -> None:
    listening = Listening("0.0.0.0", 443, "review.example", *pem, to_others=True)
    assert listening.hosts == {"review.example"}


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path, populated: Path, port: int, pem: tuple[Path, Path]) -> Iterator[int]:
    """`guidegen review` as it is run, over TLS."""
    copy_database(populated, tmp_path / "output")
    options = ("--output", tmp_path / "output", "--port", str(port), "--tls-cert", pem[0], "--tls-key", pem[1])
    with subprocess.Popen([GUIDEGEN, "review", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        yield port
        process.terminate()


def test_it_starts_over_tls(served: int, pem: tuple[Path, Path]) -> None:
    trusted = ssl.create_default_context(cafile=pem[0])
    answer = None
    for _ in range(300):
        try:
            answer = urllib.request.urlopen(f"https://127.0.0.1:{served}/login", context=trusted, timeout=5)
            break
        except OSError:
            time.sleep(0.1)
    assert answer is not None
    with answer:
        assert b"Sign in" in answer.read()
        assert answer.headers["strict-transport-security"]
        assert answer.headers["set-cookie"].startswith("__Host-guidegen-login=")
        assert "server" not in answer.headers
    with pytest.raises(OSError, match=r"(?i)reset|closed|disconnect|bad status|aborted"):
        urllib.request.urlopen(f"http://127.0.0.1:{served}/login", timeout=5)


def test_without_accounts_there_is_no_page(tmp_path: Path, port: int) -> None:
    (tmp_path / "output").mkdir()
    command = [GUIDEGEN, "review", "--output", tmp_path / "output", "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "expected the review's database, found none" in done.stderr
