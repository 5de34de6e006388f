"""One ticket of a desk on its way, and those who deal with it, however they reach the desk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from infra.simulator.simulator import ApiResponse


class Walk(ABC):
    """The ticket that was filed last; the same object files and walks one after another."""

    supervisor: str
    """Who may see everything."""

    def __init__(self, desk: str) -> None:
        self.desk = desk
        self.number = ""
        self.link = ""
        self.seen: list[str] = []

    @abstractmethod
    def http(self, method: str, path: str, body: Any = None, **more: Any) -> ApiResponse:
        """A call of the API; `seen` keeps every answer."""

    @abstractmethod
    def as_agent(self, who: str, method: str, path: str, body: Any = None) -> ApiResponse:
        """A call of somebody on the roster, by a path below the desk's own."""

    @abstractmethod
    def put(self, upload: Any, content: bytes) -> None:
        """Bring a file where an answer says."""

    def file(self, description: str, **fields: Any) -> str:
        """A customer files a request alone; its number."""
        body = {"contact": "13812345678", "description": description, **fields}
        return self._filed(self.http("POST", f"/desks/{self.desk}/tickets", body))

    def enter(self, who: str, description: str, **fields: Any) -> str:
        """An agent enters a request, a call or the desk's own; its number."""
        body = {"contact": "13812345678", "description": description, **fields}
        return self._filed(self.as_agent(who, "POST", "/tickets", body))

    def _filed(self, answer: ApiResponse) -> str:
        assert answer.status == 201, answer.text
        self.number, self.link = str(answer.json["number"]), answer.json["status_url"]
        return self.number

    def customer(self, call: str, **body: Any) -> None:
        """The customer says something by the link: `messages`, `confirmation`, `survey`."""
        answer = self.sends(call, **body)
        assert answer.status in {200, 201}, answer.text

    def sends(self, call: str, **body: Any) -> ApiResponse:
        path, _, query = self.link.partition("?")
        return self.http("POST", f"{path}/{call}?{query}", body)

    def status(self) -> Any:
        answer = self.http("GET", self.link)
        assert answer.status == 200, answer.text
        return answer.json

    def act(self, who: str, action: str, **body: Any) -> Any:
        """Take a step, of everybody's or of the desk's own."""
        answer = self.asks(who, action, **body)
        assert answer.status == 200, answer.text
        return answer.json

    def asks(self, who: str, action: str, **body: Any) -> ApiResponse:
        return self.as_agent(who, "POST", f"/tickets/{self.number}/{action}", body)

    def view(self, who: str = "") -> Any:
        answer = self.as_agent(who or self.supervisor, "GET", f"/tickets/{self.number}")
        assert answer.status == 200, answer.text
        return answer.json

    def queue(self, who: str, name: str) -> list[Any]:
        """The tickets that somebody sees in a queue."""
        answer = self.as_agent(who, "GET", f"/tickets?queue={name}")
        assert answer.status == 200, answer.text
        return list(answer.json["tickets"])

    def timer(self, kind: str) -> Any:
        """One timer of the ticket, as its agents see it."""
        return {timer["kind"]: timer for timer in self.view()["timers"]}[kind]

    def upload(self, who: str, name: str, content: bytes) -> str:
        """The id of a file that was put where the answer says (D10)."""
        answer = self.asks(who, "attachments", name=name, size=len(content))
        assert answer.status == 201, answer.text
        self.put(answer.json["upload"], content)
        return str(answer.json["id"])
