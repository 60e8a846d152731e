"""Proving who we are: nobody, a user with a password, or the bearer of a token.

https://distribution.github.io/distribution/spec/auth/token/,
https://distribution.github.io/distribution/spec/auth/oauth/,
https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from minify.errors import ImageError
from minify.image import jsontext
from minify.image.jsontext import Fields
from minify.transports.registry.credentials import Credentials
from minify.transports.registry.http import Request, Response

_TOKEN_LIMIT = 1 << 20
_TOKEN = re.compile(r"[\x21-\x7e]+")
# "For compatibility with older clients": the specification's own default and least value.
_TOKEN_SECONDS = 60

_CHALLENGE = re.compile(
    r"""\s*,?\s*(?P<scheme>[A-Za-z][\w-]*)(?=\s+[\w-]+\s*=|\s*$|\s*,)
      | \s*,?\s*(?P<key>[\w-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]*))""",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry wants to see: a scheme in lower case and its parameters."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(headers: Sequence[str]) -> list[Challenge]:
    """The challenges of `WWW-Authenticate` headers; what cannot be read is left out."""
    found: list[tuple[str, dict[str, str]]] = []
    for header in headers:
        for match in _CHALLENGE.finditer(header[:8192]):
            if match["scheme"]:
                found.append((match["scheme"].lower(), {}))
            elif found:
                quoted = match["quoted"]
                value = match["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                found[-1][1][match["key"].lower()] = value
    return [Challenge(scheme, parameters) for scheme, parameters in found]


@dataclass(frozen=True, slots=True)
class _Proof:
    """The value of an Authorization header, and until when it is worth sending."""

    header: str
    expires: float


class Authenticator:
    """What is sent to one registry to be let in; used by several threads."""

    def __init__(
        self,
        send: Callable[[Request], Response],
        credentials: Callable[[], Credentials | None],
        scopes: Sequence[str],
        name: str,
    ) -> None:
        """`credentials` is called when the registry wants some; `name` is the registry's."""
        self._send = send
        self._credentials = credentials
        self._scopes = tuple(scopes)
        self._name = name
        self._lock = threading.Lock()
        self._challenge: Challenge | None = None
        self._proof: _Proof | None = None

    def header(self) -> str:
        """The Authorization to send; empty as long as none was asked for.

        A token that is about to expire is replaced: a large upload would be sent in vain.
        """
        with self._lock:
            if self._proof is not None and time.monotonic() > self._proof.expires:
                self._prove()
            return self._proof.header if self._proof else ""

    def answer(self, challenges: Sequence[Challenge], sent: str) -> bool:
        """Finds a proof other than `sent`, which was refused; False if there is none."""
        with self._lock:
            if self._proof is not None and self._proof.header != sent:
                return True  # another thread was here
            known = {one.scheme: one for one in reversed(challenges)}
            self._challenge = known.get("bearer") or known.get("basic")
            self._prove()
            return self._proof is not None and self._proof.header != sent

    def _prove(self) -> None:
        challenge, self._proof = self._challenge, None
        if challenge is None:
            return
        credentials = self._credentials()
        if challenge.scheme == "basic":
            if credentials is not None and credentials.user:
                self._proof = _Proof(credentials.basic, float("inf"))
            return
        request = self._token_request(challenge, credentials)
        response = self._send(request)
        try:
            self._proof = self._of_answer(response)
        finally:
            response.close()

    def _token_request(self, challenge: Challenge, credentials: Credentials | None) -> Request:
        realm = challenge.parameters.get("realm", "")
        try:
            parts = urlsplit(realm)
        except ValueError as error:
            raise self._no_realm(realm) from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise self._no_realm(realm)
        service = challenge.parameters.get("service", "")
        asked = [*([("service", service)] if service else ())]
        asked += [("scope", scope) for scope in self._all_scopes(challenge)]
        if credentials is not None and credentials.identity_token:
            form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", credentials.identity_token),
                ("client_id", "minify"),
                *((key, value) for key, value in asked if key != "scope"),
                ("scope", " ".join(value for key, value in asked if key == "scope")),
            ]
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return Request("POST", realm, headers, urlencode(form).encode())
        query = urlencode([*parse_qsl(parts.query), *asked])
        login = {"Authorization": credentials.basic} if credentials is not None else {}
        return Request("GET", urlunsplit(parts._replace(query=query, fragment="")), login)

    def _no_realm(self, realm: str) -> ImageError:
        return ImageError(f"{self._name} asks for a token from {realm[:200]!r}; expected a URL")

    def _all_scopes(self, challenge: Challenge) -> Iterator[str]:
        """Ours, and what the registry asks for beyond: some map names to others."""
        yield from self._scopes
        resources = {scope.rpartition(":")[0] for scope in self._scopes}
        for scope in challenge.parameters.get("scope", "").split():
            if scope.rpartition(":")[0] not in resources:
                yield scope

    def _of_answer(self, response: Response) -> _Proof | None:
        """The token; None if it was refused, which the registry's own 401 says better."""
        if response.status in (401, 403):
            return None
        name = f"the token that {urlsplit(response.url).netloc} gave for {self._name}"
        if response.status != 200:
            raise ImageError(f"{name} is none: it answers {response.status}; try again later")
        data = response.start(_TOKEN_LIMIT + 1)
        if len(data) > _TOKEN_LIMIT:
            raise ImageError(f"{name} is larger than {_TOKEN_LIMIT:,} bytes")
        fields = Fields(jsontext.read_object(data, name), name)
        token = fields.text("token") or fields.text("access_token")
        if not _TOKEN.fullmatch(token):
            raise ImageError(f"{name} is none: it has no token in it")
        lifetime = min(max(fields.number("expires_in") or 0, _TOKEN_SECONDS), 86_400)
        return _Proof(f"Bearer {token}", time.monotonic() + lifetime * 0.8)
