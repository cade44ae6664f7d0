"""What `run`, `client` and `nemesis` share: the implementations, which are an extra, and a cluster's directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from quorate.errors import UsageError, unknown

if TYPE_CHECKING:
    from quorate_impl.runtime.cluster import ClusterConfig

DATA = Path("quorate-data")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA,
    show_default=True,
    metavar="DIR",
    help="Where the cluster keeps its data, logs and addresses.",
)


def need_implementations() -> None:
    """Say what to install, if it is missing."""
    try:
        import msgspec  # noqa: F401
        import prometheus_client  # noqa: F401
    except ImportError as missing:
        raise UsageError(
            f"The implementations need the package {missing.name}. Install them with: pip install 'quorate[impl]'"
        ) from None


def need_protocol(name: str) -> None:
    """Say which implementations there are, if this is none."""
    need_implementations()
    from quorate_impl.runtime.protocols import PROTOCOLS

    if name not in PROTOCOLS:
        raise unknown("implementation", name, sorted(PROTOCOLS))


def cluster_in(directory: Path, name: str = "raft") -> ClusterConfig:
    """The cluster whose directory this is. `name` is the implementation that is started if there is none."""
    import msgspec
    from quorate_impl.runtime.cluster import read_cluster

    try:
        return read_cluster(directory)
    except FileNotFoundError:
        raise UsageError(
            f"There is no cluster in {directory}. Start one with `quorate run {name} --data {directory}`, or name its "
            "directory with --data."
        ) from None
    except (msgspec.MsgspecError, OSError) as error:
        raise UsageError(f"{directory}/cluster.json cannot be read: {error}") from None
