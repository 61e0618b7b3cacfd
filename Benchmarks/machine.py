"""What the figures were measured on and with."""
import datetime
import hashlib
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess

VERSIONS = {"PyTorch": "torch", "ONNX Runtime": "onnxruntime", "OpenVINO": "openvino", "FAISS": "faiss-cpu",
            "FastAPI": "fastapi"}


def described(triptych):
    cpu = open("/proc/cpuinfo").read()
    field = lambda name: (re.search(rf"^{name}\s*: (.*)$", cpu, re.M) or [None, "?"])[1]
    wide = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_tile") if re.search(rf"\b{f}\b", cpu)]
    memory = int(re.search(r"MemTotal:\s+(\d+)", open("/proc/meminfo").read())[1]) / 1e6
    return {"cpu": f"{field('model name')} (family {field('cpu family')}, model {field('model')})",
            "cores": len(os.sched_getaffinity(0)), "instructions": wide, "memory_gb": round(memory),
            "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
            "onednn": onednn(triptych), "load_at_end": os.getloadavg()[0], "date": datetime.date.today().isoformat(),
            "triptych": build(triptych), "versions": {n: importlib.metadata.version(p) for n, p in VERSIONS.items()}}


def build(triptych):
    """The commit of the sources, if the binary is this folder's; of another one only the digest is known."""
    here = pathlib.Path(__file__).resolve().parent.parent
    if here / ".build" in triptych.resolve().parents:
        git = lambda *a: subprocess.run(["git", "-C", here, *a, "--", "Sources", "Package.swift"], capture_output=True, text=True)
        return git("log", "-1", "--format=%h").stdout.strip() + "-dirty" * git("diff", "--quiet", "HEAD").returncode
    return "sha256:" + hashlib.sha256(triptych.read_bytes()).hexdigest()[:12]


def onednn(triptych):
    """The version that Triptych's binary loads."""
    libraries = subprocess.run(["ldd", triptych], capture_output=True, text=True).stdout
    found = re.search(r"libdnnl\S* => (\S+)", libraries)
    return os.path.basename(os.path.realpath(found[1])).removeprefix("libdnnl.so.") if found else "?"
