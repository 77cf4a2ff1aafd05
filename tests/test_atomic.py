"""Results appear whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pullfocus.engines.atomic import check_distinct, check_target, write_text, written_aside
from pullfocus.kernels.errors import InputError, OutputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail_after_writing(path: Path, error: BaseException) -> None:
    with written_aside(path) as aside:
        aside.write_text("half")
        raise error


def test_result_appears_only_at_the_end(tmp_path: Path) -> None:
    with written_aside(tmp_path / "a.txt") as aside:
        aside.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
        assert aside.suffix == ".txt"  # writers choose the format by the ending
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert names(tmp_path) == ["a.txt"]


def test_existing_file_is_replaced_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOENT, "gone")], ids=repr)
@pytest.mark.parametrize("old", [None, "old"])
def test_nothing_changes_when_the_work_fails(tmp_path: Path, error: BaseException, old: str | None) -> None:
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_text(old)
    with pytest.raises(type(error)) as caught:
        fail_after_writing(path, error)
    assert caught.value is error
    assert names(tmp_path) == ([] if old is None else ["a.txt"])
    assert old is None or path.read_text() == old


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_disk_errors_become_an_output_error_that_names_the_file(tmp_path: Path, code: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OutputError, match=rf"a\.txt: cannot write \({os.strerror(code)}\); it was not changed"):
        fail_after_writing(path, OSError(code, os.strerror(code)))
    assert names(tmp_path) == ["a.txt"]
    assert path.read_text() == "old"


def test_full_disk_is_an_output_error(tmp_path: Path) -> None:
    """A real one: the system refuses bytes beyond the limit, as it does when no room is left."""
    code = """
import resource, signal, sys
from pathlib import Path
from pullfocus.kernels.errors import OutputError
from pullfocus.engines.atomic import write_text
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_text(Path(sys.argv[1]), "x" * 5000)
except OutputError as error:
    print(error)
"""
    target = tmp_path / "a.txt"
    done = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True)
    assert f"{target}: cannot write (File too large)" in done.stdout
    assert names(tmp_path) == []


def test_targets_that_cannot_be_are_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.mp4").touch()
    with pytest.raises(InputError, match="is a folder"):
        check_target(tmp_path, overwrite=True)
    with pytest.raises(InputError, match="pass --overwrite"):
        check_target(tmp_path / "old.mp4", overwrite=False)
    with pytest.raises(InputError, match="does not exist; create it first"):
        check_target(tmp_path / "no" / "new.mp4", overwrite=False)
    check_target(tmp_path / "old.mp4", overwrite=True)
    check_target(tmp_path / "new.mp4", overwrite=False)

    def never(*_: object) -> bool:
        return False

    monkeypatch.setattr(os, "access", never)  # root may write everywhere
    with pytest.raises(InputError, match="is not writable"):
        check_target(tmp_path / "new.mp4", overwrite=False)


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(InputError, match="/dev/null is a device"):
        check_target(Path("/dev/null"), overwrite=True)


def test_two_outputs_need_two_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_distinct([Path("a.mp4"), None, Path("b.mp4"), None])
    with pytest.raises(InputError, match=r"a\.mp4 is named for two files"):
        check_distinct([Path("a.mp4"), Path("b.mp4"), tmp_path / "a.mp4"])
    with pytest.raises(InputError, match="two files"):
        check_distinct([Path("a.mp4"), tmp_path / "new" / ".." / "a.mp4"])
