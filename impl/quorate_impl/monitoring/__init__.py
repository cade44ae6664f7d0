"""Alert rules and a dashboard over the metrics of a node, as files for Prometheus and Grafana.

`common.rules.yml` has the alerts for all stores, `raft.rules.yml`, `primary_backup.rules.yml` and `dynamo.rules.yml` those for one of them,
`as_published.rules.yml` two that stay silent when they are needed, `dashboard.json` the dashboard.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the files are."""
