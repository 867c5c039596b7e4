"""Files and directories that appear whole or not at all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ctap.errors import UserError
from ctap.files.atomic import atomic_dir, atomic_write


def test_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(ValueError), atomic_write(path) as file:
        file.write("new")
        raise ValueError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_write_follows_a_link_and_obeys_the_umask(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    old = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "link", "wb") as file:
            file.write(b"new")
    finally:
        os.umask(old)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_killed_writer_leaves_nothing_in_the_end(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal\nfrom ctap.files.atomic import atomic_write, atomic_dir\n"
        "with atomic_dir(sys.argv[1] + '/d'), atomic_write(sys.argv[1] + '/f') as f:\n"
        "    f.write('half'); f.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path])
    assert done.returncode == -signal.SIGKILL
    left = {p.name for p in tmp_path.iterdir()}
    assert len(left) == 2 and not left & {"f", "d"}
    with atomic_write(tmp_path / "g") as file:
        file.write("whole")
    assert {p.name for p in tmp_path.iterdir()} == {"g"}


def test_directory_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "d"
    with atomic_dir(path) as new:
        (new / "sub").mkdir()
        (new / "sub" / "a").write_text("1")
        (new / "c").write_text("0")
    with pytest.raises(ValueError), atomic_dir(path) as new:
        (new / "b").write_text("2")
        raise ValueError
    assert (path / "sub" / "a").read_text() == "1"
    with atomic_dir(path) as new:
        (new / "c").write_text("3")
        assert (path / "sub" / "a").exists()
    assert [p.name for p in path.iterdir()] == ["c"]
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_a_directory_whose_writer_was_killed_between_two_renames_comes_back(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_text("old")
    code = (
        "import sys, os, pathlib\nfrom ctap.files.atomic import atomic_dir\nplain = pathlib.Path.rename\n"
        "def rename(self, to):\n    os._exit(9) if '.tmp-' in self.name else plain(self, to)\n"
        "pathlib.Path.rename = rename\nwith atomic_dir(sys.argv[1] + '/d') as new:\n    (new / 'a').touch()\n"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path]).returncode == 9
    assert not (tmp_path / "d").exists()
    with atomic_write(tmp_path / "f") as file:
        file.write("")
    assert (tmp_path / "d" / "a").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "f"]


def test_what_was_there_before_goes_where_its_writer_was_killed_after_both(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for name, text in ((f".d.old-{socket.gethostname()}-{gone.pid}-0123abcd", "old"), ("d", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(text)
    with atomic_write(tmp_path / "f") as file:
        file.write("")
    assert (tmp_path / "d" / "a").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "f"]


@pytest.mark.parametrize("rewritten", [False, True])
def test_another_job_may_have_brought_back_a_directory_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rewritten: bool
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / f".d.old-{socket.gethostname()}-{gone.pid}-0123abcd"
    left.mkdir()
    (left / "a").write_text("old")
    rename = Path.rename

    def late(self: Path, to: Path) -> Path:
        if self == left:
            if rewritten:
                to.mkdir()
                (to / "a").write_text("new")
            else:
                rename(self, to)
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", late)
    with atomic_write(tmp_path / "f") as file:
        file.write("whole")
    assert (tmp_path / "f").read_text() == "whole"
    assert (tmp_path / "d" / "a").read_text() == ("new" if rewritten else "old")


def test_a_directory_of_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "exp" / "ctap").mkdir(parents=True)
    (tmp_path / "exp" / "ctap" / "last.ckpt").write_text("days")
    with (
        pytest.raises(UserError, match=r"exp: holds something else \(ctap\)"),
        atomic_dir(tmp_path / "exp") as new,
    ):
        (new / "manifest.json").write_text("{}")
    assert (tmp_path / "exp" / "ctap" / "last.ckpt").read_text() == "days"
    assert [p.name for p in tmp_path.iterdir()] == ["exp"]
    (tmp_path / "empty").mkdir()
    with atomic_dir(tmp_path / "empty") as new:
        (new / "manifest.json").write_text("{}")
    assert (tmp_path / "empty" / "manifest.json").exists()


def test_where_all_names_are_known_nothing_else_is_removed_with_them(tmp_path: Path) -> None:
    """One name in common is not enough: other programs have a manifest.json, too."""
    for name in ("manifest.json", "old.onnx"):
        (tmp_path / name).write_text("old")
    with atomic_dir(tmp_path, own=("*.onnx", "manifest.json")) as new:
        (new / "manifest.json").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    (tmp_path / "index.html").touch()
    with (
        pytest.raises(UserError, match=r"holds something else \(index\.html\)"),
        atomic_dir(tmp_path, own=("*.onnx", "manifest.json")) as new,
    ):
        (new / "manifest.json").write_text("newer")
    assert (tmp_path / "manifest.json").read_text() == "new" and (tmp_path / "index.html").exists()
