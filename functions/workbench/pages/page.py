"""A request for a page of the workbench: the person, the desk, and how to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from functions.core.domain.errors import Refused
from functions.core.domain.rules import Locale, Playbook
from functions.core.pages.forms import FormContent, read_content
from functions.core.pages.rendering import Pages
from functions.core.pages.security import (
    form_token,
    page_headers,
    require_form_token,
    require_own_page,
)
from functions.core.platform import aws
from functions.core.platform.web import HttpResponse, Request
from functions.core.services.rights import Principal
from functions.core.storage.database import Storage
from functions.core.text.error_texts import translated
from functions.core.text.workbench_texts import TEXTS
from functions.workbench.pages.shell import Shell

if TYPE_CHECKING:
    from functions.workbench.pages.composer import Composer

PAGES = Pages(Path(__file__).parents[1] / "templates", TEXTS)

FORM_FIELD = "form_token"
"""The field with the form token; scripts send it as the header `X-Form`."""

PURPOSE = "workbench"
"""The purpose of the workbench's form tokens."""


@dataclass(frozen=True)
class WorkbenchPage:
    """A request of a person who signed in, at a desk.

    Attributes:
        request: with the claims of the session, as the API's calls read them.
        secret: the session's, from which form tokens derive.
        base: the path of the API's own address, "" or such as "/api".
    """

    request: Request
    storage: Storage
    principal: Principal
    playbook: Playbook
    locale: Locale
    secret: bytes
    base: str

    @property
    def desk(self) -> str:
        return self.playbook.desk

    @property
    def name(self) -> str:
        """The page's name, the first part of the address below the desk's; "" for the queues."""
        return self.request.params.get("path", "").strip("/").partition("/")[2].partition("/")[0]

    @property
    def shell(self) -> Shell:
        """The frame around the page."""
        return Shell(self)

    @property
    def is_fragment(self) -> bool:
        """Return whether a script asks for a part of a page."""
        return is_part(self.request)

    @cached_property
    def content(self) -> FormContent:
        """The fields and files of a form that was sent from one of our pages.

        Raises:
            Forbidden: another site sent it, or it is another session's.
            InvalidInput: it cannot be read.
        """
        require_own_page(self.request)
        content = read_content(self.request)
        (given,) = content.fields.pop(FORM_FIELD, [""])[:1]
        sent = self.request.headers.get("x-form") or given
        require_form_token(self.secret, PURPOSE, sent)
        return content

    @property
    def form(self) -> dict[str, list[str]]:
        """The fields of the form, each with its values."""
        return self.content.fields

    def field(self, name: str) -> str:
        """Return the one value of a field of the form, "" if it has none."""
        return (self.form.get(name) or [""])[0]

    def say(self, key: str, **values: object) -> str:
        """Return a text in the language of the page."""
        return PAGES.say(key, locale=self.locale, **values)

    def wrong_fields(self, refused: Refused) -> dict[str, str]:
        """Return what a refusal says about each field."""
        errors = getattr(refused, "errors", ())
        return {each.field: translated(each.message, self.locale) for each in errors}

    def url(self, *path: str, **query: str) -> str:
        """Return the address of a page of this desk."""
        return address(self.base, self.desk, *path, **query)

    def calling(self, body: Any = None, **query: str) -> Request:
        """Return the request as a call of the API has it: with this body and these parameters."""
        import json

        content = b"" if body is None else json.dumps(body).encode()
        return replace(self.request, body=content, query={"lang": self.locale, **query})

    def render(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> HttpResponse:
        """Answer with a page or a part of one; `page` in the template is this object."""
        html = PAGES.render(
            template,
            self.locale,
            self.base,
            page=self,
            token=form_token(self.secret, PURPOSE),
            **values,
        )
        # A page may show any other in place, so all of them may upload.
        own = page_headers(connect=(aws.upload_origin(self.request.deployment),)) | _REFERRER
        return HttpResponse(html, status, own | (headers or {}), content_type="text/html")

    def composer(self, ticket: Mapping[str, Any]) -> Composer:
        """Return what the composer of a ticket shows, as the API shows the ticket."""
        from functions.workbench.pages.composer import composer_of

        return composer_of(self, ticket)

    def administer(self, act: str, **given: Any) -> Any:
        """Carry out an act of the function `administration` as this person; return its result.

        Raises:
            Refused: as the act says.
        """
        from functions.core.domain.acts import ActRequest
        from functions.workbench.administration_client import administer

        username = self.principal.username
        asked = ActRequest(
            act=act, desk=self.desk, username=username, locale=self.locale, given=given
        )
        return administer(self.request.deployment, asked)

    def redirect(self, url: str) -> HttpResponse:
        """Lead the browser on after a form (303)."""
        return HttpResponse("", 303, {**PAGE_HEADERS, "Location": url}, content_type="text/html")


# Without a referrer, browsers that know no `Sec-Fetch-Site` send a form with `Origin: null`.
_REFERRER = {"Referrer-Policy": "same-origin"}

PAGE_HEADERS = page_headers() | _REFERRER


def is_part(request: Request) -> bool:
    """Return whether a script asks for a part of a page."""
    return request.headers.get("hx-request") == "true"


def address(base: str, desk: str = "", *path: str, **query: str) -> str:
    """Return the address of a page of the workbench."""
    parts = "/".join(quote(part, safe="") for part in (desk, *path) if part)
    asked = f"?{urlencode(query)}" if query else ""
    return f"{base}/workbench{'/' if parts else ''}{parts}{asked}"


def base_of(request: Request) -> str:
    """Return the path of the API's own address, "" or such as "/api"."""
    return urlsplit(aws.public_url(request.deployment)).path


def refusal(refused: Refused, locale: Locale, base: str, part: bool = False) -> HttpResponse:
    """Answer with a refusal, as a page or for a script as a part of one."""
    errors = getattr(refused, "errors", ())
    html = PAGES.render(
        "refusal_part.html" if part else "refusal.html",
        locale,
        base,
        title=translated(refused.title, locale),
        detail=translated(refused.detail, locale),
        errors=[translated(each.message, locale) for each in errors],
        status=refused.status,
        home=address(base),
    )
    return HttpResponse(html, refused.status, PAGE_HEADERS, content_type="text/html")
