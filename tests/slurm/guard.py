"""What keeps a campaign of kills from waiting for ever: drained nodes return, or it gives up."""

import os
import subprocess
import threading
import time
from signal import SIGALRM, signal

PAUSE = 5  # seconds between two looks


class StuckError(Exception):
    """Nothing has moved for too long, or all took too long."""


class Guard:
    """Looks at a campaign from beside it, in a context.

    A drained node is returned to service, as the administrators of a site would do: a killed
    slurmctld may hand out the number of a job again, and a node that gets the same number twice is
    drained ("Duplicate jobid") and takes no job any more. If nothing moves, or the campaign takes
    too long, StuckError is raised in the main thread, whatever that waits for.

    Parameters
    ----------
    patience
        Seconds in which the value of `sign` has to change.
    limit
        Seconds until the end of the context.
    pause
        Seconds between two looks.

    Attributes
    ----------
    sign
        A function whose value changes whenever the campaign gets on.
    cluster
        The SLURM whose nodes are looked at, once there is one.
    returned
        Nodes that were returned to service, in the order of time, each with the reason.
    """

    def __init__(self, *, patience, limit, pause=PAUSE):
        self.sign = lambda: None
        self.patience = patience
        self.limit = limit
        self.pause = pause
        self.cluster = None
        self.returned: list[dict[str, str]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._why = ""

    def __enter__(self):
        self._former = signal(SIGALRM, self._give_up)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        signal(SIGALRM, self._former)

    def _give_up(self, *_):
        raise StuckError(self._why)

    def _watch(self):
        begun = moved = time.monotonic()
        last = None
        while not self._ended.wait(self.pause):
            self._return_nodes()
            now = time.monotonic()
            try:
                sign = self.sign()
            except OSError:  # a file has gone meanwhile
                sign = now
            if sign != last:
                moved, last = now, sign
            if now - moved > self.patience:
                self._why = f"nothing has moved for {self.patience} s: {sign}"
            elif now - begun > self.limit:
                self._why = f"not complete after {self.limit} s"
            if self._why:
                os.kill(os.getpid(), SIGALRM)
                return

    def _return_nodes(self):
        """Return drained nodes to service and write it down; try again later if SLURM is silent."""
        if self.cluster is None:
            return
        try:
            for node, reason in self.cluster.drained().items():
                self.cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
                self.returned.append({"node": node, "reason": reason})
                print(f"returned to service: {node} ({reason})", flush=True)
        except subprocess.SubprocessError:
            pass
