"""Makes the tokens of OpenIDTests with an independent implementation: pyca/cryptography 48.0.0, which is OpenSSL.

A token for each algorithm, valid from 2020 for a hundred years, and the set of the public keys that they are signed with. The
private keys are forgotten. `python3 tokens.py` writes Tokens/keys.json and Tokens/tokens.json beside it.
"""

import base64
import json
import pathlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

CLAIMS = {
    "iss": "https://id.example.org",
    "aud": ["other", "triptych"],
    "sub": "golden",
    "iat": 1577836800,
    "nbf": 1577836800,
    "exp": 4733510400,
    "realm_access": {"roles": ["reader"]},
}
CURVES = {"ES256": ("P-256", ec.SECP256R1()), "ES384": ("P-384", ec.SECP384R1()), "ES512": ("P-521", ec.SECP521R1())}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int, size: int) -> str:
    return base64url(value.to_bytes(size, "big"))


def rsa_key(algorithm):
    key = rsa.generate_private_key(65537, 2048)
    digest = getattr(hashes, f"SHA{algorithm[2:]}")()
    pss = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
    scheme = pss if algorithm.startswith("PS") else padding.PKCS1v15()
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": number(numbers.n, 256), "e": number(numbers.e, 3)}, lambda data: key.sign(
        data, scheme, digest
    )


def curve_key(algorithm):
    name, curve = CURVES[algorithm]
    key = ec.generate_private_key(curve)
    size = (curve.key_size + 7) // 8
    digest = getattr(hashes, f"SHA{algorithm[2:]}")()

    def sign(data):
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    numbers = key.public_key().public_numbers()
    return {"kty": "EC", "crv": name, "x": number(numbers.x, size), "y": number(numbers.y, size)}, sign


def edwards_key():
    key = ed25519.Ed25519PrivateKey.generate()
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().public_bytes_raw())}, key.sign


keys, tokens = [], {}
for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]:
    if algorithm == "EdDSA":
        key, sign = edwards_key()
    else:
        key, sign = curve_key(algorithm) if algorithm in CURVES else rsa_key(algorithm)
    keys.append({**key, "kid": algorithm, "use": "sig"})
    header = {"alg": algorithm, "kid": algorithm, "typ": "JWT"}
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, CLAIMS))
    tokens[algorithm] = f"{signed}.{base64url(sign(signed.encode()))}"

folder = pathlib.Path(__file__).parent / "Tokens"
folder.mkdir(exist_ok=True)
(folder / "keys.json").write_text(json.dumps({"keys": keys}, indent=1) + "\n")
(folder / "tokens.json").write_text(json.dumps(tokens, indent=1) + "\n")
