"""Signatures of the Amazon Pay API v2: AMZN-PAY-RSASSA-PSS-V2 (RSASSA-PSS, SHA-256, salt of 32 bytes)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from recon_lib.fetch.problems import NotLetIn

ALGORITHM, SALT = "AMZN-PAY-RSASSA-PSS-V2", 32


def private_key(pem: str) -> rsa.RSAPrivateKey:
    """The key from its PEM text; NotLetIn where it is none. The text is never quoted."""
    problem = NotLetIn(
        "AMAZON_PAY_PRIVATE_KEY is no private RSA key that can be used",
        hoped="the text of private.pem, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----, without a password",
    )
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise problem from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise problem
    return key


def query(parameters: Mapping[str, str]) -> str:
    """The canonical query: sorted by name, percent-encoded after RFC 3986; also sent exactly like this."""
    return "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted(parameters.items()))


def canonical(method: str, path: str, sorted_query: str, headers: Mapping[str, str], body: str) -> str:
    """The canonical request: method, path, query, each header, the names of the headers, hash of the body."""
    lower = {name.lower(): value for name, value in headers.items()}
    lines = [f"{name}:{lower[name]}" for name in sorted(lower)]
    body_hash = hashlib.sha256(body.encode()).hexdigest()
    return "\n".join([method, path, sorted_query, *lines, "", ";".join(sorted(lower)), body_hash])


def signed(
    key: rsa.RSAPrivateKey,
    key_id: str,
    method: str,
    path: str,
    sorted_query: str,
    headers: Mapping[str, str],
    body: str,
) -> dict[str, str]:
    """`headers` and the `authorization` header that signs all of them."""
    text = canonical(method, path, sorted_query, headers, body)
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(text.encode()).hexdigest()}"
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), SALT)
    signature = base64.b64encode(key.sign(to_sign.encode(), scheme, hashes.SHA256())).decode()
    names = ";".join(sorted(name.lower() for name in headers))
    told = f"{ALGORITHM} PublicKeyId={key_id}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": told}
