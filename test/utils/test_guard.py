"""What a recipe's script has started ends with it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from test.utils.test_launchers import ROOT, alive, wait_until

SCRIPT = """set -euo pipefail
. recipe.sh
( set -e; python3 -c 'import os, time
open("pid", "w").write(str(os.getpid()))
time.sleep(600)'; touch went_on )
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_script_leaves_nothing_running(tmp_path: Path, sent: signal.Signals) -> None:
    (tmp_path / "s.sh").write_text(SCRIPT)
    environment = {**os.environ, "PATH": f"{ROOT / 'utils'}:{os.environ['PATH']}"}
    script = subprocess.Popen(["bash", "s.sh"], cwd=tmp_path, env=environment)
    pid = tmp_path / "pid"
    wait_until(lambda: pid.exists() and pid.read_text())
    script.send_signal(sent)
    script.wait(20)
    wait_until(lambda: not alive(int(pid.read_text())))
    assert not (tmp_path / "went_on").exists()


def test_a_script_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("set -euo pipefail\n. recipe.sh\necho done\nwait\n")
    environment = {**os.environ, "PATH": f"{ROOT / 'utils'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "s.sh"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "done\n" and done.returncode == 0
