"""Real servers on loopback that misbehave, each in a thread of its own."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import struct
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@contextlib.contextmanager
def serving(behave, context=None):
    """A TCP server whose every connection is handed to ``behave(connection)``; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    stopped = threading.Event()

    def one(connection):
        with contextlib.suppress(OSError):
            if context:
                connection = context.wrap_socket(connection, server_side=True)
            behave(connection)
        connection.close()

    def accept():
        while not stopped.is_set():
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(2)


def free_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def read_request(connection):
    """The header of an HTTP request, as text."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            break
        data += chunk
    return data.decode("latin-1")


def answering(status="200 OK", body=b"", seen=None, **headers):
    """Answers every request the same way; request headers are appended to the list ``seen``."""

    def behave(connection):
        request = read_request(connection)
        if seen is not None:
            seen.append(request)
        lines = ["HTTP/1.1 " + status, f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return behave


def hanging(connection):
    """Reads and says nothing."""
    while connection.recv(65536):
        pass


def trickling(connection):
    """An endless header, a byte at a time: every byte would start an ordinary socket time-out again."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def trickling_body(connection):
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def endless(connection):
    """A body that never ends, as fast as it can."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def resetting(connection):
    """Reads the request and resets the connection."""
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cutting(connection):
    """Promises more than it sends."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")


def babbling(connection):
    """Speaks no HTTP."""
    connection.sendall(b"220 mail.example.com ESMTP ready\r\n")
    connection.recv(1024)


def replying(reply):
    """Answers every Redis command with the same bytes."""

    def behave(connection):
        while connection.recv(65536):
            connection.sendall(reply)

    return behave


def make_certificate(folder, name="server", begins=-1.0, ends=100.0):
    """A self-signed certificate for localhost, valid from ``begins`` to ``ends`` days from now; returns the paths of it and its key."""
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now + begins * day, now + ends * day)
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    certificate, secret = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    formats = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *formats))
    return certificate, secret


def tls_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
