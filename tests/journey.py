"""A ticket's journey: the calls of its customer and agents, on any kind of deployment."""

from abc import ABC, abstractmethod
from typing import Any

from deskbell.client import ApiResponse


class Journey(ABC):
    """The ticket that was created last, and the calls of the people involved."""

    supervisor: str
    """The username of someone who sees every ticket."""

    contact = "13812345678"
    """The customer's contact unless a call names another one."""

    def __init__(self, desk: str) -> None:
        self.desk = desk
        self.number = ""
        self.responses: list[str] = []

    @abstractmethod
    def http(self, method: str, path: str, body: Any = None, **more: Any) -> ApiResponse:
        """Call the API; `seen` collects every response body."""

    @abstractmethod
    def as_agent(self, who: str, method: str, path: str, body: Any = None) -> ApiResponse:
        """Call the API as an agent; the path is relative to the agents' desk."""

    @property
    @abstractmethod
    def link(self) -> str:
        """The customer link that was sent to the ticket's contact."""

    @abstractmethod
    def put(self, upload: Any, content: bytes) -> None:
        """Upload a file as an API response says."""

    def file(self, description: str, **fields: Any) -> str:
        """Create a ticket as its customer and return the number."""
        body = {"contact": self.contact, "description": description, **fields}
        return self._filed(self.http("POST", f"/desks/{self.desk}/tickets", body))

    def enter(self, who: str, description: str, **fields: Any) -> str:
        """Create a ticket as an agent and return the number."""
        body = {"contact": self.contact, "description": description, **fields}
        return self._filed(self.as_agent(who, "POST", "/tickets", body))

    def _filed(self, answer: ApiResponse) -> str:
        assert answer.status == 201, answer.text
        self.number = str(answer.json["number"])
        return self.number

    def act_as_customer(self, call: str, **body: Any) -> None:
        """Call `messages`, `confirmation` or `survey` by the customer's link."""
        answer = self.try_as_customer(call, **body)
        assert answer.status in {200, 201}, answer.text

    def try_as_customer(self, call: str, **body: Any) -> ApiResponse:
        path, _, query = self.link.partition("?")
        return self.http("POST", f"{path}/{call}?{query}", body)

    def status(self) -> Any:
        answer = self.http("GET", self.link)
        assert answer.status == 200, answer.text
        return answer.json

    def act(self, who: str, action: str, **body: Any) -> Any:
        """Perform an agent action or a step of the desk's playbook."""
        answer = self.try_action(who, action, **body)
        assert answer.status == 200, answer.text
        return answer.json

    def try_action(self, who: str, action: str, **body: Any) -> ApiResponse:
        return self.as_agent(who, "POST", f"/tickets/{self.number}/{action}", body)

    def view(self, who: str = "") -> Any:
        answer = self.as_agent(who or self.supervisor, "GET", f"/tickets/{self.number}")
        assert answer.status == 200, answer.text
        return answer.json

    def queue(self, who: str, name: str) -> list[Any]:
        """The tickets that an agent sees in a queue."""
        answer = self.as_agent(who, "GET", f"/tickets?queue={name}")
        assert answer.status == 200, answer.text
        return list(answer.json["tickets"])

    def timer(self, kind: str) -> Any:
        """One timer of the ticket in the agents' view."""
        return {timer["kind"]: timer for timer in self.view()["timers"]}[kind]

    def upload(self, who: str, name: str, content: bytes) -> str:
        """Upload a file and return its id (D10)."""
        answer = self.try_action(who, "attachments", name=name, size=len(content))
        assert answer.status == 201, answer.text
        self.put(answer.json["upload"], content)
        return str(answer.json["id"])
