"""What the file system refuses becomes one line that names the place, for root too."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ctap.audio.wave import save_wave
from ctap.errors import REFUSALS, UserError, cli, writing
from ctap.files.atomic import atomic_dir, atomic_write
from ctap.files.tables import write_table
from ctap.kaldi.ark import MatrixWriter

LIMIT = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from pathlib import Path
import numpy as np
out = Path(sys.argv.pop())
"""
WRITERS = {
    "table": "from ctap.files.tables import write_table\n"
    "write_table(out, {f'u{i:05d}': 'x' for i in range(2000)})",
    "wave": "from ctap.audio.wave import save_wave\nsave_wave(out, np.zeros(9000), 8000)",
    "ark": "from ctap.kaldi.ark import MatrixWriter\n"
    "with MatrixWriter(out, out.with_suffix('.scp')) as w:\n    w['u'] = np.ones((900, 40))",
    "weights": "import torch\nfrom ctap.files.atomic import atomic_write\n"
    "with atomic_write(out, 'wb') as f:\n    torch.save({'a': torch.zeros(9000)}, f)",
    "folder": "from ctap.files.atomic import atomic_dir\n"
    "with atomic_dir(out) as d:\n    np.savez(d / 'a.npz', a=np.random.rand(9000))",
    "table in a folder": "from ctap.files.atomic import atomic_dir\n"
    "from ctap.files.tables import write_table\n"
    "with atomic_dir(out) as d:\n    write_table(d / 't', {f'u{i:05d}': 'x' for i in range(2000)})",
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_write_that_fails_names_the_file(tmp_path: Path, kind: str) -> None:
    """Errors of write(2) carry no name; here the limit on a file's size stands for a full disk."""
    body = "".join(f"    {line}\n" for line in WRITERS[kind].splitlines())
    code = f"{LIMIT}from ctap.errors import cli\n@cli\ndef main():\n{body}main()\n"
    command = [sys.executable, "-c", code, tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 1
    inner = "/t" if kind == "table in a folder" else ""
    assert done.stderr.startswith(f"error: {tmp_path}/out{inner}: File too large; ")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []  # nothing half-made is left


def test_a_file_in_the_place_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    for write in (
        lambda: write_table(tmp_path / "f" / "t", {"a": "b"}),
        lambda: save_wave(tmp_path / "f" / "x.wav", np.zeros(9), 8000),
        lambda: MatrixWriter(tmp_path / "f" / "a.ark", tmp_path / "s").__enter__(),
        lambda: atomic_dir(tmp_path / "f" / "d").__enter__(),
    ):
        with pytest.raises(UserError, match=rf"^{tmp_path}/f: (Not a directory|File exists); "):
            write()


def refusing(code: int) -> Callable[..., None]:
    """A method of a path that the system refuses."""

    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code), str(self))

    return refuse


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_refused_rename_or_open_shows_no_hidden_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(Path, "open", refusing(code))
    with pytest.raises(UserError) as caught, atomic_write(tmp_path / "f"):
        pass
    assert str(caught.value) == f"{tmp_path}/f: {os.strerror(code)}; {REFUSALS[code]}"
    monkeypatch.setattr(Path, "mkdir", refusing(code))
    with pytest.raises(UserError, match=rf"^{tmp_path}(/d)?: "), atomic_dir(tmp_path / "d"):
        pass


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ETIMEDOUT, errno.EBUSY, errno.ENODEV])
def test_a_directory_that_can_not_be_made_is_named_whatever_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Network mounts have reasons of their own."""
    monkeypatch.setattr(Path, "mkdir", refusing(code))
    for write in (atomic_write, atomic_dir):
        with pytest.raises(UserError) as caught, write(tmp_path / "net" / "f"):
            pass
        assert str(caught.value) == f"{tmp_path}/net: {os.strerror(code)}"


def test_what_is_no_refusal_passes(tmp_path: Path) -> None:
    for error in (ValueError("a bug"), OSError("no number"), RuntimeError("torch's own"), KeyError("k")):
        with pytest.raises(type(error)) as caught, atomic_write(tmp_path / "f"):
            raise error
        assert caught.value is error
    with pytest.raises(KeyError), writing(tmp_path):
        try:
            (tmp_path / "absent").read_text()
        except FileNotFoundError:
            raise KeyError("a bug, whatever came before it") from None


def test_another_file_inside_is_named_itself(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"^{tmp_path}/absent: No such file"), atomic_write(tmp_path / "f"):
        (tmp_path / "absent").read_text()


def test_torch_that_hides_a_full_disk() -> None:
    with (
        pytest.raises(UserError, match=r"^exp/last\.ckpt: No space left on device; "),
        writing("exp/last.ckpt"),
        Path("/dev/full").open("wb") as file,
    ):
        torch.save({"a": torch.zeros(100_000)}, file)


def test_commands_say_it_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(error: OSError) -> str:
        @cli
        def main() -> None:
            raise error

        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 1
        return capsys.readouterr().err

    full = OSError(errno.ENOSPC, "x", "from", None, "to")
    assert end(full).startswith("error: to: No space left on device; free space there")
    assert end(PermissionError(errno.EACCES, "x", "/data/train")).startswith(
        "error: /data/train: Permission denied; "
    )
    monkeypatch.setattr(sys, "argv", ["train", "pretrain", "--out", "exp/ctap"])
    assert end(OSError(errno.ENOSPC, "x")).startswith("error: exp/ctap: No space left on device; ")
    monkeypatch.setattr(sys, "argv", ["dump", "--out_dir=dump/train"])
    assert end(OSError(errno.ENOSPC, "x")).startswith("error: dump/train: ")
    monkeypatch.setattr(sys, "argv", ["dump"])
    assert end(OSError(errno.ENOSPC, "x")).startswith("error: a file: No space left on device; ")
    for bug in (OSError("no number"), ConnectionResetError(errno.ECONNRESET, "x")):
        with pytest.raises(OSError):
            end(bug)


def test_threads_say_it_in_one_line_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[object] = []

    def end(error: Exception) -> None:
        raise error

    @cli
    def main() -> None:
        for error in (OSError(errno.ENOSPC, "x", "exp/events"), ValueError("a bug")):
            thread = threading.Thread(target=end, args=(error,))
            thread.start()
            thread.join()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda ended: seen.append(ended.exc_value))
        main()
    said = capsys.readouterr().err
    assert said.startswith("warning: exp/events: No space left on device; ") and said.count("\n") == 1
    assert [str(error) for error in seen] == ["a bug"]


def test_errors_of_other_processes_keep_their_place() -> None:
    with pytest.raises(UserError) as caught, writing("there"):
        raise OSError(errno.ENOSPC, "x")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
