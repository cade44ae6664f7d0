"""A key-value store with quorums, siblings and hinted handoff, or with the last write winning."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from quorate_impl.core import Record
from quorate_impl.dynamo.client import Client
from quorate_impl.dynamo.core import Dynamo, Options
from quorate_impl.dynamo.messages import PeerMessage, Request, Response, StoreRecord
from quorate_impl.dynamo.siblings import POLICIES
from quorate_impl.protocol import Protocol

__all__ = ["Client", "Dynamo", "Options", "options_of", "protocol"]


def options_of(settings: Mapping[str, str]) -> Options:
    """Options from texts: `policy`, `replicas`, `sloppy` (yes or no), and `skew` in milliseconds. Raises `ValueError`."""
    options = Options()
    for name, text in settings.items():
        match name:
            case "policy" if text in POLICIES:
                options = replace(options, policy=text)
            case "replicas" if text.isdecimal() and int(text) > 0:
                options = replace(options, replicas=int(text))
            case "sloppy" if text in ("yes", "no"):
                options = replace(options, is_sloppy=text == "yes")
            case "skew" if text.isdecimal():
                options = replace(options, skew_ms=int(text))
            case _:
                offered = f"policy={'|'.join(POLICIES)}, replicas=N, sloppy=yes|no and skew=MS"
                raise ValueError(f"dynamo has the settings {offered}, and no {name}={text}.")
    return options


def protocol(members: Mapping[str, str], options: Options | None = None, core: type[Dynamo] = Dynamo) -> Protocol:
    """The store, for a cluster of these nodes, each with its address. All have to have the same members and options."""

    def boot(name: str, records: Sequence[Record]) -> Dynamo:
        return core(name, records, members, options or Options())

    return Protocol("dynamo", PeerMessage, Request, Response, StoreRecord, boot)
