"""Replays the Dockerfile without a container engine: each stage in an overlay of this machine, in a mount namespace.

    python -m tests.deploy.replay [--install] [--port 8000]

Every instruction runs as it stands there, RUN by `chroot`; `FROM python:…` is this machine (Debian) with the Python
that runs this. The end is the image's command as its user: no privilege, a read-only root, /tmp and the volume
writable, and nothing in the environment but what the image and `docker run -e` give. Without `--install`, what
`pip install` would bring is taken from the environment of this Python. Needs root and the right to mount; nothing
outside the overlays is written.
"""

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEBIAN_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
KNOWN = {"FROM", "ENV", "ARG", "RUN", "COPY", "WORKDIR", "USER", "EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "CMD"}


@dataclass
class Stage:
    """One stage: its name, and its instructions, each a word and what follows it."""

    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile. Raises ValueError on an instruction that is not replayed."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, rest = line.split(None, 1)
        if word not in KNOWN:
            raise ValueError(f"{word} is not replayed.")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(name or str(len(found)), base))
        else:
            found[-1].steps.append((word, rest.strip()))
    return found


def context_of(root: Path, target: Path) -> Path:
    """Copy what Docker would send to the builder: everything but what `.dockerignore` names."""
    patterns = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    def ignored(folder: str, names: list[str]) -> list[str]:
        place = Path(folder).relative_to(root)
        return [name for name in names if any(_matches(str(place / name), one) for one in patterns)]

    shutil.copytree(root, target, ignore=ignored, symlinks=True)
    return target


