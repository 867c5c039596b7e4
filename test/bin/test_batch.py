"""Inputs are checked before the work, bad ones named and counted, results written as they come."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctap.bin import batch as module
from ctap.bin.batch import Batch, Recordings, SomeLeftOutError, keep_prompts, read_rows
from ctap.bin.convert import convert
from ctap.bin.synthesize import synthesize
from ctap.errors import UserError
from ctap.files.skips import SkipList
from ctap.files.tables import read_table
from ctap.jobs import Share


def make(items: dict[str, int], out: Path, job: int = 1, num_jobs: int = 1) -> Batch[int]:
    return Batch("halving", items, SkipList(), out, Share(job, num_jobs))


def halve(utt: str, number: int) -> int:
    if number % 2:
        raise UserError(f"{number} is odd")
    return number // 2


def left_out(out: Path, name: str = "left_out.tsv") -> list[list[str]]:
    return [line.split("\t") for line in (out / name).read_text(encoding="utf-8").splitlines()[1:]]


def test_lines_that_can_not_be_used_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = ["a 你好", "b", "", "x/y 好", "c\t再见 ", "a 又"]
    content = "\ufeff".encode() + "\r\n".join(rows).encode() + b"\r\nd \xc4\xe3\r\n" + b"e 1\n"
    (tmp_path / "list").write_bytes(content)
    found, bad = read_rows(tmp_path / "list")
    assert found == {"a": "你好", "c": "再见", "e": "1"}
    where = f"{tmp_path}/list"
    assert sorted(bad) == [
        ("a", "line that can't be used", f"{where}:6: 'a' came before, in line 1"),
        ("b", "line that can't be used", f"{where}:2: 'b' has no value"),
        ("d", "line that can't be used", f"{where}:7: is not UTF-8 (byte 0xc4 at column 3)"),
        ("x/y", "name that can't be used", f"{where}:4: 'x/y' holds '/', so it can't name a file"),
    ]
    with pytest.raises(UserError, match="no-such: cannot be read"):
        read_rows(tmp_path / "no-such")


def test_nothing_that_is_read_is_overwritten_and_nothing_to_do_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="halving: nothing to do"):
        make({}, tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/utt2spk").write_text("a a\n")
    with pytest.raises(UserError, match="data: a data directory"):
        make({"a": 2}, tmp_path / "data")
    with pytest.raises(UserError, match="would be overwritten"):
        Recordings([tmp_path / "out/wav/a.wav"]).batch("resynthesis", tmp_path / "out")
    (tmp_path / "wav.scp").write_text("a a.wav\n")
    with pytest.raises(UserError, match=r"wav\.scp: is read, and would be overwritten"):
        Recordings(scp=tmp_path / "wav.scp").batch("conversion", tmp_path / "data/..")
    with pytest.raises(UserError, match="durations: is read"):
        Batch("synthesis", {"a": 1}, SkipList(), tmp_path, read=[None, tmp_path / "durations"])
    with pytest.raises(UserError, match="out/wav: is read"):
        keep_prompts([tmp_path / "a.wav", tmp_path / "out/wav/b.wav"], tmp_path / "out")
    keep_prompts(tmp_path / "a.wav", tmp_path)


def test_voices_are_made_nowhere_beside_their_prompt(tmp_path: Path) -> None:
    """Nor beside the durations that are given; no model is looked for before."""
    model, out, prompt = tmp_path / "none", tmp_path / "out", tmp_path / "out/wav/b.wav"
    with pytest.raises(UserError, match="out/wav: is read"):
        synthesize(model, prompt, out, text="a")
    with pytest.raises(UserError, match="out/wav: is read"):
        convert(model, prompt, out, Recordings([tmp_path / "a.wav"]))
    (tmp_path / "phones").write_text("a sil\n")
    with pytest.raises(UserError, match="durations: is read"):
        synthesize(
            model, tmp_path / "b.wav", out, phones_file=tmp_path / "phones", durations_file=out / "durations"
        )
    unread = {"phones_file": tmp_path / "phones", "phone_map": tmp_path / "map"}
    with pytest.raises(UserError, match="--phone_map is for texts"):
        synthesize(model, tmp_path / "b.wav", out, **unread)


def test_waves_go_by_their_stems_and_what_can_have_no_name_is_left_out() -> None:
    found, bad = Recordings([Path(name) for name in ("x/a.wav", "y/a.wav", "y/b.flac", "my song.wav")]).read()
    assert found == {"a": "x/a.wav", "b": "y/b.flac"}
    assert [(utt, why) for utt, why, _ in bad] == [
        ("a", "name that can't be used"),
        ("my song", "name that can't be used"),
    ]
    assert all("give a list with --scp instead" in detail for _, _, detail in bad)
    for wrong in ((None, None), ([Path("a.wav")], Path("list"))):
        with pytest.raises(UserError, match="give either wav files"):
            Recordings(*wrong).read()


def test_what_can_not_be_done_is_left_out_before_the_work_and_in_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def check(utt: str, number: int) -> None:
        if number < 0:
            raise UserError(f"{number} is below 0")

    tried = []
    work = make({"a": 2, "b": -1, "c": 3, "d": 8}, tmp_path)
    work.check(check)
    assert list(work.items) == ["a", "c", "d"]
    done = work.run(
        lambda utt, n: (tried.append(utt), halve(utt, n))[1], lambda some: work.write("halves", some)
    )
    assert done == {"a": 1, "d": 4}
    assert tried == ["a", "c", "d"]
    assert read_table(tmp_path / "halves") == {"a": "1", "d": "4"}
    expected = [["b", "input that can't be used", "-1 is below 0"], ["c", "failed", "3 is odd"]]
    assert left_out(tmp_path) == expected
    with pytest.raises(SomeLeftOutError) as caught:
        work.finish(work.path("halves"))
    assert caught.value.status == 4
    assert str(caught.value) == (
        f"halving: 2 of 4 done, listed in {tmp_path}/halves; 2 left out, each is named in "
        f"{tmp_path}/left_out.tsv; the first: b: -1 is below 0"
    )
    again = make({"a": 2}, tmp_path)
    again.run(halve)
    with caplog.at_level("INFO"):
        again.finish(again.path("halves"))
    assert caplog.messages[-1] == f"halving: 1 of 1 done, listed in {tmp_path}/halves"
    assert not (tmp_path / "left_out.tsv").exists()


def test_tables_of_an_earlier_run_do_not_pass_for_those_of_this_one(tmp_path: Path) -> None:
    def run(items: dict[str, int], job: int, num_jobs: int) -> str:
        work = make(items, tmp_path, job, num_jobs)
        work.run(halve, lambda done: work.write("halves", done))
        return work.path("halves").read_text()

    assert [run({"a": 2, "b": 4}, job, 2) for job in (1, 2)] == ["a 1\n", "b 2\n"]
    assert sorted(run({"c": 6}, job, 2) for job in (1, 2)) == ["", "c 3\n"]  # one has nothing to do
    assert [run({"a": 2}, 1, 1), run({"d": 7}, 1, 1)] == ["a 1\n", ""]


def test_where_nothing_can_be_done_the_command_has_failed(tmp_path: Path) -> None:
    work = make({"x": 1, "y": 9}, tmp_path)
    work.run(halve)
    with pytest.raises(
        UserError, match=r"none of 2 could be done, .*left_out\.tsv; the first: x: 1"
    ) as caught:
        work.finish(tmp_path)
    assert caught.value.status == 1


def test_jobs_share_the_inputs_and_the_first_tells_of_bad_lines(tmp_path: Path) -> None:
    bad = SkipList()
    bad.add("z", "line that can't be used")
    items = {f"u{i}": 2 for i in range(5)}
    parts = [Batch("halving", items, bad, tmp_path, Share(job, 2)) for job in (1, 2)]
    for part in parts:
        part.run(halve, lambda done, part=part: part.write("halves", done))
    assert [len(read_table(tmp_path / f"halves.{job}")) for job in (1, 2)] == [2, 3]
    assert left_out(tmp_path, "left_out.1.tsv") == [["z", "line that can't be used", "-"]]
    assert not (tmp_path / "left_out.2.tsv").exists()


def test_results_are_saved_as_the_work_goes_on_and_where_it_breaks_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    saved: list[dict[str, int]] = []

    def stop(utt: str, number: int) -> int:
        if utt == "c":
            raise KeyboardInterrupt
        return halve(utt, number)

    with pytest.raises(KeyboardInterrupt):
        make({"a": 2, "b": 3, "c": 4}, tmp_path).run(stop, lambda done: saved.append(dict(done)))
    assert saved == [{"a": 1}]
    assert left_out(tmp_path) == [["b", "failed", "3 is odd"]]
    monkeypatch.setattr(module, "SAVE_SECONDS", -1.0)
    saved.clear()
    make({"a": 2, "b": 4}, tmp_path).run(stop, lambda done: saved.append(dict(done)))
    assert saved == [{"a": 1}, {"a": 1, "b": 2}, {"a": 1, "b": 2}]
