"""Each dashboard is as it was generated; dashboards and alerts ask for what the nodes of the store export, in Prometheus' language."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
import yaml
from quorate_impl.monitoring import FOLDER
from quorate_impl.monitoring.dashboards import FILES, dashboard, text
from quorate_impl.runtime.protocols import PROTOCOLS

from tests.impl.monitoring.test_alerts import promtool
from tests.impl.monitoring.test_order_alerts import STORES
from tests.impl.runtime.test_every_protocol import answers, running


def expressions(name: str) -> list[str]:
    panels = json.loads((FOLDER / FILES[name]).read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def alerts(name: str) -> list[str]:
    groups = yaml.safe_load((FOLDER / f"{name}.rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def test_every_store_has_one_as_it_was_generated() -> None:
    assert set(FILES) == set(PROTOCOLS)
    for name, file in FILES.items():
        assert (FOLDER / file).read_text(encoding="utf-8") == text(name), "python -m quorate_impl.monitoring.dashboards"
    assert len({dashboard(name)["uid"] for name in FILES}) == len(FILES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_metric_is_exported_by_a_node_of_the_store(name: str, tmp_path: Path) -> None:
    async def exported() -> set[str]:
        async with running(tmp_path, name) as (cluster, nodes):
            for node in nodes:
                assert await answers(cluster, node.config.name)
            families = [family for node in nodes for family in node.metrics.registry.collect()]
            return {family.name for family in families} | {
                sample.name for family in families for sample in family.samples
            }

    asked = set(re.findall(r"quorate_\w+", " ".join([*expressions(name), *(alerts(name) if name in STORES else ())])))
    assert len(asked) > 10 and asked <= asyncio.run(exported())


def test_each_query_is_well_formed(tmp_path: Path) -> None:
    """As the expression of a rule."""
    rules = [
        {"record": f"{name}:{i}", "expr": each.replace("$job", "quorate")}
        for name in FILES
        for i, each in enumerate(expressions(name))
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", path)
