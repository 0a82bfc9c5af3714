"""The CloudEvents Python SDK as a client of a whole server, as the page for integrators shows it.

What it makes of odd attributes is in tests/events/ingress/test_sockets.py: it encodes headers as the binding says.
"""

import subprocess
import sys

from tests.sdks.clients import SHOWN, assert_logged, snippet
from tests.serving import Server


def test_the_example_in_the_docs_works(server: Server) -> None:
    """What integrators are shown posts the act that it says."""
    program = snippet("python", server)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "'duplicate': False" in done.stdout
    assert_logged(server, SHOWN)
