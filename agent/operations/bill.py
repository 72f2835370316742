"""The bill of materials (SBOM): what this agent is made of, with licences, as CycloneDX 1.6.

    packages   what requirements/runtime.txt locks, by the metadata of what is installed
    packs      what models/*.toml offer, whether installed here or not

A package of Debian carries its own, made when it was built, with the hash of each wheel; a source
checkout makes it anew.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from agent.errors import UnavailableError
from agent.vision.packs.manifest import offered_names, read_any_manifest
from agent.vision.packs.manifest_base import PackManifest
from agent.vision.packs.place import manifest_dir

SPEC_VERSION = "1.6"
SHIPPED = Path("share", "gate-agent", "sbom.cdx.json")
"""Where a package's environment has its own."""
_LOCK = Path("requirements", "runtime.txt")
_OWN = "gate-agent"
_NAMESPACE = uuid.UUID("8f3c2a4e-64c5-4d0b-9d4b-0a6f5a1d7c11")
_CLASSIFIER = "License :: "
# The trove classifiers and short texts that say one licence of the SPDX list, and no other.
_SPDX = {
    "Apache Software License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "The Unlicense (Unlicense)": "Unlicense",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
}
_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_SHORT = 64


@dataclass(frozen=True, slots=True)
class Package:
    """One that is locked; ``spdx`` is an expression, ``licence`` what it says where it has none."""

    name: str
    version: str
    spdx: str | None = None
    licence: str | None = None
    sha256: str | None = None
    brought: tuple[str, ...] = ()
    """Libraries that its wheel brings along, by the names that the linker knows them by."""


def bill(prefix: Path) -> dict[str, Any]:
    """That of the environment at ``prefix`` where it carries one, else that of this checkout.

    Raises:
        UnavailableError: there is neither, or it cannot be read.
    """
    shipped = prefix / SHIPPED
    try:
        return dict(json.loads(shipped.read_bytes()))
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise UnavailableError(
            f"{shipped} cannot be read", "install the package again: apt reinstall gate-agent"
        ) from error
    lock = manifest_dir().parent / _LOCK
    try:
        locked = lock.read_text("utf-8")
    except OSError as error:
        raise UnavailableError(
            f"{lock}: {error.strerror}", "run this in a checkout, or with the package of Debian"
        ) from error
    own, packages = packages_of(distributions(), locked_names(locked))
    return document(own, packages, offered_packs())


def locked_names(lock: str) -> set[str]:
    """The names in the text of a lock, spelt as packages are compared."""
    return {_canonical(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}


def packages_of(
    installed: Iterable[Distribution], names: set[str], sha256: Mapping[str, str] | None = None
) -> tuple[str, list[Package]]:
    """The agent's version, and those of ``names`` that are installed, by name.

    A lock is for every system, so some of its names are not.
    """
    found: dict[str, Package] = {}
    own = ""
    for one in installed:
        name = _canonical(one.metadata["Name"])
        if name == _OWN:
            own = own or one.version
        elif name in names and name not in found:
            spdx, licence = _licence(one)
            digest = (sha256 or {}).get(name)
            found[name] = Package(name, one.version, spdx, licence, digest, _brought(one))
    return own, [found[name] for name in sorted(found)]


def offered_packs() -> list[PackManifest]:
    """The manifests of all model packs, by name."""
    return [read_any_manifest(name) for name in offered_names()]


def document(
    own: str,
    packages: Sequence[Package],
    packs: Sequence[PackManifest],
    made: datetime | None = None,
) -> dict[str, Any]:
    """The bill as CycloneDX has it; the same parts and time make the same one."""
    root = f"pkg:generic/{_OWN}@{own}"
    components = [_package(one) for one in packages]
    components += [_pack(one) for one in packs]
    content = json.dumps([root, components], sort_keys=True)
    metadata: dict[str, Any] = {
        "component": {
            "type": "firmware",
            "bom-ref": root,
            "name": _OWN,
            "version": own,
            "licenses": [{"license": {"id": "Apache-2.0"}}],
        }
    }
    if made is not None:
        metadata["timestamp"] = made.isoformat()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [part["bom-ref"] for part in components]}],
    }


def _package(package: Package) -> dict[str, Any]:
    reference = f"pkg:pypi/{package.name}@{package.version}"
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": package.name,
        "version": package.version,
        "purl": reference,
    }
    if package.spdx is not None:
        made["licenses"] = [{"expression": package.spdx}]
    elif package.licence is not None:
        made["licenses"] = [{"license": {"name": package.licence}}]
    if package.sha256 is not None:
        made["hashes"] = [_sha256(package.sha256)]
    if package.brought:
        made["components"] = [
            {"type": "library", "bom-ref": f"{reference}#{name}", "name": name}
            for name in package.brought
        ]
    return made


def _pack(pack: PackManifest) -> dict[str, Any]:
    reference = f"pack:{pack.name}@{pack.version}"
    licence = pack.licence.spdx
    shown = (
        {"license": {"name": licence}}
        if licence.startswith("LicenseRef")
        else {"expression": licence}
    )
    return {
        "type": "machine-learning-model",
        "bom-ref": reference,
        "name": pack.name,
        "version": pack.version,
        "description": pack.description,
        "licenses": [shown],
        "components": [
            {
                "type": "file",
                "bom-ref": f"{reference}#{file.name}",
                "name": file.name,
                **({"hashes": [_sha256(file.sha256)]} if file.sha256 else {}),
            }
            for file in pack.file
        ],
    }


def _sha256(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest}


def _brought(one: Distribution) -> tuple[str, ...]:
    # auditwheel and its like lay them into NAME.libs, with a part of their hash in the name.
    inside = [file for file in one.files or () if file.parts[0].endswith(".libs")]
    names = {re.sub(r"-[0-9a-f]{8}(?=[-.])", "", file.name) for file in inside}
    return tuple(sorted(name for name in names if ".so" in name))


def _licence(one: Distribution) -> tuple[str | None, str | None]:
    said = one.metadata.get_all("License-Expression") or ()
    if said:
        return said[0], None
    named = [
        line.rpartition(" :: ")[2]
        for line in one.metadata.get_all("Classifier") or ()
        if line.startswith(_CLASSIFIER)
    ]
    short = "".join(one.metadata.get_all("License") or ()).strip()
    if _EXPRESSION.fullmatch(short) and short.partition(" ")[0] not in {"UNKNOWN", "BSD", "Apache"}:
        return short, None
    texts = named or ([short] if 0 < len(short) <= _SHORT and "\n" not in short else [])
    known = [_SPDX[text] for text in texts if text in _SPDX]
    if known and len(known) == len(texts):
        return " OR ".join(known), None
    return None, ", ".join(texts) or None


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
