"""Alert rules and dashboards over the metrics of a node, as files for Prometheus and Grafana.

`common.rules.yml` has the alerts for all stores, `raft.rules.yml`, `primary_backup.rules.yml` and `dynamo.rules.yml` those for one of them,
`as_published.rules.yml` two that stay silent when they are needed, `dashboard.json` the dashboard of the Raft
store, `NAME.dashboard.json` that of another one; `dashboards.py` writes them.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the files are."""
