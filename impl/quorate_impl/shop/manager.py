"""What a participant is, whatever the protocol by which it votes: a resource, its promises, and a log of both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from quorate_impl.core import Core, Message, Record
from quorate_impl.shop.messages import Facts, Place, Status
from quorate_impl.shop.resources import Resource

T = TypeVar("T")
"""What a protocol calls a transaction."""


class ResourceManager(Core, Generic[T]):
    """A participant that is prepared has given its word: it can commit whatever happens, and it does neither, crash or not, until
    it knows the decision. What it has promised stays reserved meanwhile.
    """

    members: Mapping[str, str] = {}
    """All nodes with their addresses, where there are any."""

    def __init__(self, name: str, resource: Resource, checkpoint_after: int) -> None:
        super().__init__(name)
        self.resource = resource
        self.prepared: dict[T, Place] = {}
        self._checkpoint_after = checkpoint_after
        self._since_checkpoint = 0

    def addresses(self) -> dict[str, str]:
        return dict(self.members)

    def requested(self, client: str, request: Message) -> None:
        """An operator asks; purchases are a coordinator's affair, and are not answered here."""
        if isinstance(request, Status):
            self.reply_at_once(client, Facts(self.status()))

    def covers(self, place: Place) -> bool:
        """Whether it can be promised, after all that is promised already."""
        return self.resource.covers(place, self.prepared.values())

    def log(self, record: Record) -> None:
        """Write the record, or in its place everything, when the log has become long."""
        self.persist(record)
        self._since_checkpoint += 1
        if self._since_checkpoint >= self._checkpoint_after:
            self._since_checkpoint = 0
            self.checkpoint(self.resource.record(), *self.state())

    @abstractmethod
    def state(self) -> Iterable[Record]:
        """What a checkpoint has besides the resource."""

    def status(self) -> dict[str, str | int | float | bool | None]:
        promised = self.prepared.values()
        return {
            "name": self.name,
            "role": self.resource.role,
            "prepared": len(promised),
            **self.resource.status(promised),
        }
