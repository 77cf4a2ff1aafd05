"""How the programs that are no commands of `pullfocus` end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pullfocus.engines.interrupts import StoppedError
from pullfocus.kernels.errors import InputError
from pullfocus.training.tool import one_line_errors


@pytest.mark.parametrize(
    ("error", "code"), [(InputError("got a\nb"), 2), (StoppedError("stopped; go on with a\nb"), 130)]
)
def test_an_error_that_says_what_to_do_is_one_line(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    with pytest.raises(SystemExit) as ended, one_line_errors():
        raise error
    assert ended.value.code == code
    assert capsys.readouterr().err == f"pullfocus: {' '.join(str(error).split())}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there such a name is one that leads nowhere")
def test_a_name_that_the_system_refuses_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, one_line_errors():
        Path("n" * 300).read_bytes()
    assert ended.value.code == 2
    assert "(300 characters)" in capsys.readouterr().err


def test_a_fault_of_the_program_is_not_hidden() -> None:
    with pytest.raises(FileNotFoundError), one_line_errors():
        Path("no such file").read_bytes()
