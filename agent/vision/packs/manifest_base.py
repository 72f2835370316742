"""What the manifest of every pack has, whatever its models are for: files, licence, where from.

A manifest is ``models/NAME.toml`` beside the ``agent`` package; every table here is a table there.
"""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
PACK_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
GitBlob = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
FileName = Annotated[str, Field(pattern=FILE_NAME)]
HttpsAddress = Annotated[str, Field(pattern=r"^https://")]
SizeBytes = Annotated[int, Field(ge=1, le=1 << 30)]
Three = tuple[float, float, float]
Basis = Literal["measured", "published", "provisional"]
"""Whose figures: ours, the model's authors', or too few comparisons to trust."""


class ManifestTable(BaseModel):
    """A table of a manifest: it cannot be changed and knows no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Licence(ManifestTable):
    """Under what terms the files may be used; one that is not free must be accepted by name."""

    spdx: str
    free_for_commercial_use: bool
    text: str


class Download(ManifestTable):
    """One file to fetch: a release of a Python package, by pip, or a file over https.

    A download has a sha256 or, where only that is known, a git blob id: so it does not matter which
    of ``urls`` it comes from, and they are tried in their order. One with neither package nor urls
    can only be brought along (``--from DIR``).
    """

    file: FileName
    sha256: Sha256 | None = None
    git_blob: GitBlob | None = None
    largest_bytes: SizeBytes
    package: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    release: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.+!-]+$")
    urls: tuple[HttpsAddress, ...] = ()

    @model_validator(mode="after")
    def _one_pin_and_one_way(self) -> "Download":
        if (self.sha256 is None) == (self.git_blob is None):
            raise ValueError("needs either sha256 or git_blob")
        if (self.package is None) != (self.release is None):
            raise ValueError("package and release belong together")
        if self.package is not None and (self.urls or self.sha256 is None):
            raise ValueError("a package needs sha256 and no urls")
        return self


class PackOriginal(ManifestTable):
    """A file as its authors made it, and how it comes out of a download.

    ``original`` names it inside the download, with its own sha256 where that is known.
    """

    download: FileName
    unpack: Literal["none", "tar", "bz2", "zip"] = "none"
    member: str | None = None
    original: FileName
    original_sha256: Sha256 | None = None
    original_largest_bytes: SizeBytes

    @model_validator(mode="after")
    def _member_of_an_archive(self) -> "PackOriginal":
        if (self.unpack in ("tar", "zip")) != (self.member is not None):
            raise ValueError("member is for unpack = 'tar' and 'zip', and needed there")
        return self


class PackFile(PackOriginal):
    """One installed file and what it is made from.

    ``sha256`` and ``size_bytes`` are of the installed file. Where the original cannot be had to
    measure them they are absent: then the file is held to what was written down at install.
    ``companion`` is the second original of a conversion that needs two: the weights, where the
    original is the network's description.
    """

    name: FileName
    sha256: Sha256 | None = None
    size_bytes: SizeBytes | None = None
    conversion: Literal[
        "none", "dlib-network-to-onnx", "dlib-shape-to-arrays", "openvino-to-onnx"
    ] = "none"
    companion: PackOriginal | None = None

    @model_validator(mode="after")
    def _companion_of_a_description(self) -> "PackFile":
        if (self.conversion == "openvino-to-onnx") != (self.companion is not None):
            raise ValueError("companion is for conversion = 'openvino-to-onnx', and needed there")
        return self


class PackManifest(ManifestTable):
    """What every pack has."""

    name: str = Field(pattern=PACK_NAME)
    version: str
    description: str
    licence: Licence
    for_tests_only: bool = Field(default=False, description="never offered where a pack is chosen")
    download: tuple[Download, ...] = ()
    file: tuple[PackFile, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _downloads_are_declared(self) -> "PackManifest":
        names = [file.name for file in self.file]
        downloads = [download.file for download in self.download]
        originals = [one for file in self.file for one in (file, file.companion) if one is not None]
        missing = [one.download for one in originals if one.download not in downloads]
        if missing:
            raise ValueError(f"no such [[download]]: {', '.join(missing)}")
        if len(set(names)) != len(names) or len(set(downloads)) != len(downloads):
            raise ValueError("two files or two downloads of one name")
        return self

    def undeclared(self, names: Iterable[str | None]) -> list[str]:
        """Those of ``names`` that no [[file]] has."""
        declared = {file.name for file in self.file}
        return [name for name in names if name is not None and name not in declared]
