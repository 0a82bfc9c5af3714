"""A Kafka broker that wants TLS and a login, with a certificate made for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from testcontainers.community.kafka import KafkaContainer

USERNAME, PASSWORD = "exemplar", "a-password"
_LISTENER = "KAFKA_LISTENER_NAME_EXTERNAL_"
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


@contextmanager
def guarded_broker(folder: Path, host: str) -> Iterator[tuple[str, Path]]:
    """HOST:PORT of the broker, and the file of the certificate to trust."""
    certificate = _write_certificate(folder, host)
    container = KafkaContainer(
        "confluentinc/cp-kafka:8.3.0", listener_name="EXTERNAL", security_protocol="SASL_SSL"
    ).with_kraft()
    container.with_volume_mapping(str(folder), "/certificates", "ro")
    container.with_env(f"{_LISTENER}SSL_KEYSTORE_TYPE", "PEM")
    container.with_env(f"{_LISTENER}SSL_KEYSTORE_LOCATION", "/certificates/broker.pem")
    container.with_env("KAFKA_SASL_ENABLED_MECHANISMS", "PLAIN")
    container.with_env(f"{_LISTENER}SASL_ENABLED_MECHANISMS", "PLAIN")
    container.with_env(f"{_LISTENER}PLAIN_SASL_JAAS_CONFIG", f'{_LOGIN} user_{USERNAME}="{PASSWORD}";')
    container.with_env("KAFKA_HEAP_OPTS", "-Xmx512m")
    container.start(timeout=120)
    try:
        yield container.get_bootstrap_server(), certificate
    finally:
        container.stop()


def _write_certificate(folder: Path, host: str) -> Path:
    """A certificate that signs itself, and for the broker a file of it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    try:
        address: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        address = x509.DNSName(host)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "broker.pem").write_bytes(secret + certificate)
    (folder / "trusted.pem").write_bytes(certificate)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder / "trusted.pem"
