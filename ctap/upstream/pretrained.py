"""Loading published models through transformers, with errors a user can act on."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

from ctap.errors import UserError

INSTALL = 'python -m pip install -c tools/constraints.txt -e ".[upstream]"'


class UnavailableError(UserError):
    """A package or a model's weights are not available: what needs them can be left out.

    Commands end with status 3 on it, so that a recipe can skip a system and go on.
    """

    status = 3


class Source:
    """Where a model comes from: a directory as transformers saves it, or a name on the Hugging Face hub.

    Args:
        model: Path or name.
        revision: Branch, tag or commit of a name; empty for the newest.

    Attributes:
        digest: Of the weights that :meth:`fingerprint` was given; empty before.
    """

    def __init__(self, model: str, revision: str = "") -> None:
        self.model, self.revision, self.digest = model, revision, ""
        if not Path(model).is_dir() and (model.startswith(("/", ".", "~")) or model.count("/") != 1):
            # Names of the hub are OWNER/NAME; the few of one word are models of text.
            raise UnavailableError(f"{model}: no such directory, and not a model name such as owner/name")

    def load_model(self, class_name: str, model_type: str, used: Iterable[str]) -> Any:
        """Load a model's configuration and weights, in float32, for inference.

        Weights are read from safetensors, or from a .bin by torch's weights-only reader: nothing is unpickled
        that could run code, and no code is taken from the hub.

        Args:
            class_name: Class in transformers.
            model_type: What ``config.json`` must call the model.
            used: Beginnings of the names of the weights that are used: each has to be in the file. A model
                that lacks them would go on with random ones.

        Raises:
            UnavailableError: transformers is not installed; the model can't be reached.
            UserError: It is another kind of model, or its weights are damaged or incomplete.
        """
        library = import_transformers()
        with self._explained(library):
            config = library.AutoConfig.from_pretrained(self.model, revision=self.revision or "main")
        if config.model_type != model_type:
            raise UserError(
                f"{self.model}: its config.json says {config.model_type!r}, expected {model_type!r}"
            )
        with self._explained(library):
            model, info = getattr(library, class_name).from_pretrained(
                self.model, revision=self.revision or "main", weights_only=True, output_loading_info=True
            )
        lacking = sorted(name for name in info["missing_keys"] if name.startswith(tuple(used)))
        if lacking:
            raise UserError(
                f"{self.model}: {len(lacking)} of the weights needed are not in it, such as {lacking[0]}. "
                "Is it a version fine-tuned for another task? Take the pretrained model."
            )
        return model.eval().float()

    def load_extractor(self, class_name: str) -> Any:
        """Load the feature extractor (``preprocessor_config.json``): how the model wants its input.

        Raises:
            UnavailableError: It can't be reached.
            UserError: The model has none.
        """
        library = import_transformers()
        with self._explained(library):
            return getattr(library, class_name).from_pretrained(self.model, revision=self.revision or "main")

    def fingerprint(self, *modules: torch.nn.Module) -> None:
        """Take the digest of modules' weights: two models that it calls the same, are."""
        digest = hashlib.sha256()
        for module in modules:
            for name, value in sorted(module.state_dict().items()):
                digest.update(f"{name} {list(value.shape)} {value.dtype}\n".encode())
                digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        self.digest = digest.hexdigest()[:16]

    @contextlib.contextmanager
    def _explained(self, library: Any) -> Iterator[None]:
        """transformers' exceptions as ours; its tables, notes and progress bars not at all."""
        verbosity = library.logging.get_verbosity()
        library.logging.set_verbosity_error()
        library.logging.disable_progress_bar()
        local = Path(self.model).is_dir()
        try:
            yield
        except UserError:
            raise
        except Exception as error:  # OSError, but the readers of weights raise whatever they like
            text = " ".join(str(error).split())
            if not local and isinstance(error, OSError):
                raise UnavailableError(
                    f"{self.model}: is not available from the Hugging Face hub, and is not in its cache "
                    f"({text[:200]}). Give the path of a downloaded copy, or check the connection."
                ) from None
            raise UserError(f"{self.model}: cannot be loaded: {type(error).__name__}: {text[:400]}") from None
        finally:
            library.logging.set_verbosity(verbosity)
            library.logging.enable_progress_bar()


def import_transformers() -> Any:
    """The transformers package.

    Raises:
        UnavailableError: It is not installed.
        UserError: It, or what it imports, is broken.
    """
    # The first import of a model's class would ask whether TensorFlow is there, and load it.
    os.environ.setdefault("USE_TF", "0")
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise UnavailableError(f"transformers cannot be imported ({error}): {INSTALL}") from None
    except Exception as error:
        raise UserError(
            f"transformers is installed but broken ({error}). Beside a CPU build of torch, torchaudio may be "
            "the cause: python tools/fix_torchaudio.py; python tools/check_install.py says more"
        ) from None
    return transformers
