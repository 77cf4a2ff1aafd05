"""`pullfocus engine`: the compiled engines of this machine."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console
from rich.table import Table

from ..engines.build import Compiled
from ..engines.build_process import Progress
from ..engines.builder import Order, build_into_store, reference
from ..engines.checkpoint import locate
from ..engines.finding import find_gpu_engines
from ..engines.gpu import Gpu, find_gpu
from ..engines.parity import check as check_parity
from ..engines.runtime import facts_of, net_name, net_of_name, runtime_of, why_stale
from ..engines.shape import net_size
from ..engines.store import Entry, Store
from ..kernels.errors import EngineError
from . import options as o

CURRENT = "fits"

app = typer.Typer(help="Build, list, check and delete the compiled engines of this machine.", no_args_is_help=True)

Place: TypeAlias = Annotated[
    Path | None,
    typer.Option("--store", metavar="FOLDER", envvar="PULLFOCUS_ENGINES", help="where engines are kept"),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
CompiledOption: TypeAlias = Annotated[
    Compiled | None, typer.Option("--engine", help="which to build; without it the fastest that works here")
]


@app.command()
def build(
    engine: CompiledOption = None,
    model: o.Model = "resnet18",
    quality: o.QualityOption = "fast",
    size: Annotated[str, typer.Option(metavar="WxH", help="of the pictures that it is for")] = "1280x720",
    store: Place = None,
    json: AsJson = False,
) -> None:
    """Build an engine now, so that no run has to wait for it."""
    picture_hw = o.parse_size(size)
    assert picture_hw is not None  # only for None
    name, gpu, kept, model_path = engine or _fastest(), _usable_gpu(engine), Store(store), locate(model)
    net_hw = net_size(*picture_hw, quality)
    facts = facts_of(name, gpu, model_path, net_hw)
    what = f"{name} {net_hw[0]} × {net_hw[1]}"
    if kept.find(facts) is None:
        progress = Progress(what)
        parity = build_into_store(
            Order(name, model_path, net_hw, kept.place), runtime_of(name, gpu), facts, progress.show
        )
        progress.done()
        said = f"built; off by {parity} from float32"
    else:
        said = "was built already"
    if json:
        _print({"engine": name, "net": net_name(net_hw), "result": said})
    else:
        print(f"{what}: {said}")


@app.command("list")
def list_engines(store: Place = None, json: AsJson = False) -> None:
    """Show what is kept: sizes, what each was built for, and which no longer fit and why."""
    kept = Store(store)
    rows = [_row(entry, _state(entry)) for entry in kept.entries()]
    _show(kept, rows, json)


@app.command()
def check(store: Place = None, json: AsJson = False) -> None:
    """Read every engine again and compare those that fit this machine with float32; exit code 1 if one fails."""
    kept, rows, failed = Store(store), list[dict[str, str]](), False
    for entry in kept.entries():
        state = _state(entry)
        if state == CURRENT:
            state = _run(kept, entry)
            failed |= not state.startswith(CURRENT)
        failed |= entry.damage() is not None
        rows.append(_row(entry, state))
    _show(kept, rows, json)
    if failed:
        raise typer.Exit(1)


@app.command()
def clear(
    stale: Annotated[bool, typer.Option("--stale", help="only what no longer fits this machine")] = False,
    store: Place = None,
    json: AsJson = False,
) -> None:
    """Delete engines; they are built again when they are needed."""
    kept = Store(store)
    chosen = [entry for entry in kept.entries() if not stale or _state(entry) != CURRENT]
    size_mb = sum(entry.size_bytes for entry in chosen) / 1e6
    for entry in chosen:
        kept.remove(entry)
    if json:
        _print({"deleted": [entry.folder.name for entry in chosen], "mb": round(size_mb, 1)})
    else:
        print(f"deleted {len(chosen)} engines, {size_mb:.1f} MB, of {kept.place}")


def _fastest() -> Compiled:
    for found in find_gpu_engines():
        if found.usable and found.name in ("tensorrt", "tensorrt-rtx"):
            return found.name
    reasons = "; ".join(f"{found.name}: {found.why}" for found in find_gpu_engines()[:2])
    raise EngineError(f"no engine can be built here: {reasons}")


def _usable_gpu(engine: Compiled | None) -> Gpu:
    """Raises EngineError where `engine` cannot run."""
    for found in find_gpu_engines():
        if found.name == engine and not found.usable:
            raise EngineError(f"--engine {engine}: {found.why}")
    return find_gpu()


def _state(entry: Entry) -> str:
    """CURRENT, or why the entry is not used."""
    if (damage := entry.damage()) is not None:
        return f"damaged: {damage}"
    assert entry.manifest is not None  # else it is damaged
    try:
        gpu = find_gpu()
    except EngineError as error:
        return f"stale: {error}"
    changed = why_stale(entry.manifest, gpu)
    return CURRENT if changed is None else f"stale: {changed}"


def _run(kept: Store, entry: Entry) -> str:
    assert entry.manifest is not None
    facts, model = entry.manifest.facts, Path(entry.manifest.notes["model"])
    size_hw, stored = net_of_name(facts["net"]), kept.find(facts)
    if size_hw is None or stored is None:
        return "damaged: its folder has another's name"
    order = Order(facts["engine"], model, size_hw, kept.place)
    try:
        net = runtime_of(order.engine, find_gpu()).load(stored.data, size_hw)
        return f"{CURRENT}; off by {check_parity(net, reference(model, order.quality).infer, size_hw)}"
    except EngineError as error:
        return f"fails: {error}"


def _row(entry: Entry, state: str) -> dict[str, str]:
    facts = entry.manifest.facts if entry.manifest else {}
    notes = entry.manifest.notes if entry.manifest else {}
    return {
        "engine": facts.get("engine", entry.folder.name),
        "net": facts.get("net", "?").replace("x", " × "),
        "model": Path(notes.get("model", "?")).stem,
        "GPU": facts.get("GPU", "?"),
        "precision": facts.get("precision", "?"),
        "MB": f"{entry.size_bytes / 1e6:.1f}",
        "built": notes.get("built", "?")[:10],
        "state": state,
    }


def _show(kept: Store, rows: list[dict[str, str]], as_json: bool) -> None:
    if as_json:
        _print({"store": str(kept.place), "engines": rows})
        return
    if not rows:
        print(f"no engines in {kept.place}")
        return
    table = Table(*rows[0], title=f"engines in {kept.place}")
    for row in rows:
        table.add_row(*row.values())
    Console().print(table)


def _print(content: dict[str, Any]) -> None:
    print(json_format.dumps(content, indent=1))
