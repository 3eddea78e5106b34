"""A link between two hosts that are namespaces of this machine, of a rate of its own."""

import dataclasses
import subprocess

import measure

RECEIVER, SENDER = "10.0.0.1", "10.0.0.2"
FRAME, PAYLOAD = 1514, 1448  # bytes, as tbf counts them, and of these TCP's with timestamps
MBIT = 1e6 / 8
BURST = "256k"  # at 1 Gbit/s two milliseconds; less than a packet of GSO would not do
# As much as a router has, or ought to have; a tenth of a second at 100 Mbit/s.
QUEUE = "1250k"


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a link is like: Mbit/s, and how many packets of a hundred it loses."""

    name: str
    rate: int
    loss: int
    size: int  # bytes to move over it, for some seconds


KINDS = [
    Kind("link-100m", 100, 0, 48 << 20),
    Kind("link-1g", 1000, 0, 480 << 20),
    Kind("link-lossy", 100, 1, 24 << 20),
]


class NoLink(Exception):
    """It cannot be made here."""


def goodput(name):
    """Bytes a second of payload that the link of that name can carry, or None for one that loses some."""
    kind = next(kind for kind in KINDS if kind.name == name)
    return None if kind.loss else kind.rate * MBIT * PAYLOAD / FRAME


class Link:
    """Two namespaces, joined by veth; data go from the far one to the near one through a tbf."""

    def __init__(self, kind):
        self.kind = kind
        self.hosts = []

    def __enter__(self):
        try:
            for _ in range(2):
                self.hosts.append(subprocess.Popen(["unshare", "-n", "sleep", "3600"]))
            measure.wait_for(self._made, "namespaces")
            self._join()
        except (OSError, subprocess.CalledProcessError, measure.Failed) as reason:
            self.__exit__()
            raise NoLink(f"no namespaces with a link: {reason}") from None
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            host.kill()
            host.wait()

    def _made(self):
        """unshare becomes the other program only when it has done its own work."""
        if any(host.poll() is not None for host in self.hosts):
            raise measure.Failed("unshare has ended")
        names = [open(f"/proc/{host.pid}/comm", encoding="ascii").read() for host in self.hosts]
        return names == ["sleep\n"] * 2

    def _enter(self, host):
        return ("nsenter", "-t", str(self.hosts[host].pid), "-n")

    def _run(self, host, command, **more):
        words = [*self._enter(host), *command.split()]
        subprocess.run(words, check=True, stderr=subprocess.PIPE, **more)

    def _join(self):
        near, far = 0, 1
        self._run(near, f"ip link add near type veth peer name far netns {self.hosts[far].pid}")
        for host, name, address in ((near, "near", RECEIVER), (far, "far", SENDER)):
            self._run(host, f"ip addr add {address}/24 dev {name}")
            # Where packets are lost, they are to be of the size that a wire has. Elsewhere the kernel may put
            # them together, or 1 Gbit/s would be more than two cores can do for both hosts and the link.
            segments = "gso_max_segs 1" if self.kind.loss else ""
            self._run(host, f"ip link set {name} {segments} up")
        self._run(far, f"tc qdisc add dev far root tbf rate {self.kind.rate}mbit burst {BURST} limit {QUEUE}")
        if self.kind.loss:
            rule = f"meta l4proto tcp numgen random mod 100 < {self.kind.loss} drop;"
            hook = "type filter hook input priority 0;"
            rules = f"table inet lossy {{\nchain input {{ {hook} {rule} }}\n}}\n"
            self._run(near, "nft -f -", input=rules.encode())

    def place(self, job):
        """Puts the two ends of the job to the two ends of the link."""
        job.host = RECEIVER
        job.enter_receive, job.enter_send = self._enter(0), self._enter(1)
        job.tables = f"/proc/{self.hosts[0].pid}/net"
