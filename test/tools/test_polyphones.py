"""The bench of characters of several readings, on sentences made here."""

import re
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "tools" / "bench" / "polyphones.py"


def run(folder):
    return subprocess.run([sys.executable, BENCH, folder], capture_output=True, text=True, check=False)


def test_shares_are_of_the_marked_characters(tmp_path):
    (tmp_path / "test.sent").write_text("银▁行▁在重庆。\n他说，音▁乐▁好\n很▁好▁\n中▁行▁\n", encoding="utf-8")
    (tmp_path / "test.lb").write_text("hang2\nyue4\nhao5\nxing2\n", encoding="utf-8")
    done = run(tmp_path)
    assert done.returncode == 0 and "4 sentences" in done.stdout
    shares = re.search(r"^pypinyin +(\S+)% +(\S+)%", done.stdout, re.MULTILINE)
    assert shares and shares.groups() == ("50.00", "75.00")  # 好 in another tone, 中行 is a bank


def test_tables_that_do_not_fit_are_refused(tmp_path):
    (tmp_path / "test.sent").write_text("银▁行▁\n", encoding="utf-8")
    done = run(tmp_path)
    assert done.returncode != 0 and "test.lb" in done.stderr and "Traceback" not in done.stderr
    (tmp_path / "test.lb").write_text("hang2\nyue4\n")
    assert "1 sentences but 2 labels" in run(tmp_path).stderr
