"""What is installed is what was checked out: from the built wheel, an editable install and the checkout itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from chipsim import catalog
from chipsim.cli import doctor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
SLOW_TO_IMPORT = ("numba", "matplotlib", "sklearn", "scipy")
FOLDERS = ("hw_configs", "models")
pytestmark = pytest.mark.xdist_group("packaging")  # one worker, so that the wheel is built once


def call(*command: str | Path, cwd: Path, path: str = "") -> str:
    """Run a command outside the checkout and return what it printed."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ({"PYTHONPATH": path} if path else {})
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shipped(folder: str) -> set[str]:
    return {str(file.relative_to(ROOT)) for file in (ROOT / folder).rglob("*.toml")}


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    """Build the source archive, and the wheel from it."""
    out = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    return out


@pytest.fixture(scope="session")
def wheel(built) -> Path:
    (file,) = built.glob("*.whl")
    return file


def fresh_environment(folder: Path, *install: str | Path) -> Path:
    """Make an environment with chipsim as installed from `install` and a view of everything else in this one; return its Python.

    The view is a path file: path files inside it are not read, so an editable chipsim of this environment stays unseen.
    """
    call(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    python = folder / "bin" / "python"
    site = Path(call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install"]
    call(*pip, "--quiet", "--no-deps", "--no-index", "--no-build-isolation", *install, cwd=folder)
    return python


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    return fresh_environment(tmp_path_factory.mktemp("installed") / "env", wheel)


def test_wheel_holds_chipsim_and_nothing_foreign(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    version = wheel.name.split("-")[1]
    assert {name.split("/")[0] for name in names} == {"chipsim", f"chipsim-{version}.dist-info"}
    tables = {f"chipsim/_data/{f}" for k in FOLDERS for f in shipped(k)} | shipped("chipsim")
    assert {n for n in names if n.endswith(".toml")} == tables
    fixtures = {str(file.relative_to(ROOT)) for file in (ROOT / "chipsim" / "validation" / "fixtures").glob("*.csv")}
    assert len(fixtures) == 3 and fixtures <= set(names)
    assert not [n for n in names if "__pycache__" in n or "/tests/" in n]


def test_installed_wheel_finds_what_ships(installed, tmp_path):
    code = (
        "import chipsim, chipsim.catalog as c; print(chipsim.__file__, *(c.roots(k) for k in ('hw_configs', 'models')), sep='|')"
    )
    package, *roots = call(installed, "-c", code, cwd=tmp_path).strip().split("|")
    site = Path(package).parent
    assert ROOT not in site.parents
    for kind, root in zip(FOLDERS, roots, strict=True):
        assert Path(root) == site / "_data" / kind
        assert {f"{kind}/{f.relative_to(root)}" for f in Path(root).rglob("*.toml")} == shipped(kind)


@pytest.mark.parametrize("kind", ["chips", "models"])
def test_installed_command_lists_what_ships(installed, tmp_path, kind):
    answer = json.loads(call(installed.parent / "chipsim", kind, "--json", cwd=tmp_path))
    assert [row["name"] for row in answer[kind]] == catalog.names("hw_configs" if kind == "chips" else kind)


def test_installed_command_reads_a_chip_with_base_and_extension(installed, tmp_path):
    assert "loihi1-ssgd" in call(installed.parent / "chipsim", "chips", "loihi1-ssgd", cwd=tmp_path)
    assert "toy" in call(installed, "-m", "chipsim", "chips", "toy", cwd=tmp_path)


def test_editable_install_finds_the_checkout(tmp_path):
    python = fresh_environment(tmp_path / "env", "--editable", ROOT)
    code = "import chipsim.catalog as c; print(*(c.roots(k) for k in ('hw_configs', 'models')), sep='|')"
    roots = call(python, "-c", code, cwd=tmp_path).strip().split("|")
    assert [Path(root) for root in roots] == [ROOT / kind for kind in FOLDERS]


def test_checkout_finds_its_own(tmp_path):
    answer = json.loads(call(sys.executable, "-m", "chipsim", "chips", "--json", cwd=tmp_path, path=str(ROOT)))
    assert [row["path"] for row in answer["chips"]] == [
        str(ROOT / "hw_configs" / f"{n}.toml") for n in catalog.names("hw_configs")
    ]


@pytest.mark.parametrize("arguments", [None, ["--help"], ["chips"], ["train", "--help"], ["models"], ["doctor"]], ids=str)
def test_light_verbs_import_nothing_heavy(arguments, tmp_path):
    run = f"from chipsim.cli import main; main({arguments!r})" if arguments else "import chipsim"
    code = f"import sys; {run}; print(); print(*[m for m in {SLOW_TO_IMPORT} if m in sys.modules])"
    assert call(sys.executable, "-c", code, cwd=tmp_path, path=str(ROOT)).splitlines()[-1] == ""


def test_doctor_knows_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def packages(requirements: list[str]) -> set[str]:
        return {re.match(r"[A-Za-z0-9-]+", r)[0] for r in requirements}

    extras = {k: packages(v) for k, v in project["optional-dependencies"].items() if k != "test"}
    assert set(doctor.REQUIRED) == packages(project["dependencies"]) - {"tomli"}
    assert {(extra, package) for package, (extra, _) in doctor.EXTRAS.items()} == {(k, p) for k, v in extras.items() for p in v}
