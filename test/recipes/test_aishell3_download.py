"""The download of stage -1, from a server in this process."""

import hashlib
import http.server
import importlib.util
import tarfile
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

DOWNLOAD = Path(__file__).resolve().parents[2] / "egs" / "aishell3" / "ctap1" / "local" / "download.py"
CONTENT = b"SSB00050001.wav\t\n" * 20000


@pytest.fixture(scope="module")
def download():
    spec = importlib.util.spec_from_file_location("download", DOWNLOAD)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The bytes of an archive with a top directory, hard to compress so that it has some length."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "data_aishell3" / "train").mkdir(parents=True)
    (folder / "data_aishell3" / "train" / "content.txt").write_bytes(CONTENT)
    noise = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(3000))
    (folder / "data_aishell3" / "noise").write_bytes(noise)
    with tarfile.open(folder / "data_aishell3.tgz", "w:gz") as tar:
        tar.add(folder / "data_aishell3", "data_aishell3")
    return (folder / "data_aishell3.tgz").read_bytes()


@pytest.fixture
def server(archive):
    """Serves the archive; breaks off after ``limit`` bytes, honours ranges if ``ranges``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked = self.headers.get("Range")
            state.asked.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(archive) - start))
            self.end_headers()
            self.wfile.write(archive[start:][: state.limit])

        def log_message(self, *args):
            pass

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()

    url = f"http://127.0.0.1:{httpd.server_port}/data_aishell3.tgz"
    state = SimpleNamespace(url=url, limit=len(archive), ranges=True, asked=[])
    yield state
    httpd.shutdown()
    httpd.server_close()


def run(download, server, out, archive, *options):
    download.main(["--out_dir", str(out), "--url", server.url, "--size", str(len(archive)), *options])


@pytest.mark.parametrize("ranges", [True, False])
def test_it_goes_on_where_it_stopped(download, server, archive, tmp_path, capsys, ranges):
    server.ranges = ranges
    server.limit = 50000
    with pytest.raises(SystemExit):
        run(download, server, tmp_path, archive)
    assert "run again to go on" in capsys.readouterr().err
    assert not (tmp_path / "data_aishell3").exists() and not (tmp_path / "data_aishell3.tgz").exists()
    server.limit = len(archive)
    run(download, server, tmp_path, archive, "--checksum", hashlib.md5(archive).hexdigest())
    assert server.asked == [None, "bytes=50000-"]
    assert (tmp_path / "data_aishell3" / "train" / "content.txt").read_bytes() == CONTENT
    assert "md5 is right" in capsys.readouterr().out
    run(download, server, tmp_path, archive)
    assert len(server.asked) == 2 and "is there already" in capsys.readouterr().out


def test_a_wrong_checksum_or_size_unpacks_nothing(download, server, archive, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(download, server, tmp_path, archive, "--checksum", "0" * 64)
    assert "sha256 is" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(download, server, tmp_path / "b", archive[:-1])
    assert f"{len(archive)} bytes, expected {len(archive) - 1}" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(download, server, tmp_path, archive, "--checksum", "abc")
    assert "expected 32 (MD5) or 64 (SHA-256)" in capsys.readouterr().err
    assert not (tmp_path / "data_aishell3").exists() and not (tmp_path / "b" / "data_aishell3").exists()


def test_a_damaged_archive_leaves_nothing(download, tmp_path, archive, capsys):
    (tmp_path / "data_aishell3.tgz").write_bytes(archive[:40000])
    with pytest.raises(SystemExit):
        download.main(["--out_dir", str(tmp_path), "--size", "40000"])
    assert "can't be unpacked" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["data_aishell3.tgz"]
