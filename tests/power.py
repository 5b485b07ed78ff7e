"""What a disk may hold after a power loss, from the syncs and renames that a run really made.

A file's bytes are sure once the file was synced, a name once its folder was synced after the name came about. Before every
sync and rename, and at the end, the power may fail; then the disk holds one of these:

    sure        only what is sure
    names       all names, and of files that were not synced nothing
    half        all names, and of files that were not synced the first half
    all         everything, as after a kill
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

Tree = dict[str, bytes | None]  # path -> content; a folder has none
KINDS = ("sure", "names", "half", "all")


class Disk:
    """Watches everything below `root`, where all that is there now is sure."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.content: dict[int, bytes] = {}
        self.names: dict[int, dict[str, int]] = {}
        for path in [root, *root.rglob("*")]:
            self._synced(path)
        self.states: dict[str, list[Tree]] = {kind: [] for kind in KINDS}
        self.moments = 0

    def _synced(self, path: Path) -> None:
        if path.is_dir():
            self.names[path.stat().st_ino] = {child.name: child.stat().st_ino for child in path.iterdir()}
        else:
            self.content[path.stat().st_ino] = path.read_bytes()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this runs, every sync and rename is a moment at which the power may fail."""
        real = {name: getattr(os, name) for name in ("fsync", "rename", "replace")}

        def sync(handle: int) -> None:
            self.fail()
            real["fsync"](handle)
            self._synced(Path(os.readlink(f"/proc/self/fd/{handle}")))

        def move(name: str) -> Callable[..., None]:
            def moved(*places: object, **more: object) -> None:
                self.fail()
                real[name](*places, **more)

            return moved

        with (
            mock.patch.object(os, "fsync", sync),
            mock.patch.object(os, "rename", move("rename")),
            mock.patch.object(os, "replace", move("replace")),
        ):
            yield
        self.fail()

    def fail(self) -> None:
        """Notes what may be found after a power loss at this moment."""
        self.moments += 1
        for kind in KINDS:
            state = self._sure() if kind == "sure" else self._now(kind)
            if state not in self.states[kind]:
                self.states[kind].append(state)

    def _sure(self) -> Tree:
        def below(folder: int, prefix: str) -> Tree:
            tree: Tree = {}
            for name, number in self.names.get(folder, {}).items():
                if number in kinds and kinds[number].is_dir():
                    tree[f"{prefix}{name}"] = None
                    tree |= below(number, f"{prefix}{name}/")
                else:
                    tree[f"{prefix}{name}"] = self.content.get(number, b"")
            return tree

        kinds = {path.stat().st_ino: path for path in self.root.rglob("*")}
        return below(self.root.stat().st_ino, "")

    def _now(self, kind: str) -> Tree:
        tree: Tree = {}
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if path.is_dir():
                tree[name] = None
                continue
            now = path.read_bytes()
            sure = self.content.get(path.stat().st_ino, b"")
            tree[name] = now if kind == "all" or sure == now else sure if kind == "names" else now[: len(now) // 2]
        return tree


def laid_out(tree: Tree, place: Path) -> Path:
    """The tree as files in a new folder `place`."""
    place.mkdir(parents=True)
    for name, content in sorted(tree.items()):
        path = place / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return place
