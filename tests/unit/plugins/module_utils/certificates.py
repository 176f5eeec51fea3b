"""Certificates for tests: an authority, one below it, and what they sign."""

import datetime
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


@dataclass
class Pair:
    """A certificate with its key. ``below`` signs another one with it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self):
        shape = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, *shape).decode()

    def below(self, name, **options):
        return signed(name, by=self, **options)


def signed(name, by=None, names=(), begins=-1.0, ends=89.0, authority=False, serial=None):
    """A certificate for ``names``, valid from ``begins`` to ``ends`` days from now, signed by ``by`` or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else [])
    issuer, signer = (by.certificate.subject, by.key) if by else (subject, key)
    serial = serial or x509.random_serial_number()
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), serial, NOW + begins * DAY, NOW + ends * DAY)
    builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if authority:
        # Python 3.13 is strict about what an authority must say.
        builder = builder.add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True)
    if names:
        known = [x509.IPAddress(ipaddress.ip_address(one)) if one[0].isdigit() or ":" in one else x509.DNSName(one) for one in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
    return Pair(builder.sign(signer, hashes.SHA256()), key)
