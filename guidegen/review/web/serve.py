"""Serving the page: on this machine alone, or, asked for in so many words, to others over TLS."""

from __future__ import annotations

import importlib
import ipaddress
import threading
from dataclasses import dataclass
from pathlib import Path

from guidegen.errors import InputError

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True)
class Listening:
    """Where the page listens. `name`: the host name in its address, for others; `tls_cert`, `tls_key`: PEM files."""

    host: str = "127.0.0.1"
    port: int = 8421
    name: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    to_others: bool = False

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise InputError("expected --tls-cert and --tls-key together, found one of them; give both")
        missing = [path for path in (self.tls_cert, self.tls_key) if path is not None and not path.is_file()]
        if missing:
            raise InputError(f"expected a PEM file, found none at {missing[0]}; name the right one")
        if self.is_loopback:
            return
        if not self.to_others or not self.is_secure or not self.name:
            raise InputError(
                f"expected an address of this machine alone, such as 127.0.0.1, found {self.host}; to serve others, "
                "say --to-others, with --tls-cert, --tls-key and the --name that they open"
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError as error:
            raise InputError(f"expected an IP address to listen on, found {self.host!r}; give one") from error

    @property
    def is_secure(self) -> bool:
        """Whether it is served over TLS."""
        return self.tls_cert is not None

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that a browser may name."""
        names = (*((self.name,) if self.name else ()), *(LOOPBACK_NAMES if self.is_loopback else ()))
        default = 443 if self.is_secure else 80
        return frozenset(name if self.port == default else f"{name}:{self.port}" for name in names)

    @property
    def address(self) -> str:
        """What is opened in a browser."""
        name = self.name or (f"[{self.host}]" if ":" in self.host else self.host)
        return f"{'https' if self.is_secure else 'http'}://{name}:{self.port}/"


def serve(output: Path, cases: tuple[Path, ...], listening: Listening, database: str | None, policy: str) -> None:
    """Serve the review of the results in a folder until it is interrupted."""
    import uvicorn

    from guidegen.review.reviews import Reviews
    from guidegen.review.web.app import make_app
    from guidegen.review.web.cases import CaseFiles
    from guidegen.review.web.recomputing import Recomputing
    from guidegen.review.web.shapes import ShapeStore
    from guidegen.review.web.site import Site

    with Reviews.open(output, database, policy, create=False) as reviews:
        threading.Thread(target=_load_libraries).start()
        folders = tuple(dict.fromkeys((output, *cases)))
        recomputing = Recomputing(output)
        recomputing.keep_ready()
        site = Site(reviews, CaseFiles(folders), recomputing, ShapeStore(), listening.is_secure)
        uvicorn.run(
            make_app(site, listening.hosts),
            host=listening.host,
            port=listening.port,
            ssl_certfile=listening.tls_cert,
            ssl_keyfile=listening.tls_key,
            server_header=False,
            proxy_headers=False,
            log_level="warning",
            timeout_graceful_shutdown=3,
        )


def _load_libraries() -> None:
    """What the first shapes and slices need, loaded while nobody waits for them yet."""
    for name in ("igl", "matplotlib.backends.backend_agg", "scipy.ndimage", "trimesh"):
        importlib.import_module(name)
