"""Asking one registry: over TLS, with a proof of who we are, and again where that helps.

Everything that a registry sends is untrusted. Credentials go to it and to the token server that
it names, never to where it redirects; TLS is not left on the way.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from minify.errors import ImageError, MinifyError
from minify.progress import Advance
from minify.transports.registry import failures
from minify.transports.registry.authentication import Authenticator, parse_challenges
from minify.transports.registry.credentials import find_credentials
from minify.transports.registry.http import ExchangeError, Fault, Http, Patience, Request, Response
from minify.transports.registry.name import RegistryName, is_loopback

T = TypeVar("T")

THREADS = 3  # as docker does it
_MOST_REDIRECTS = 5
# One for a proof that has expired, one for another thread's that does so just then.
_MOST_PROOFS = 2
_REDIRECTS = (301, 302, 303, 307, 308)
_OK = (200,)
# What a server without TLS makes of a client that begins with it, and a web proxy that leads to
# port 80 only.
_NO_TLS = (Fault.TLS, Fault.CUT, Fault.TIMEOUT, Fault.PROXY, Fault.NOT_FOUND)


class TransientError(Exception):
    """A failure after which the same may succeed; `delay` in seconds, None if nothing was said."""

    def __init__(self, text: str, delay: float | None = None) -> None:
        super().__init__(text)
        self.delay = delay


class StoppedError(Exception):
    """Another thread has failed, and this one need not go on."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a client does, for whom, and which error its failures are."""

    name: RegistryName
    label: str
    """What messages begin with: the reference."""
    error: type[MinifyError]
    actions: str = "pull"
    others: tuple[str, ...] = ()
    """More repositories of the same registry, to be read from."""
    tls_verify: bool = True
    patience: Patience = field(default_factory=Patience)

    @property
    def scopes(self) -> list[str]:
        """https://distribution.github.io/distribution/spec/auth/scope/"""
        own = f"repository:{self.name.repository}:{self.actions}"
        return [own, *(f"repository:{other}:pull" for other in self.others)]


