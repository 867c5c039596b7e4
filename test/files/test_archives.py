"""Archives of corpora, from a server in this process."""

import errno
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ctap.bin.fetch_archive import fetch_archive
from ctap.errors import UserError
from ctap.files.archives import unpack

CONTENT = b"SSB00050001.wav\t\n" * 20000


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
            if start >= len(archive):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(archive)}")
                self.end_headers()
                return
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


def run(server, out, size, **options):
    fetch_archive(out, server.url, "data_aishell3", size=size, **options)


def tar(**files):
    """The bytes of an archive of these files, ``/`` in their names written as ``__``."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as opened:
        for name, data in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return content.getvalue()


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_it_goes_on_where_it_stopped(server, archive, tmp_path, capsys, ranges, known):
    server.ranges = ranges
    server.limit = 50000
    size = len(archive) if known else 0
    with pytest.raises(UserError, match="run again to go on"):
        run(server, tmp_path, size)
    assert not (tmp_path / "data_aishell3").exists() and not (tmp_path / "data_aishell3.tgz").exists()
    server.limit = len(archive)
    digest = hashlib.md5(archive).hexdigest()
    run(server, tmp_path, size, checksum=digest if known else digest.upper())
    assert server.asked == [None, "bytes=50000-"]
    assert (tmp_path / "data_aishell3" / "train" / "content.txt").read_bytes() == CONTENT
    assert "md5 is right" in capsys.readouterr().out
    run(server, tmp_path, size)
    assert len(server.asked) == 2 and "is there already" in capsys.readouterr().out


def test_a_download_stopped_after_its_last_byte_is_whole(server, archive, tmp_path):
    (tmp_path / "data_aishell3.tgz.part").write_bytes(archive)
    run(server, tmp_path, 0)
    assert (tmp_path / "data_aishell3" / "train" / "content.txt").read_bytes() == CONTENT


@pytest.mark.parametrize("place", [0.3, 0.6, 1.0])
def test_a_flipped_bit_is_noticed(tmp_path, archive, place):
    broken = bytearray(archive)
    broken[min(int(place * len(broken)), len(broken) - 6)] ^= 4
    (tmp_path / "data_aishell3.tgz").write_bytes(broken)
    with pytest.raises(UserError, match="can't be unpacked"):
        unpack(tmp_path / "data_aishell3.tgz", tmp_path / "data_aishell3")
    assert [p.name for p in tmp_path.iterdir()] == ["data_aishell3.tgz"]


def test_a_wrong_checksum_or_size_unpacks_nothing(server, archive, tmp_path):
    with pytest.raises(UserError, match="sha256 is"):
        run(server, tmp_path, len(archive), checksum="0" * 64)
    with pytest.raises(UserError, match=f"{len(archive)} bytes, expected {len(archive) - 1}"):
        run(server, tmp_path / "b", len(archive) - 1)
    with pytest.raises(UserError, match=r"expected 32 \(MD5\) or 64 \(SHA-256\)"):
        run(server, tmp_path, len(archive), checksum="abc")
    assert not (tmp_path / "data_aishell3").exists() and not (tmp_path / "b" / "data_aishell3").exists()


def test_a_damaged_archive_leaves_nothing(tmp_path, archive):
    (tmp_path / "data_aishell3.tgz").write_bytes(archive[:40000])
    with pytest.raises(UserError, match="can't be unpacked"):
        fetch_archive(tmp_path, "http://nowhere.invalid/data_aishell3.tgz", "data_aishell3", size=40000)
    assert [p.name for p in tmp_path.iterdir()] == ["data_aishell3.tgz"]


def test_a_full_disk_is_not_taken_for_a_damaged_archive(tmp_path, archive, monkeypatch):
    """Nobody should remove 19 GB for it, and fetch them again."""

    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.tgz").write_bytes(archive)
    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    with pytest.raises(UserError, match="No space left on device; free space there") as caught:
        unpack(tmp_path / "a.tgz", tmp_path / "out")
    assert "remove it" not in str(caught.value)


def test_archives_in_an_archive(tmp_path):
    inner = tar(train__S0002__a=b"1")
    (tmp_path / "x.tgz").write_bytes(tar(**{"top__wav__S0002.tar.gz": inner, "top__text": b"2"}))
    unpack(tmp_path / "x.tgz", tmp_path / "corpus", nested="wav/*.tar.gz")
    found = {str(p.relative_to(tmp_path / "corpus")) for p in (tmp_path / "corpus").rglob("*") if p.is_file()}
    assert found == {"wav/train/S0002/a", "text"}
    (tmp_path / "y.tgz").write_bytes(tar(**{"top__wav__S0002.tar.gz": inner[:-20], "top__text": b"2"}))
    with pytest.raises(UserError, match=r"S0002.tar.gz in it\): can't be unpacked"):
        unpack(tmp_path / "y.tgz", tmp_path / "broken", nested="wav/*.tar.gz")
    assert not (tmp_path / "broken").exists()


def test_several_archives_make_one_corpus(tmp_path, monkeypatch):
    renamed, rename = [], Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, to: renamed.append(self.name) or rename(self, to))
    for part in ("dev-clean", "test-clean"):
        content = tar(**{f"LibriTTS__{part}__a": part.encode(), "LibriTTS__speakers.tsv": b"same"})
        (tmp_path / f"LibriTTS-{part}.tar.gz").write_bytes(content)
        fetch_archive(tmp_path, f"http://nowhere.invalid/{part}.tar.gz", "LibriTTS", part=part)
        assert renamed[-1] == part  # by which the next attempt sees that all is there
    root = tmp_path / "LibriTTS"
    assert sorted(p.name for p in root.iterdir()) == ["dev-clean", "speakers.tsv", "test-clean"]
    assert (root / "test-clean" / "a").read_bytes() == b"test-clean"
    with pytest.raises(UserError, match="holds no train, but"):
        unpack(tmp_path / "LibriTTS-dev-clean.tar.gz", root, part="train")
    assert sorted(p.name for p in root.iterdir()) == ["dev-clean", "speakers.tsv", "test-clean"]


def test_the_part_itself_may_be_the_top(tmp_path):
    (tmp_path / "dev_set.tar.gz").write_bytes(tar(dev__TRANS=b"1"))
    unpack(tmp_path / "dev_set.tar.gz", tmp_path / "magicdata", part="dev")
    assert (tmp_path / "magicdata" / "dev" / "TRANS").read_bytes() == b"1"


def test_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as opened:
        opened.writestr("txt/p225/p225_001.txt", "Please call Stella.")
        opened.writestr("../speaker-info.txt", "inside all the same")
    unpack(tmp_path / "x.zip", tmp_path / "out" / "VCTK")
    assert (tmp_path / "out" / "VCTK" / "txt" / "p225" / "p225_001.txt").is_file()
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["VCTK"]
    (tmp_path / "x.zip").write_bytes((tmp_path / "x.zip").read_bytes()[:60])
    with pytest.raises(UserError, match="can't be unpacked"):
        unpack(tmp_path / "x.zip", tmp_path / "out" / "broken")


def test_a_zip_in_a_tar_is_not_taken_for_the_archive(tmp_path):
    """Of a zip only the end is looked at."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as inner:
        inner.writestr("b.txt", "of the second speaker")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in (("a.txt", b"of the first"), ("two.zip", content.getvalue())):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    unpack(tmp_path / "a.tar", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "two.zip"]
    unpack(tmp_path / "a.tar", tmp_path / "nested", nested="*.zip")
    assert sorted(path.name for path in (tmp_path / "nested").iterdir()) == ["a.txt", "b.txt"]


def test_a_mirror_stands_before_a_place_and_not_before_an_address(tmp_path, server):
    mirror, _, place = server.url.rpartition("/")
    fetch_archive(tmp_path / "a", place, "data_aishell3", mirror=f"{mirror}/")
    fetch_archive(tmp_path / "b", server.url, "data_aishell3", mirror="http://nowhere.invalid")
    assert (tmp_path / "a" / "data_aishell3").is_dir() and (tmp_path / "b" / "data_aishell3").is_dir()


def test_addresses_that_are_none_and_parts_that_are_too_long_are_named(tmp_path, server, archive):
    with pytest.raises(UserError, match=r"www\.openslr\.org/x: .*expected an address such as https"):
        fetch_archive(tmp_path, "www.openslr.org/x", "x")
    (tmp_path / "data_aishell3.tgz.part").write_bytes(archive + b"more")
    with pytest.raises(UserError, match=r"tgz\.part is longer than what is there; remove it"):
        run(server, tmp_path, 0)
