"""Every benchmark runs to its end on the least that it can be given; how fast things are is not looked at."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import itertools
import json
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch
import yaml

from ctap.files.tables import read_table, write_table
from ctap.kaldi.ark import MatrixReader, _Ark
from ctap.text.rules import TextRules
from test import tiny
from test.tiny_model import RATE, save_model

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tools/bench"
DURATION = {"model": {"layers": 2, "channels": 8, "steps": 10, "predictor_channels": 8}}
Bench = Callable[..., ModuleType]
Run = Callable[..., list[list[str]]]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A benchmark's module by its name; what it sets for its process is set back afterwards."""
    threads = torch.get_num_threads()
    monkeypatch.syspath_prepend(str(BENCH))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    yield importlib.import_module
    torch.set_num_threads(threads)
    for path in BENCH.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.fixture
def run(bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a benchmark as a program, in this process: the words of every line printed, its numbers finite."""

    def run(name: str, *words: object) -> list[list[str]]:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        bench(name).main()
        return table(capsys.readouterr().out)

    return run


def table(printed: str) -> list[list[str]]:
    """The words of every line; every number of them is finite."""
    assert not re.search(r"\b(nan|inf)\b", printed), printed
    return [line.replace("|", " ").split() for line in printed.splitlines() if line.strip()]


def program(name: str, *words: object) -> list[list[str]]:
    """The same, in a process of its own."""
    command = [sys.executable, str(BENCH / f"{name}.py"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return table(done.stdout)


def firsts(rows: list[list[str]]) -> list[str]:
    return [row[0] for row in rows]


class Within:
    """Stands in for ``subprocess`` in a benchmark: the Python programs that it starts run in this process."""

    PIPE = DEVNULL = subprocess.DEVNULL

    def __init__(self, patch: pytest.MonkeyPatch, module: ModuleType) -> None:
        self.patch, self.environments = patch, []
        patch.setattr(module, "subprocess", self)

    def run(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, **_: Any
    ) -> subprocess.CompletedProcess[str]:
        self.environments.append(env or {})
        kind, *words = command[1:]
        with self.patch.context() as here, contextlib.redirect_stdout(io.StringIO()) as out:
            here.setattr(sys, "path", [*sys.path])
            here.setattr(sys, "argv", [kind, *words] if kind not in ("-m", "-c") else words)
            if kind == "-c":
                exec(words[0], {})
            else:
                importlib.import_module(words[0] if kind == "-m" else Path(kind).stem).main()
        return subprocess.CompletedProcess(command, 0, out.getvalue())

    def Popen(self, command: Sequence[str], **options: Any) -> SimpleNamespace:  # noqa: N802
        done = self.run(command, **options)
        return SimpleNamespace(returncode=done.returncode, communicate=lambda: (done.stdout, ""))


class Threads:
    """Stands in for a context of ``multiprocessing``: processes are threads, of which one runs at a time."""

    def __init__(self) -> None:
        self.turn = threading.Lock()  # the random numbers are everybody's

    def Process(self, target: Callable[..., None], args: tuple, daemon: bool) -> threading.Thread:  # noqa: N802
        def run() -> None:
            with self.turn:
                target(*args)

        return threading.Thread(target=run, daemon=daemon)

    def Pipe(self) -> tuple[End, End]:  # noqa: N802
        there, back = queue.Queue(), queue.Queue()
        return End(there, back, contextlib.nullcontext()), End(back, there, _Released(self.turn))


class End:
    """Of a pipe between threads; ``waiting`` is entered while it waits."""

    def __init__(
        self, out: queue.Queue, into: queue.Queue, waiting: contextlib.AbstractContextManager
    ) -> None:
        self.send, self._into, self._waiting = out.put, into, waiting

    def recv(self) -> Any:
        with self._waiting:
            return self._into.get(timeout=60)

    def close(self) -> None:
        pass


class _Released:
    """A lock, while somebody waits who has it."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.release()

    def __exit__(self, *_: object) -> None:
        self._lock.acquire()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``pretrain.yaml``, ``duration.yaml``, ``voice.wav``, ``wav.scp`` and ``model``, as small as can be."""
    root = tmp_path_factory.mktemp("bench")
    config = {"model": tiny.MODEL, "data": tiny.DATA, "optim": tiny.OPTIM, "trainer": tiny.TRAINER}
    (root / "pretrain.yaml").write_text(yaml.safe_dump(config))
    (root / "duration.yaml").write_text(yaml.safe_dump(DURATION))
    soundfile.write(root / "voice.wav", tiny.voice(0.8, RATE), RATE)
    write_table(root / "wav.scp", {"one": root / "voice.wav"})
    save_model(root / "model")
    return root


def test_ark(run: Run) -> None:
    rows = run("ark", "--utterances", 3, "--repeats", 1)
    assert float(rows[0][-1]) < 1e-5  # the readers agree
    assert firsts(rows[2:]) == ["in", "at"]


def test_attention(bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench("attention"), "POSITIONS", 16)
    rows = run("attention", "--lengths", 8, "--turns", 1)
    assert firsts(rows[1:]) == ["bfloat16", "float32"]


def test_contrastive(bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--frames", 600, "--dim", 8, "--repeats", 1]
    module = bench("contrastive")
    monkeypatch.setattr(module, "measure_memory", lambda threads, *arguments: module.extra_memory(*arguments))
    rows = run("contrastive", *options)
    there = {"usual", "tiled", "excluding", "sigmoid"}
    there |= {"torch_linear"} if hasattr(torch.nn.functional, "linear_cross_entropy") else set()
    assert there <= {row[1] for row in rows if row[0] == "600"}
    rows = run("contrastive", *options, "--only", "tiled", "triton")
    assert [row[1] for row in rows if row[0] == "600"] == ["tiled"]
    with pytest.raises(SystemExit):
        run("contrastive", *options, "--only", "triton")


def test_duration_prompts(run: Run, work: Path, dump: Path) -> None:
    rows = run("duration_prompts", "--model", work / "model", "--dump", dump / "train", dump / "dev")
    ways = [(prompt, by) for prompt in ("utterance", "speaker") for by in ("deterministic", "diffusion")]
    assert [(row[1], row[2]) for row in rows[2:]] == ways
    assert {row[3] for row in rows[2:]} == {"17"}  # utterances


def test_features(bench: Bench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    module = bench("features")
    within = Within(monkeypatch, module)
    monkeypatch.setattr(module, "SECONDS", 0.3)
    rows = run("features", "--minutes", 0.02, "--jobs", 1, 2, "--repeats", 1)
    own = [row for row in rows if row[0] == "torchaudio"]
    assert float(own[0][-1]) < 1e-4  # the same mel
    ways = [" ".join(row[:3]) for row in rows if row[0] == "toolkit,"]
    assert ways == ["toolkit, 1 job", "toolkit, 2 jobs"]
    assert len(within.environments) == 4 - (importlib.util.find_spec("librosa") is None)


def test_muon(run: Run, work: Path) -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon")
    rows = run("muon", "--config", work / "pretrain.yaml", "--threads", 1, "--turns", 1)
    assert rows[0][1] == "matrices" and firsts(rows[1:]) == ["PyTorch's", "Muon", "AdamW"]


def test_onnx_speed(run: Run, work: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra `onnx`")
    pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    options = ["--config", work / "pretrain.yaml", "--duration", work / "duration.yaml"]
    rows = run("onnx_speed", *options, "--frames", 40, "--repeats", 1)
    parts = {
        "speech_encoder",
        "prompt_encoder",
        "phoneme_encoder",
        "decoder",
        "durations",
        "pitch",
        "vocoder",
    }
    assert set(firsts(rows[2:])) == {*parts, "vocoder", "speech,"}


def test_scale(bench: Bench, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, folder = bench("scale"), tmp_path / "many"
    monkeypatch.setattr(module, "UTTERANCES_OF_SPEAKER", 50)
    for what in ("generate", *module.MEASURED, "dataset"):  # the last time from the arrays
        last = run("scale", what, folder, "--utterances", 300)[-1]
        assert last[:3] == [f"{what}:", "300", "utterances:"]


def test_serve(run: Run, work: Path) -> None:
    pytest.importorskip("fastapi", reason="needs the extra `serve`")
    options = ["--prompt", work / "voice.wav", "--visitors", 3, "--seconds", 1]
    rows = run("serve", work / "model", *options)
    assert rows[0] == ["3", "visitors,", "1", "s:", "0", "errors"]
    assert rows[-1][0] == "memory," and len(rows[-1]) == 12


def test_shared_cores(bench: Bench, run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = bench("shared_cores")
    within = Within(monkeypatch, module)
    monkeypatch.setattr(module, "CONFIG", work / "pretrain.yaml")
    rows = run("shared_cores", "--threads", 1, "--busy", 0, "--steps", 1, "--spins", "unset", 1000)
    assert rows[-1][0] == "0" and len(rows[-1]) == 5
    assert [environment.get("GOMP_SPINCOUNT") for environment in within.environments] == [None, "1000"]


def test_slow_disk(bench: Bench, run: Run, work: Path, dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MatrixReader, "__getitem__", MatrixReader.__getitem__)  # is replaced
    monkeypatch.setattr(_Ark, "read_ahead", _Ark.read_ahead)
    module, asked = bench("slow_disk"), []
    for name in ("wait", "read_ahead"):
        own = getattr(module.SlowDisk, name)
        note = lambda disk, *words, own=own, name=name: (asked.append(name), own(disk, *words))  # noqa: E731
        monkeypatch.setattr(module.SlowDisk, name, note)
    options = ["--dump", dump / "train", "--config", work / "pretrain.yaml", "--seek", 0.1]
    rows = run("slow_disk", *options, "--steps", 1, "--warm_up", 1)
    assert firsts(rows[1:]) == ["memory,"] * 2 + ["slow,"] * 4
    assert set(asked) == {"wait", "read_ahead"}  # the toolkit's reader goes through the disk


def test_stage_0(run: Run) -> None:
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True).returncode:
        pytest.skip("needs git and the repository")
    rows = run("stage_0", "--than", "HEAD", "--utterances", 101, "--repeat", 1)
    assert firsts(rows) == ["HEAD:", "here:", "ratio:"]
    with pytest.raises(SystemExit):
        run("stage_0", "--than", "no-such-commit")


def test_synthesis(bench: Bench, run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = bench("synthesis")
    monkeypatch.setattr(module, "FRAMES", 2)
    voice = module.voice_like
    monkeypatch.setattr(module, "voice_like", lambda settings, seconds: voice(settings, 0.2 * seconds))
    options = ["--config", work / "pretrain.yaml", "--duration_config", work / "duration.yaml"]
    rows = run("synthesis", *options, "--copies", 1, 2, "--repeats", 1)
    assert firsts(rows[2:8]) == ["all,", "duration", "phoneme", "prompt", "decoder", "vocoder"]
    assert {"toolkit", "torchaudio"} <= set(firsts(rows[9:]))


def test_train_step(bench: Bench, run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = bench("train_step")
    monkeypatch.setattr(module.multiprocessing, "get_context", lambda kind: Threads())
    monkeypatch.setitem(module.LENGTHS, "equal", (40, 0.0, 40, 40))
    options = ["--config", work / "pretrain.yaml", "--lengths", "equal", "--utterances", 20]
    rows = run("train_step", *options, "--steps", 1, "--warm_up", 1)
    found = {" ".join(words): row for row in rows for words in [itertools.takewhile(_is_word, row)]}
    theirs, ours = map(float, found["loss, same batch"][-2:])
    assert ours == pytest.approx(theirs, rel=1e-3)
    assert {"frames a second", "of the matrix rate", "speech encoder", "optimizer"} <= found.keys()


def test_vocoder(run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--scp", work / "wav.scp", "--utts", 1]
    rows = run("vocoder", *options, "--recorded_f0")
    assert firsts(rows)[-4:] == ["recording", "griffin_lim", "pretrained", "pretrained,"]
    rows = run("vocoder", *options, "--memory", 0.01, 0.02)
    assert firsts(rows) == ["with", "0.0", "0.0"]
    with pytest.raises(SystemExit):
        run("vocoder", *options, "--memory", 0.01, "--vocoders", "griffin_lim")
    for name in ("vocos", "vocos.heads", "vocos.models"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit):
        run("vocoder", *options, "--vocos")
    stand_in = SimpleNamespace(VocosBackbone=_Backbone, ISTFTHead=_Head)
    monkeypatch.setitem(sys.modules, "vocos.heads", stand_in)
    monkeypatch.setitem(sys.modules, "vocos.models", stand_in)
    rows = run("vocoder", *options, "--vocoders", "griffin_lim", "--vocos")
    assert rows[-1][0] == "vocos," and len(rows[-1]) == 4


def test_vocoder_f0(run: Run, work: Path) -> None:
    rows = run("vocoder_f0", work / "voice.wav", "--ratios", 0.9, 1.0)
    assert [row[0] for row in rows[1:]] == ["0.9", "0.9", "1.0", "1.0"]
    assert float(rows[3][-1]) < 0.05  # F0 as it was
    with pytest.raises(SystemExit):
        run("vocoder_f0", work / "voice.wav", "--vocoder", "griffin_lim")


def test_where_lost(bench: Bench, run: Run, work: Path, tmp_path: Path) -> None:
    options = ["--model", work / "model", "--scp", work / "wav.scp", "--prompt", work / "voice.wav"]
    run("where_lost", *options, "--out", tmp_path)
    sounds = {}
    for kind in bench("where_lost").KINDS:
        sounds[kind] = soundfile.read(read_table(tmp_path / kind / "wav.scp")["one"])[0]
    assert all(len(sound) == len(sounds["decoded"]) and sound.any() for sound in sounds.values())
    assert len({sound.tobytes() for sound in sounds.values()}) == len(sounds) == 6


def test_word_starts(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.wav", tiny.voice(1.0, 16000), 16000)
    rows = {"wav.scp": tmp_path / "a.wav", "text": "The cat sat.", "word_phones": "2 3 3"}
    rows |= {"aligned_phones": "sil DH AH0 K AE1 T S AE1 T sil", "durations": "10 5 5 5 5 5 5 5 5 10"}
    for name, row in rows.items():
        write_table(tmp_path / name, {"u": row})
    TextRules(language="english").save(tmp_path)
    (tmp_path / "ct2_config.json").write_text(json.dumps({"alignment_heads": [[0, 0]]}))
    told = SimpleNamespace(alignment_heads=None)

    class Heard:
        model = SimpleNamespace(generation_config=told)

        def __call__(self, wave: dict, **options: Any) -> dict:
            assert wave["sampling_rate"] == 16000 and options["generate_kwargs"]["language"] == "en"
            words = ((" The", 0.05), (" hat", 0.1), (" sat.", 0.25))
            return {"chunks": [{"text": text, "timestamp": (start, 1.0)} for text, start in words]}

    pipeline = SimpleNamespace(pipeline=lambda *words, **options: Heard())
    monkeypatch.setitem(sys.modules, "transformers", pipeline)
    rows = run("word_starts", "--data_dir", tmp_path, "--whisper", tmp_path)
    assert told.alignment_heads == [[0, 0]]
    assert rows[0] == ["1", "of", "1", "utterances,", "3", "words,", "2", "heard", "alike"]
    assert rows[1][2:7] == ["2", "starts;", "apart", "75", "ms"]  # 0.10 and 0.35 s, 50 and 100 ms later
    with pytest.raises(SystemExit):
        run("word_starts", "--data_dir", tmp_path, "--whisper", tmp_path / "none")


@pytest.mark.slow
def test_a_compiled_step(
    bench: Bench, run: Run, work: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module, compiled = bench("train_step"), []

    def traced_only(stack: torch.nn.Module, dynamic: bool) -> None:
        compiled.append(stack)
        torch.nn.Module.compile(stack, dynamic=dynamic, backend="eager")  # the other takes minutes

    monkeypatch.setattr(module.TransformerStack, "compile", traced_only)
    monkeypatch.setattr(module.multiprocessing, "get_context", lambda kind: Threads())
    (tmp_path / "lengths").write_text("40\n" * 20)
    options = ["--config", work / "pretrain.yaml", "--lengths", tmp_path / "lengths", "--compile"]
    assert len(run("train_step", *options, "--steps", 1, "--warm_up", 1)) > 12
    assert len(compiled) >= 3  # of encoders and decoder


@pytest.mark.slow
def test_processes_of_their_own(work: Path) -> None:
    """What the tests above run in their own process, as it is measured."""
    few = ["--config", work / "pretrain.yaml", "--steps", 1, "--warm_up", 1, "--utterances", 20]
    assert len(program("train_step", *few)) > 12
    rows = program("contrastive", "--frames", 600, "--repeats", 1, "--only", "tiled")
    assert rows[-1][:2] == ["600", "tiled"]
    assert program("shared_cores", "--threads", 1, "--busy", 1, "--steps", 1, "--spins", 1000)[-1][0] == "1"
    assert "toolkit," in firsts(program("features", "--minutes", 0.1, "--jobs", 1, 2, "--repeats", 1))


def _is_word(text: str) -> bool:
    return not text[0].isdigit()


class _Backbone(torch.nn.Linear):
    """In the place of Vocos's."""

    def __init__(self, mels: int, dim: int, **sizes: int) -> None:
        super().__init__(mels, dim)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        return super().forward(mel.transpose(1, 2))


class _Head(torch.nn.Linear):
    """In the place of Vocos's: ``[B, T, dim]`` to samples."""

    def __init__(self, dim: int, n_fft: int, hop: int, padding: str) -> None:
        super().__init__(dim, hop)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).flatten(1)