def _matches(path: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(f"/{path}" if pattern.startswith("**/") else path, pattern.replace("**/", "*/"))


@dataclass
class Image:
    """What a replayed stage says about itself."""

    environment: dict[str, str] = field(default_factory=lambda: {"PATH": DEBIAN_PATH})
    folder: str = "/"
    user: str = "0:0"
    volumes: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def script_of(
    dockerfile: str, work: Path, *, given: Mapping[str, str], commands: Sequence[Sequence[str]], install: bool = False
) -> str:
    """Return a shell script that replays everything and then runs `commands`, the last one as its own process.

    `given` is what `docker run -e` would give. Run it by `unshare --mount`.
    """
    lines, image = ["set -eu"], Image()
    for stage in stages(dockerfile):
        image, root = Image(), work / stage.name / "root"
        lines += _overlay(work / stage.name)
        for word, rest in stage.steps:
            lines += _step(word, rest, image, root, work, install=install)
    volumes = [line for name in image.volumes for line in _volume(work, root, name)]
    lines += [f"mount -o remount,ro {root}", f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp", *volumes]  # noqa: S108  the image's
    lines += [] if install else _seen_in_tmp(root)
    final = image.environment | given
    starts = [_inside(root, final, image.folder, shlex.join(one), image.user) for one in commands or [image.command]]
    return "\n".join([*lines, *starts[:-1], f"exec {starts[-1]}", ""])


def _overlay(place: Path) -> list[str]:
    """Return what mounts a copy of this machine's root, in which everybody reaches this Python."""
    root, python = place / "root", f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    reached = (Path(sys.base_prefix), Path(sysconfig.get_path("purelib")))
    ways = {f"{root}{folder}" for one in reached for folder in (*one.parents, *one.resolve().parents)}
    wrapper = shlex.quote(f'#!/bin/sh\nexec {python} "$@"\n')
    return [
        f"mkdir -p {place}/upper {place}/work {root}",
        f"mount -t overlay overlay -o lowerdir=/,upperdir={place}/upper,workdir={place}/work {root}",
        f"mount --bind /proc {root}/proc",
        f"mount --rbind /dev {root}/dev",
        f"chmod a+x {' '.join(sorted(ways))}",
        f"printf {wrapper} > {root}/usr/local/bin/python",
        f"chmod 755 {root}/usr/local/bin/python",
        f"rm -rf {root}/app {root}/opt/venv",
    ]


def _seen_in_tmp(root: Path) -> list[str]:
    """Return what shows this Python's packages below the image's own /tmp, where a checkout in /tmp has them."""
    packages = Path(sysconfig.get_path("purelib")).resolve()
    if not packages.is_relative_to("/tmp"):  # noqa: S108  the machine's
        return []
    return [f"mkdir -p {root}{packages}", f"mount --bind {packages} {root}{packages}"]


def _step(word: str, rest: str, image: Image, root: Path, work: Path, *, install: bool) -> list[str]:
    """Return the lines that replay one instruction, and note what it says about the image."""
    if word in ("ENV", "ARG"):
        for one in shlex.split(rest):
            name, _, value = one.partition("=")
            value = os.environ.get(f"REPLAY_{name}", value) if word == "ARG" else value
            image.environment[name] = re.sub(r"\$(\w+)", lambda found: image.environment.get(found[1], ""), value)
    elif word == "WORKDIR":
        image.folder = rest
        return [f"mkdir -p {root}{rest}"]
    elif word == "USER":
        image.user = rest
    elif word == "VOLUME":
        image.volumes.append(rest)
    elif word == "CMD":
        image.command = json.loads(rest)
    elif word == "HEALTHCHECK":
        image.health = json.loads(rest.split("CMD", 1)[1])
    elif word == "COPY":
        return [_copy(rest, image, root, work)]
    elif word == "RUN" and "pip install" in rest and not install:
        pth = f"{root}/opt/venv/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/here.pth"
        return [f"echo {sysconfig.get_path('purelib')} > {pth}"]
    elif word == "RUN":
        return [_inside(root, image.environment, image.folder, rest, image.user)]
    return []


def _copy(rest: str, image: Image, root: Path, work: Path) -> str:
    words = rest.split()
    source = work / "context"
    if words[0].startswith("--from="):
        source = work / words.pop(0).removeprefix("--from=") / "root"
    *sources, target = words
    place = root / target.lstrip("/") if target.startswith("/") else root / image.folder.lstrip("/") / target
    whole = target.endswith("/") or (len(sources) == 1 and sources[0] == ".")
    froms = [f"{source}/{one.lstrip('/')}{'/.' if one == '.' else ''}" for one in sources]
    return f"mkdir -p {place if whole else place.parent} && cp -a {' '.join(froms)} {place}"


def _inside(root: Path, environment: Mapping[str, str], folder: str, command: str, user: str) -> str:
    """Return what runs a command in the stage, with this environment alone; without any privilege if not as root."""
    names = " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())
    uid, gid = user.split(":")
    drop, go = "", ""
    if uid != "0":
        drop = f"setpriv --reuid {uid} --regid {gid} --clear-groups --bounding-set -all --inh-caps -all --no-new-privs "
        go = "exec "
    return f"chroot {root} env -i {names} {drop}sh -c {shlex.quote(f'cd {folder} && {go}{command}')}"


def _volume(work: Path, root: Path, name: str) -> list[str]:
    """Return what mounts a writable volume, which takes over the owner of the folder in the image."""
    place = f"{work}/volume{name}"
    return [f"mkdir -p {place}", f"chown --reference={root}{name} {place}", f"mount --bind {place} {root}{name}"]


def may_mount() -> bool:
    """Tell whether this process may make overlays in a namespace of its own."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        made = f"cd {folder} && mkdir u w r && mount -t overlay overlay -o lowerdir=/,upperdir=u,workdir=w r"
        done = subprocess.run(["unshare", "--mount", "sh", "-c", made], capture_output=True, check=False)
        return done.returncode == 0


def main() -> None:
    """Replay, with the private servers of nobody: the environment names a database and a Redis."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="install every package, as the image does")
    parser.add_argument("--port", default="8000")
    options = parser.parse_args()
    if not may_mount():
        sys.exit("This needs root, and the right to mount.")
    given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
    given |= {"PORT": options.port, "SECRET_KEY": os.urandom(40).hex(), "ALLOWED_HOSTS": "localhost"}
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        work = Path(folder)
        work.chmod(0o755)
        context_of(ROOT, work / "context")
        commands = [["deploy/start", "manage", "check", "--deploy"]]
        if "DATABASE_URL" in given:
            commands = [["deploy/start", "migrate"], ["deploy/start", "web"]]
        text = (ROOT / "Dockerfile").read_text()
        script = script_of(text, work, given=given, commands=commands, install=options.install)
        sys.exit(subprocess.run(["unshare", "--mount", "sh", "-c", script], check=False).returncode)


if __name__ == "__main__":
    main()
