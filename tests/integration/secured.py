"""A real Kafka that lets nobody in unknown: by SASL over TLS, or by a client certificate.

The plain listener stays, for the broker's own use and for what a test looks at from outside.
"""

import subprocess
from pathlib import Path

from tests.integration.kafka_rig import Kafka, free_port

USER = "radvigil-worker"
PASSWORD = "odd/secret: #4711;"
LOGIN = "org.apache.kafka.common.security"
SECURED = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},\
SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{tls}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{tls}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.crt
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config={login}.plain.PlainLoginModule required \
user_{user}="{password}";
"""


def certificates(folder: Path) -> None:
    """An authority of our own, and what it has signed: the broker's and a client's certificate."""
    _openssl(folder, "req", "-x509", *_key("ca"), "-subj", "/CN=test authority", "-days", "2")
    for name, more in (
        ("broker", "subjectAltName=IP:127.0.0.1"),
        ("client", "keyUsage=critical,digitalSignature"),
    ):
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-days", "2", "-addext", more)
        _openssl(folder, "req", "-x509", *_key(name), "-subj", f"/CN={name}", *signed)
    pem = (folder / "broker.key").read_text() + (folder / "broker.crt").read_text()
    (folder / "broker.pem").write_text(pem)


def _key(name: str) -> tuple[str, ...]:
    return ("-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=240
    )


class SecuredKafka(Kafka):
    """`sasl` and `tls` are its guarded addresses; certificates lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        certificates(folder)
        self.folder = folder
        sasl, tls = free_port(), free_port()
        self.sasl, self.tls = f"127.0.0.1:{sasl}", f"127.0.0.1:{tls}"
        self._secured = {"sasl": sasl, "tls": tls}
        super().__init__(folder)

    def _properties(self, port: int, controller: int) -> str:
        plain = super()._properties(port, controller)
        guarded = SECURED.format(
            port=port,
            controller=controller,
            folder=self.folder,
            login=LOGIN,
            user=USER,
            password=PASSWORD,
            **self._secured,
        )
        return plain + guarded  # of a key that comes twice the last one counts

    def _format(self, *arguments: str) -> None:
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        super()._format("--add-scram", scram, *arguments)
