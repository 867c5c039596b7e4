"""Configurations on top of others, from Python and from a command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from ctap.config import ConfigFile, config_files, load_config, merge
from ctap.errors import UserError

BASE = """
model: {layers: 6, sizes: [1, 2], inner: {dim: 8, heads: 2}}
optim: {lr: 0.1}
"""


@dataclass
class Sizes:
    layers: int = 1
    dim: int = 4


@dataclass
class Config:
    model: Sizes = field(default_factory=Sizes)
    lr: float = 1.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "more").mkdir()
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_own_keys_win_and_mappings_are_joined(folder: Path) -> None:
    own = write(
        folder / "more/own.yaml", "base: ../base.yaml\nmodel: {sizes: [3], inner: {dim: null}}\nname: x\n"
    )
    assert load_config(own) == {
        "model": {"layers": 6, "sizes": [3], "inner": {"dim": None, "heads": 2}},
        "optim": {"lr": 0.1},
        "name": "x",
    }
    assert [path.name for path in config_files(own)] == ["own.yaml", "base.yaml"]


def test_modules_of_ones_own_are_not_joined_with_sizes(folder: Path) -> None:
    """Nor the arguments of one with those of another; those of the same one are."""
    first = {"class_path": "a.B", "init_args": {"x": 1, "y": 2}}
    for base, own, joined in (
        ({"layers": 6}, first, first),
        (first, {"layers": 6}, {"layers": 6}),
        (first, {"class_path": "a.C", "init_args": {"x": 3}}, {"class_path": "a.C", "init_args": {"x": 3}}),
        (first, {"init_args": {"x": 3}}, {"class_path": "a.B", "init_args": {"x": 3, "y": 2}}),
        (first, {"class_path": "a.B", "init_args": {"x": 3}}, {**first, "init_args": {"x": 3, "y": 2}}),
    ):
        assert merge({"encoder": base}, {"encoder": own}) == {"encoder": joined}


def test_the_code_of_ones_own_modules_is_one_of_the_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a recipe notices when it changes; what can't be found is not, and is refused later."""
    code = write(folder / "more/of_a_user.py", "")
    monkeypatch.syspath_prepend(str(folder / "more"))
    own = write(
        folder / "own.yaml",
        "base: base.yaml\nmodel: {a: {class_path: of_a_user.A}, b: {class_path: no_such_module.deeper.B}}",
    )
    assert config_files(own) == [own, folder / "base.yaml", code]


def test_a_base_may_have_a_base_and_be_taken_in_part(folder: Path) -> None:
    write(folder / "middle.yaml", "base: base.yaml\noptim: {lr: 0.2, steps: 5}\n")
    own = write(folder / "own.yaml", "base: [base.yaml, 'middle.yaml:optim.lr', 'middle.yaml:model.inner']\n")
    assert load_config(own)["optim"] == {"lr": 0.2}
    assert load_config(own)["model"]["layers"] == 6
    part = write(folder / "part.yaml", "base: middle.yaml:model.inner\n")
    assert load_config(part) == {"model": {"inner": {"dim": 8, "heads": 2}}}
    assert [path.name for path in config_files(own)] == ["own.yaml", "base.yaml", "middle.yaml"]


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("own.yaml", r"own\.yaml: is a base of itself"),
        ("ring.yaml", r"own\.yaml: is a base of itself"),
        ("none.yaml", r"none\.yaml: can't read it"),
        ("base.yaml:model.outer", r"own\.yaml: base: base\.yaml:model\.outer: no key 'outer'"),
        ("base.yaml:optim.lr.x", r"no key 'x'"),
        ("{a: 1}", r"own\.yaml: base: expected a file, FILE:KEY, or a list of them"),
    ],
)
def test_a_base_that_cannot_be_read_is_named(folder: Path, base: str, message: str) -> None:
    write(folder / "ring.yaml", "base: own.yaml\n")
    with pytest.raises(UserError, match=message):
        load_config(write(folder / "own.yaml", f"base: {base}\n"))


def test_on_a_command_line_later_options_win(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    parser.add_argument("--config", action=ConfigFile)
    parser.add_class_arguments(Config)
    write(folder / "sizes.yaml", "model: {layers: 2, dim: 8}\nlr: 0.5\n")
    own = write(folder / "own.yaml", "base: sizes.yaml\nmodel: {layers: 3}\n")
    values = parser.instantiate(parser.parse_args(["--config", str(own), "--model.dim", "16"]))
    assert (values.model, values.lr) == (Sizes(3, 16), 0.5)
    for text, message in (
        ("base: sizes.yaml\nmodel: {layer: 3}", "'layer'"),
        ("lr: fast", '"lr"'),
        ("base: x", "x: can't read"),
    ):
        with pytest.raises(SystemExit):
            parser.parse_args(["--config", str(write(own, text))])
        assert message in capsys.readouterr().err


def test_a_key_that_comes_twice_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"own\.yaml: can't read it: line 3: 'a' for the second time"):
        load_config(write(folder / "own.yaml", "a: 1\nb: 2\na: 3\n"))
