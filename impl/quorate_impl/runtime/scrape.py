"""The other end of the metrics: what a node says of itself, asked over HTTP."""

from __future__ import annotations

from http.client import HTTPException
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

SECONDS = 0.5


def scrape(port: int, host: str = "127.0.0.1") -> dict[str, str] | None:
    """Its status and counters by name, `lag_NAME` for each follower; None if it does not answer."""
    try:
        with urlopen(f"http://{host}:{port}/metrics", timeout=SECONDS) as response:
            text = response.read().decode()
    except (OSError, HTTPException):
        return None
    found: dict[str, str] = {}
    for family in text_string_to_metric_families(text):
        name = family.name.removeprefix("quorate_")
        for sample in family.samples:
            if name in sample.labels:
                found[name] = sample.labels[name]
            elif name == "lag_entries":
                found[f"lag_{sample.labels['follower']}"] = f"{sample.value:g}"
            elif not sample.labels.keys() & {"le", "follower"}:
                found[sample.name.removeprefix("quorate_")] = f"{sample.value:.12g}"
    return found
