"""What may a scenario say of its network?"""

from typing import TYPE_CHECKING, Annotated, TypeAlias

from annotated_types import Gt
from pydantic import Field

from simulator.cluster import Collective, Law, Network, Seconds, Uplink, Wire
from simulator.cluster.network import FREE, Contention
from simulator.mistakes import Mistake
from simulator.scenario.quantities import Count
from simulator.scenario.tables import TransferTable, WireTable, any_link, link_table
from simulator.table import Table

if TYPE_CHECKING:
    AnyLink: TypeAlias = TransferTable | WireTable | Seconds | Wire | Law | float | list[float]
else:
    AnyLink = any_link()


class UplinkTable(Table):
    """What all uploads to a parameter server pass together."""

    bandwidth: Annotated[float, Gt(0)] = Field(description="bytes per second")
    contention: Contention = Field(
        default="queue", description="one after the other, or all at once"
    )
    channels: Count = Field(default=1, description="of a queue: how many at a time")

    def build(self) -> Uplink:
        return Uplink(self.bandwidth, self.contention, self.channels)


class NetworkTable(Table):
    """What it costs to move a vector; absent, communication is free."""

    upload: AnyLink | None = Field(default=None, description="seconds to the server")
    download: AnyLink | None = Field(default=None, description="seconds from it")
    collective: Collective = Field(default="max", description="how an all-reduce is done")
    uplink: UplinkTable | None = Field(default=None, description="what parameter-server shares")

    def build(self) -> Network:
        ways = (self.upload, self.download)
        upload, download = (FREE if way is None else link_table(way).link() for way in ways)
        uplink = self.uplink.build() if self.uplink else None
        return Network(upload, download, self.collective, uplink)

    def check(self) -> None:
        """Refuse a parameter server without its uplink, and the reverse."""
        served = self.collective == "parameter-server"
        if served and self.uplink is None:
            raise Mistake("network.uplink: is missing; a parameter-server needs its bandwidth")
        if self.uplink is not None and not served:
            instead = f"not {self.collective!r}"
            raise Mistake(f"network.uplink: is for collective = 'parameter-server', {instead}")
        if self.uplink and self.uplink.contention == "share" and self.uplink.channels != 1:
            many = self.uplink.channels
            raise Mistake(f"network.uplink.channels = {many}: only a queue has several")
