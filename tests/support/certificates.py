"""An authority of a test's own, and certificates that it signs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .needs import need_programs

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
_CA = """
[ca]
default_ca = one
[one]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


class Authority:
    """Signs; its own certificate is ``pem``. All of it lies in ``folder``."""

    def __init__(self, folder: Path, name: str) -> None:
        need_programs("openssl")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pem, self._key = folder / "ca.pem", folder / "ca.key"
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("01")
        (folder / "ca.cnf").write_text(_CA.format(folder=folder))
        self._run("req", "-x509", *_CURVE, "-keyout", self._key, "-out", self.pem, "-days", "3",
                  "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                  "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip

    def _run(self, *arguments: object) -> None:
        argv = ["openssl", *map(str, arguments)]
        subprocess.run(argv, check=True, cwd=self.folder, capture_output=True)

    def sign(
        self, name: str, *, names: str = "", usage: str = "serverAuth", until: str = ""
    ) -> Path:
        """A certificate ``name``.pem with its ``name``.key beside it.

        ``names`` are subjectAltNames; ``until`` is its end as ``YYYYMMDDhhmmssZ``, by default in
        three days.
        """
        folder = self.folder
        extensions = [
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=digitalSignature,keyEncipherment",
            f"extendedKeyUsage={usage}",
            *([f"subjectAltName={names}"] if names else []),
        ]
        (folder / f"{name}.ext").write_text("\n".join(extensions) + "\n")
        self._run("req", *_CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                  "-subj", f"/CN={name}")  # fmt: skip
        ends = ["-startdate", "20200101000000Z", "-enddate", until] if until else ["-days", "3"]
        self._run("ca", "-batch", "-config", "ca.cnf", "-cert", self.pem, "-keyfile", self._key,
                  "-in", f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext",
                  "-notext", *ends)  # fmt: skip
        return folder / f"{name}.pem"


def pki(folder: Path, *, ca: Path | None = None, client: Path | None = None) -> Path:
    """A folder for libvirt's ``pkipath=``: the authority, and a client's certificate and key."""
    folder.mkdir()
    if ca is not None:
        (folder / "cacert.pem").write_bytes(ca.read_bytes())
    if client is not None:
        (folder / "clientcert.pem").write_bytes(client.read_bytes())
        (folder / "clientkey.pem").write_bytes(client.with_suffix(".key").read_bytes())
    return folder
