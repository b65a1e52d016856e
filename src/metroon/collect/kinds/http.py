"""``kind: http``."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from metroon.collect.fetched import FetchedSource, check_file, named
from metroon.collect.web import WebSource, settle, web_address

if TYPE_CHECKING:
    from metroon.collect.landing import Landing


class Http(FetchedSource, WebSource):
    """A file at a web address, read as any kind of file.

    It is fetched again only when the server says that it has changed (ETag, Last-Modified).
    A download that breaks off goes on where it ended, also in the next run.
    Redirects are followed, but never from https to http and never into a private network.
    """

    url: str = Field(examples=["https://data.example.org/permits.csv"])
    """The address of the file. Nothing secret stands in it."""
    ending: str | None = Field(None, pattern=r"^[A-Za-z0-9]{1,10}$")
    """What the file's name ends with, such as zip, where the address does not say it."""
    token_header: str = Field("Authorization", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    """The header that the token of token_from is sent in; in Authorization as a Bearer token."""

    @field_validator("url")
    @classmethod
    def _address(cls, given: str) -> str:
        return web_address(given)

    def fetch(self, landing: Landing) -> None:
        """Download the file, if it has changed.

        Raises:
            Refused: It cannot be had whole, or is not what ``as:`` says; what was landed before stays.
        """
        told = landing.landed() if landing.is_whole() else ()
        before = next((f for f in told if f.address == self.url), None)
        value = "Bearer {}" if self.token_header.lower() == "authorization" else "{}"
        with self.client(landing, self.token_header, value) as client:
            made = client.download(self.url, "file", self._ending(), before=before)
            if made is not None:
                check_file(landing.folder / made.file, self.source, client.refused, self.url)
        settle(landing, [f for f in (made or before,) if f])

    def _ending(self) -> str:
        return self.ending or named(urlsplit(self.url).path, self.as_.get("kind", "csv"))[1]
