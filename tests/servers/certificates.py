"""Certificates for tests: an authority, a server and a client that it vouches for, an authority that nobody knows."""

import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def make_authority(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30, "-subj",
            f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")  # fmt: skip


def make_certificate(folder, name, authority, subject, more=""):
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(more, encoding="ascii")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={subject}",
            "-keyout", folder / f"{name}.key", "-out", request)  # fmt: skip
    openssl("x509", "-req", "-in", request, "-CA", folder / f"{authority}.pem", "-CAkey", folder / f"{authority}.key",
            "-CAcreateserial", "-days", 30, "-extfile", extensions, "-out", folder / f"{name}.pem")  # fmt: skip
    (folder / f"{name}.key").chmod(0o600)


def make(folder, client="certified"):
    """authority.pem, stranger.pem; server.pem and .key for the name localhost, not for its address; client.pem and
    .key for the user `client`."""
    make_authority(folder, "authority")
    make_authority(folder, "stranger")
    make_certificate(folder, "server", "authority", "localhost", "subjectAltName = DNS:localhost\n")
    make_certificate(folder, "client", "authority", client)
