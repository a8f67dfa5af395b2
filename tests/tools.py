"""The programs the tests want beside Python: a browser and the grown-up engines; found, or installed by apt-get."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.browser import find_chromium

POSTGRES_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")


@dataclass(frozen=True)
class Tools:
    """Paths of what is there, "" for what is not."""

    chromium: str
    chinese_font: str
    postgres: str
    redis: str


PACKAGES = {
    "chromium": "chromium",
    "chinese_font": "fonts-noto-cjk",
    "postgres": "postgresql",
    "redis": "redis-server",
}
MEANT_FOR = {
    "chromium": "tests marked `browser`",
    "chinese_font": "readable Chinese in the browser tests' pictures",
    "postgres": "tests marked `database` on PostgreSQL",
    "redis": "tests marked `stream` on Redis 7",
}


def find(chromium: str) -> Tools:
    """What of it this machine has; `chromium` is the path asked for, or ""."""
    return Tools(
        chromium=find_chromium(chromium) or "",
        chinese_font=_chinese_font(),
        postgres=_initdb_folder(),
        redis=_redis_7(),
    )


def provide(chromium: str) -> Tools:
    """Find them; install what is missing when root on Debian; say exactly what to install otherwise."""
    tools = find(chromium)
    missing = _missing(tools)
    if missing and _may_install():
        print(f"Gridwall: installing {' '.join(missing)} with apt-get ...", flush=True)
        _apt_get("update")
        _apt_get("install", "--yes", "--no-install-recommends", *missing)
        tools = find(chromium)
    for name, package in PACKAGES.items():
        if not getattr(tools, name):
            print(f"not run: {MEANT_FOR[name]}. Install: apt-get install {package}", flush=True)
    return tools


def _missing(tools: Tools) -> list[str]:
    return [package for name, package in PACKAGES.items() if not getattr(tools, name)]


def _may_install() -> bool:
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def _apt_get(*arguments: str) -> None:
    """A failure is not the end: what is still missing is named afterwards."""
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Acquire::Retries=3", *arguments]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        print(f"Gridwall: `{' '.join(command[2:])}` failed", flush=True)


def _chinese_font() -> str:
    if shutil.which("fc-list") is None:
        return ""
    told = subprocess.run(["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True)
    return told.stdout.partition("\n")[0].strip()


def _initdb_folder() -> str:
    """The folder of PostgreSQL's programs, the newest of several; Debian keeps them off PATH."""
    found = [path for pattern in POSTGRES_FOLDERS for path in Path("/").glob(pattern[1:]) if (path / "initdb").exists()]
    if found:
        return str(max(found, key=lambda path: [int(part) for part in path.parts if part.isdigit()]))
    there = shutil.which("initdb")
    return str(Path(there).parent) if there else ""


def _redis_7() -> str:
    there = shutil.which("redis-server") or ""
    if not there:
        return ""
    told = subprocess.run([there, "--version"], capture_output=True, text=True).stdout
    major = told.partition("v=")[2].partition(".")[0]
    return there if major.isdigit() and int(major) >= 7 else ""
