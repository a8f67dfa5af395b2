"""The identity provider 统一身份认证: discovery, the way there, and what its answer is worth (OpenID Connect Core 1.0).

The code flow with PKCE (S256). Nonce and verifier are made of a secret only the browser holds and of the state, so
nothing secret waits on our side between going there and coming back.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from config import clock
from config.settings import Settings
from config.words import Words

with warnings.catch_warnings():  # it would rather have a fork of httpx than httpx
    warnings.simplefilter("ignore", DeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

PATIENCE_SECONDS = 8.0
"""How long the provider may take for all we ask of it at one sign-in."""
METADATA_SECONDS = 600.0
"""How long its description and keys are believed; sooner asked again when a signature is by a key we do not know."""
LEEWAY_SECONDS = 60
"""How far its clock may be from ours."""
AGE_SECONDS = 600
"""How old an ID token may be that was just asked for."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures by a key that only the provider has."""


class ProviderAway(Exception):
    """The provider cannot be reached, or does not describe itself as it should; local accounts go on."""


class ProviderWrong(Exception):
    """What the provider, or somebody in its name, answered is not to be believed. The message is for the log."""


class Provider:
    """One per web process. `secret` is asked for at each use, so a new one counts without a restart."""

    def __init__(
        self, settings: Settings, secret: Callable[[], str], *, monotonic: Callable[[], float] = clock.monotonic
    ) -> None:
        self.issuer = settings.oidc_issuer
        self.claim = settings.oidc_role_claim
        self._name = settings.oidc_name
        self._client_id = settings.oidc_client_id
        self._scopes = settings.oidc_scopes
        self._secret = secret
        self._monotonic = monotonic
        self._known: tuple[float, dict[str, Any], dict[str, Any]] | None = None

    @property
    def there(self) -> bool:
        """Say whether a provider is set."""
        return bool(self.issuer and self._client_id)

    def name(self, words: Words) -> str:
        """Return what the provider is called on screens, "" where none is set."""
        return (self._name or words.text("oidc.name")) if self.there else ""

    async def address(self, state: str, browser: str, back: str) -> str:
        """Return where the browser is to go; `back` is where it comes back to. Raises ProviderAway."""
        metadata, _ = await self._described()
        async with self._session(metadata, back) as session:
            url, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=state,
                nonce=made(browser, state, "nonce"),
                code_verifier=made(browser, state, "verifier"),
            )
        return str(url)

    async def claims(self, code: str, state: str, browser: str, back: str, now: int) -> dict[str, Any]:
        """Return the claims of whoever came back with `code`; `now`: UTC microseconds.

        Raises ProviderAway, ProviderWrong.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._claims(code, state, browser, back, now)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise ProviderAway(f"{type(error).__name__}: {error}") from error
        except (AuthlibBaseError, ValueError) as error:
            raise ProviderWrong(f"{type(error).__name__}: {error}") from error

    async def _claims(self, code: str, state: str, browser: str, back: str, now: int) -> dict[str, Any]:
        metadata, keys = await self._described()
        async with self._session(metadata, back) as session:
            given = await session.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=made(browser, state, "verifier"),
            )
            nonce, raw = made(browser, state, "nonce"), str(given.get("id_token", ""))
            try:
                claims = believed(raw, keys, metadata, self._client_id, nonce, now)
            except ProviderWrong:
                metadata, fresh = await self._described(afresh=True)
                if fresh == keys:
                    raise
                claims = believed(raw, fresh, metadata, self._client_id, nonce, now)
            return await self._filled(session, metadata, claims)

    async def _filled(
        self, session: AsyncOAuth2Client, metadata: Mapping[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """The claims with those that the provider tells only when it is asked for them."""
        if self.claim.partition(".")[0] in claims or "userinfo_endpoint" not in metadata:
            return claims
        answer = await session.get(metadata["userinfo_endpoint"])
        answer.raise_for_status()
        told = answer.json()
        if not isinstance(told, dict) or told.get("sub") != claims["sub"]:
            raise ProviderWrong("userinfo is of somebody else")
        return told | claims

    def _session(self, metadata: Mapping[str, Any], back: str) -> AsyncOAuth2Client:
        secret = self._secret()
        taken = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        way = "client_secret_basic" if "client_secret_basic" in taken else "client_secret_post"
        return AsyncOAuth2Client(
            self._client_id,
            secret or None,
            scope=self._scopes,
            redirect_uri=back,
            code_challenge_method="S256",
            token_endpoint_auth_method=way if secret else "none",
            **_plain(),
        )

    async def _described(self, *, afresh: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the provider says of itself, and its keys; asked anew after a while. Raises ProviderAway."""
        known = self._known
        if known is not None and not afresh and self._monotonic() - known[0] < METADATA_SECONDS:
            return known[1], known[2]
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), httpx.AsyncClient(**_plain()) as client:
                metadata = await _document(client, get_well_known_url(self.issuer, external=True))
                if metadata.get("issuer") != self.issuer:
                    raise ProviderAway(
                        f"{self.issuer} calls itself {metadata.get('issuer')!r}: oidc_issuer must be that"
                    )
                OpenIDProviderMetadata(metadata).validate()
                keys = await _document(client, metadata["jwks_uri"])
        except (httpx.HTTPError, TimeoutError, OSError, ValueError) as error:
            raise ProviderAway(f"{type(error).__name__}: {error}") from error
        self._known = (self._monotonic(), metadata, keys)
        return metadata, keys


def believed(
    raw: str, keys: dict[str, Any], metadata: Mapping[str, Any], client_id: str, nonce: str, now: int
) -> dict[str, Any]:
    """Return the claims of an ID token whose signature, issuer, audience, times and nonce are right (Core 3.1.3.7).

    `now`: UTC microseconds. Raises ProviderWrong.
    """
    told = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    registry = JWSRegistry(algorithms=[one for one in told if one in ALGORITHMS], strict_check_header=False)
    options = {"iss": {"essential": True, "value": metadata["issuer"]}, "aud": {"essential": True, "value": client_id}}
    try:
        token = jwt.decode(raw, key=KeySet.import_key_set(keys), registry=registry)  # type: ignore[arg-type]
        claims = CodeIDToken(token.claims, token.header, options, {"nonce": nonce, "client_id": client_id})
        claims.validate(now=now // 1_000_000, leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise ProviderWrong(f"ID token: {type(error).__name__}: {error}") from error
    if not isinstance(claims["iat"], int | float) or claims["iat"] < now / 1e6 - AGE_SECONDS:
        raise ProviderWrong("ID token: too old")
    if not isinstance(claims["sub"], str):
        raise ProviderWrong("ID token: sub is no text")
    return dict(claims)


def made(browser: str, state: str, what: str) -> str:
    """Return nonce or verifier of one sign-in: 256 bits that only who holds the browser's secret can make."""
    mac = hmac.digest(browser.encode("utf-8", "surrogatepass"), f"{what} {state}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


async def _document(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """One JSON object of the provider's. Raises httpx.HTTPError, ValueError."""
    answer = await client.get(url)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(f"{url} is no JSON object")
    return found


def _plain() -> dict[str, Any]:
    return {
        "timeout": httpx.Timeout(PATIENCE_SECONDS),
        "follow_redirects": False,
        "trust_env": False,
        "verify": ssl.create_default_context(),
    }