class Client:
    """One registry, for as long as one image is read or written."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.name = access.name
        self._http = Http(tls_verify=access.tls_verify, patience=access.patience)
        self._authenticator = Authenticator(
            self._ask_for_token,
            lambda: find_credentials(access.name),
            access.scopes,
            access.name.host,
        )
        self._base = ""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._users = 1
        self._answers: weakref.WeakSet[Response] = weakref.WeakSet()

    def share(self) -> None:
        """Somebody else uses it too, and will `close` it."""
        with self._lock:
            self._users += 1

    def close(self) -> None:
        """Closes the connections that are kept open, if this was the last user."""
        with self._lock:
            self._users -= 1
            if self._users > 0:
                return
        self._http.close()
        self._stopped.clear()

    def stop(self) -> None:
        """Ends what other threads do with it, as soon as that can be."""
        self._stopped.set()
        for answer in list(self._answers):
            answer.abort()

    def error(self, text: str) -> MinifyError:
        """What is raised for a failure that no other try would mend."""
        return self.access.error(f"{self.access.label}: {text}")

    # -- requests -----------------------------------------------------------------------------

    def exchange(self, request: Request, what: str, expected: Collection[int] = _OK) -> Response:
        """The answer to `request`, with one of the statuses expected; tried again where it helps.

        Its URL is a path below the repository (`manifests/latest`), or absolute. `what` completes
        «the registry does not …».
        """
        return self.retried(lambda _: self.once(request, what, expected))

    def retried(self, action: Callable[[Attempts], T]) -> T:
        """What `action` gives in the end; this client's error if it fails too often."""
        attempts = Attempts(self.access.patience, self._stopped)
        while True:
            self.check_stopped()
            try:
                return action(attempts)
            except TransientError as error:
                if not attempts.wait(error):
                    raise self.error(f"{error}{attempts.told}") from error

    def once(self, request: Request, what: str, expected: Collection[int] = _OK) -> Response:
        """The same, tried once: TransientError says that another try may help."""
        try:
            response = self._followed(request)
        except ExchangeError as error:
            raise self.failure(error) from error
        except ImageError as error:
            raise self.error(str(error)) from error
        if response.status in expected:
            self._answers.add(response)
            if self._stopped.is_set():
                response.abort()  # `stop` may have looked before it was among them
            return response
        try:
            text = failures.refused(response, self.name, what)
        finally:
            response.close()
        if response.status in failures.TRANSIENT:
            raise TransientError(text, failures.retry_after(response))
        raise self.error(text)

    def failure(self, error: ExchangeError) -> Exception:
        """What a failure on the way is: a TransientError or this client's error."""
        self.check_stopped()
        text = failures.unreachable(error, self.name)
        return TransientError(text) if error.is_transient else self.error(text)

    def _followed(self, request: Request) -> Response:
        """The answer behind redirects."""
        path = "" if "://" in request.url else f"{self._root()}/v2/{self.name.repository}/"
        request = replace(request, url=f"{path}{request.url}")
        for _ in range(_MOST_REDIRECTS):
            response = self._authorized(request)
            location = response.header("Location")
            if response.status not in _REDIRECTS or not location:
                return response
            try:
                request = replace(request, url=self.located(response, location))
            finally:
                response.close()
        raise self.error(f"{self.name.host} redirects more than {_MOST_REDIRECTS} times")

    def located(self, response: Response, location: str) -> str:
        """The absolute URL of a Location header; refused if it leaves TLS.

        A registry behind a proxy that ends TLS often does not know that it is spoken to over TLS.
        """
        try:
            url = urljoin(response.url, location)
            parts, root = urlsplit(url), urlsplit(self._root())
        except ValueError as error:
            text = f"{self.name.host} redirects to {location[:200]!r}, which is no URL"
            raise self.error(text) from error
        if parts.scheme == "http" and root.scheme == "https":
            if parts.hostname == root.hostname and parts.netloc in (root.netloc, root.hostname):
                return parts._replace(scheme="https", netloc=root.netloc).geturl()
            if self.access.tls_verify:
                raise self.error(
                    f"{self.name.host} redirects to {url[:200]}, which is not encrypted"
                )
        return url

    def _authorized(self, request: Request) -> Response:
        """The answer to `request`, with a proof of who we are if the registry asked for one."""
        if not self._is_own(request.url):
            return self._http.send(request)
        for _ in range(_MOST_PROOFS):
            sent = self._authenticator.header()
            response = self._http.send(_with_proof(request, sent))
            if response.status != 401 or not self._is_answered(response, sent):
                return response
            response.close()
        return self._http.send(_with_proof(request, self._authenticator.header()))

    def _is_answered(self, response: Response, sent: str) -> bool:
        """Whether there is another proof than `sent`, which was refused."""
        challenges = parse_challenges(response.headers("WWW-Authenticate"))
        try:
            return self._authenticator.answer(challenges, sent)
        except BaseException:
            response.close()
            raise

    def _is_own(self, url: str) -> bool:
        """Whether the registry itself is asked: same scheme, host and port."""
        parts, root = urlsplit(url), urlsplit(self._root())
        return (parts.scheme, parts.netloc) == (root.scheme, root.netloc)

    def _ask_for_token(self, request: Request) -> Response:
        """Credentials are sent where the registry says, but not in the clear."""
        if urlsplit(request.url).scheme == "http" and self._root().startswith("https:"):
            raise ImageError(
                f"{self.name.host} asks for credentials at {request.url.partition('?')[0]}, which"
                " is not encrypted"
            )
        response = self._http.send(request)
        if response.status in failures.TRANSIENT:
            text = failures.refused(response, self.name, "give a token")
            response.close()
            raise TransientError(text, failures.retry_after(response))
        return response

    def _root(self) -> str:
        """The scheme and address of the registry, found out by asking where it may be either."""
        with self._lock:
            if not self._base:
                self._base = self._found_base()
            return self._base

    def _found_base(self) -> str:
        address = self.name.address
        if self.access.tls_verify and not is_loopback(address):
            return f"https://{address}"
        try:
            self._http.send(Request("GET", f"https://{address}/v2/")).close()
        except ExchangeError as error:
            has_port = address.rpartition("]")[2].count(":") > 0
            if error.fault in _NO_TLS or (error.fault is Fault.UNREACHABLE and not has_port):
                return f"http://{address}"
            raise
        return f"https://{address}"

    # -- threads ------------------------------------------------------------------------------

    def in_parallel(
        self, jobs: Sequence[Callable[[], T]], meanwhile: Callable[[], None] = lambda: None
    ) -> list[T]:
        """What the jobs give, in their order; the first failure ends them all, as Ctrl-C does.

        `meanwhile` is done in this thread; its failure ends them too.
        """
        with ThreadPoolExecutor(THREADS, thread_name_prefix="minify-registry") as pool:
            futures = [pool.submit(job) for job in jobs]
            try:
                meanwhile()
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in futures:
                    if future in done:
                        future.result()
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                self.stop()
                raise

    def check_stopped(self) -> None:
        """Raises StoppedError if the thread that this is called from need not go on."""
        if self._stopped.is_set():
            raise StoppedError


class Attempts:
    """How often something has failed in a row, and how long to wait before the next try."""

    def __init__(self, patience: Patience, stopped: threading.Event) -> None:
        self._patience = patience
        self._stopped = stopped
        self._failed = 0
        self._asked: float | None = None

    def progressed(self) -> None:
        """Forgets what has failed: something came of the last try."""
        self._failed = 0

    @property
    def told(self) -> str:
        """How often it was tried, for messages."""
        if self._asked is not None and self._asked > self._patience.longest_delay:
            return f"; it asks to wait for {self._asked:,.0f} seconds"
        return f"; tried {self._failed} times"

    def wait(self, error: TransientError) -> bool:
        """Waits before another try; False if there shall be none."""
        self._failed += 1
        self._asked = error.delay
        delay = self._patience.first_delay * 2 ** (self._failed - 1)
        longest = self._patience.longest_delay
        if error.delay is not None and error.delay > longest:
            return False
        if self._failed >= self._patience.attempts:
            return False
        self._stopped.wait(min(max(delay, error.delay or 0), longest))
        return True


def _with_proof(request: Request, proof: str) -> Request:
    if not proof:
        return request
    return replace(request, headers={**request.headers, "Authorization": proof})


def guarded(advance: Advance) -> Advance:
    """`advance` for several threads: listeners are told of one step at a time."""
    lock = threading.Lock()

    def told(size: int) -> None:
        with lock:
            advance(size)

    return told
