"""A build in a process of its own: what it says, how it fails, and that it ends with the one that waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pullfocus.engines.build_process import BuildProcess
from pullfocus.engines.builder import Order
from pullfocus.engines.cuda_errors import gpu_failures
from pullfocus.engines.gpu import find_gpu
from pullfocus.engines.runtime import facts_of
from pullfocus.engines.store import Store
from pullfocus.kernels.errors import EngineError

from .command import wait_for
from .fake_runtime import GOOD, GPU


def order(place: Path, engine: str = "tensorrt") -> Order:
    return Order(engine, place / "net.safetensors", (192, 352), place / "store")


def started(place: Path, script: str) -> BuildProcess:
    return BuildProcess(order(place), place / "log", [sys.executable, "-c", script])


def test_an_order_survives_the_way_to_the_other_process(tmp_path: Path) -> None:
    assert Order.read(order(tmp_path).written()) == order(tmp_path)
    assert order(tmp_path).quality == "fast"


def test_a_build_says_when_it_begins_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started(tmp_path, 'print(\'{"stage": "building"}\')').wait()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "note: tensorrt 192 × 352: building, once for this GPU"
    assert err.splitlines()[1].startswith("note: tensorrt 192 × 352: built in ")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            'print(\'{"error": "tensorrt: cannot be built: no"}\'); raise SystemExit(2)',
            "^tensorrt: cannot be built: no$",
        ),
        ("import os; os.abort()", "ended with code -6 while starting; .*log may say why"),
        ("raise MemoryError('CUDA out of memory')", "its build ran out of memory; out of GPU memory; close other"),
        ("print('no JSON'); raise SystemExit(3)", "ended with code 3"),
    ],
)
def test_a_build_that_fails_is_one_line(tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught:
        started(tmp_path, script).wait()
    assert "\n" not in str(caught.value)


def test_ctrl_c_ends_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = started(
        tmp_path, f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    wait_for(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text() != "")

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pullfocus.engines.build_process.sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        job.wait()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_build_ends_with_the_program_that_asked_for_it(tmp_path: Path) -> None:
    """As when that program is killed: its end of the pipe is closed."""
    script = "from pullfocus.engines.builder import _die_with_parent as die; print('up', flush=True); die()"
    process = subprocess.Popen([sys.executable, "-P", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"up\n"
    time.sleep(0.1)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(60) == 1
    process.stdout.close()


PLAYED = """
import sys
sys.path.insert(0, sys.argv[1])
from pullfocus.engines import builder
from tests.fake_runtime import GPU, FakeRuntime, plane_reference

class Loud(FakeRuntime):
    def compile(self, *given):
        print("a library prints what it likes", flush=True)
        return super().compile(*given)

builder.find_gpu, builder.reference = lambda: GPU, plane_reference
builder.runtime_of = lambda name, gpu: Loud()
sys.exit(builder.main(sys.argv[2]))
"""


def test_the_real_builder_fills_the_store(tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"weights")
    wanted, root = order(tmp_path), Path(__file__).parents[1]
    BuildProcess(wanted, tmp_path / "log", [sys.executable, "-P", "-c", PLAYED, str(root), wanted.written()]).wait()
    facts = facts_of("tensorrt", GPU, wanted.model, wanted.net_hw)
    stored = Store(wanted.store).find(facts)
    assert stored is not None
    assert stored.data == GOOD
    assert "a library prints what it likes" in (tmp_path / "log").read_text()


def test_the_real_builder_says_why_it_cannot(tmp_path: Path) -> None:
    try:
        find_gpu()
    except EngineError as error:
        why = str(error)
    else:
        pytest.skip("there is a GPU here")
    with pytest.raises(EngineError) as caught:
        BuildProcess(order(tmp_path), tmp_path / "log").wait()
    assert str(caught.value) == why
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"), "torch: out of GPU memory; close other"),
        (RuntimeError("CUDA error: no kernel image\npages of advice"), "torch: CUDA error: no kernel image"),
        (RuntimeError(""), "torch: RuntimeError"),
    ],
)
def test_what_torch_throws_is_one_line(error: RuntimeError, words: str) -> None:
    with pytest.raises(EngineError, match=words) as caught, gpu_failures("torch"):
        raise error
    assert "\n" not in str(caught.value)
