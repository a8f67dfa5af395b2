"""The programs the tests want beside Python: a browser and the grown-up engines; found, or installed by apt-get."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.browser import find_chromium

GST_PYTHON = "/usr/bin/python3"
"""The system's Python, which has GStreamer's bindings when they are installed."""
GST_ASKED = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; \
Gst.init(None); print(all(map(Gst.ElementFactory.find, ('x264enc', 'x265enc', 'rtph264pay', 'alawenc'))))"
POSTGRES_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")


@dataclass(frozen=True)
class Tools:
    """Paths of what is there, "" for what is not."""

    chromium: str
    chinese_font: str
    postgres: str
    redis: str
    gst: str
    sipp: str


PACKAGES = {
    "chromium": "chromium",
    "chinese_font": "fonts-noto-cjk",
    "postgres": "postgresql",
    "redis": "redis-server",
    "gst": "gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly",
    "sipp": "sip-tester",
}
MEANT_FOR = {
    "chromium": "tests marked `browser`",
    "chinese_font": "readable Chinese in the browser tests' pictures",
    "postgres": "tests marked `database` on PostgreSQL",
    "redis": "tests marked `stream` on Redis 7",
    "gst": "live pictures from a second RTSP server",
    "sipp": "signalling with SIPp, a device that is not ours",
}


def find(chromium: str) -> Tools:
    """What of it this machine has; `chromium` is the path asked for, or ""."""
    return Tools(
        chromium=find_chromium(chromium) or "",
        chinese_font=_chinese_font(),
        postgres=_initdb_folder(),
        redis=_redis_7(),
        gst=gst_server(),
        sipp=sipp(),
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
    return [package for name, line in PACKAGES.items() if not getattr(tools, name) for package in line.split()]


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


def gst_server() -> str:
    """The Python that can serve by GStreamer's RTSP server, or ""."""
    if not Path(GST_PYTHON).exists():
        return ""
    told = subprocess.run([GST_PYTHON, "-c", GST_ASKED], capture_output=True, text=True, cwd="/")
    return GST_PYTHON if told.stdout.strip() == "True" else ""


def sipp() -> str:
    """The path of SIPp, or ""."""
    return shutil.which("sipp") or ""


def _redis_7() -> str:
    there = shutil.which("redis-server") or ""
    if not there:
        return ""
    told = subprocess.run([there, "--version"], capture_output=True, text=True).stdout
    major = told.partition("v=")[2].partition(".")[0]
    return there if major.isdigit() and int(major) >= 7 else ""
