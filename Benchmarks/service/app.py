"""What an expert would build from FastAPI, ONNX Runtime and FAISS to do what Triptych's query endpoint does.

    app.py --graph plain.onnx --checkpoint model.safetensors --port 8081 --threads 2

POST /v1/galleries makes a gallery, /v1/galleries/{gallery}/identities/{identity}/sightings enrols a triple and
/v1/galleries/{gallery}/queries ranks identities; both take a multipart form with rgb, nir and tir. The gallery is kept in memory only. Bodies are parsed and
images decoded in threads, requests that wait together are encoded together, and the index is exact.
"""
import argparse
import asyncio
import concurrent.futures
import io
import json

import faiss
import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI, UploadFile
from PIL import Image
from safetensors import safe_open

MOST = 8  # Triples encoded together, as in Triptych.


class Encoder:
    """Standardised images to unit vectors, one batch at a time on a thread of its own."""

    def __init__(self, graph, checkpoint, threads, spin):
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
        self.session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        with safe_open(checkpoint, "np") as file:
            config = json.loads(file.metadata()["triptych"])
        self.modalities, size = config["modalities"], config["input"]
        self.size = (size["width"], size["height"])
        # (x/255 - mean) / std as one product and one sum.
        self.scale = {m: np.float32(1 / 255) / np.float32(size["std"][m]) for m in self.modalities}
        self.shift = {m: -np.float32(size["mean"][m]) / np.float32(size["std"][m]) for m in self.modalities}
        self.waiting, self.thread = asyncio.Queue(), concurrent.futures.ThreadPoolExecutor(1)
        self.decoding = concurrent.futures.ThreadPoolExecutor(threads)

    def decode(self, data, modality):
        image = Image.open(io.BytesIO(data)).convert("RGB").resize(self.size, Image.Resampling.BILINEAR)
        return (np.asarray(image, np.float32) * self.scale[modality] + self.shift[modality]).transpose(2, 0, 1)

    def decode_all(self, files):
        return {m: self.decode(data, m) for m, data in files.items()}

    def encode(self, triples):
        inputs = {m: np.ascontiguousarray(np.stack([t[m] for t in triples])) for m in self.modalities}
        vectors = self.session.run(None, inputs)[0]
        faiss.normalize_L2(vectors)
        return vectors

    async def run(self):
        """Whatever waits when the thread is free is the next batch; nobody waits for a batch to fill up."""
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self.waiting.get()]
            while len(batch) < MOST and not self.waiting.empty():
                batch.append(self.waiting.get_nowait())
            try:
                vectors = await loop.run_in_executor(self.thread, self.encode, [triple for triple, _ in batch])
                for (_, answer), vector in zip(batch, vectors):
                    answer.set_result(vector)
            except Exception as error:
                for _, answer in batch:
                    answer.set_exception(error)

    async def embed(self, files):
        loop = asyncio.get_running_loop()
        triple = await loop.run_in_executor(self.decoding, self.decode_all, files)
        answer = loop.create_future()
        self.waiting.put_nowait((triple, answer))
        return await answer


class Gallery:
    def __init__(self):
        self.index, self.identities = None, []

    def add(self, identity, vector):
        if self.index is None:
            self.index = faiss.IndexFlatIP(len(vector))
        self.index.add(vector[None])
        self.identities.append(identity)

    def ranked(self, vector, limit):
        """The best sighting of each identity. Looks further down if the first hits are few identities."""
        wanted, found = limit * 8, {}
        while True:
            scores, hits = self.index.search(vector[None], min(wanted, self.index.ntotal))
            for score, hit in zip(scores[0].tolist(), hits[0].tolist()):
                found.setdefault(self.identities[hit], (score, hit))
            if len(found) >= limit or wanted >= self.index.ntotal:
                break
            wanted *= 4
        return [{"identity": i, "score": s, "sighting": h} for i, (s, h) in list(found.items())[:limit]]


def make_app(encoder):
    app, galleries, tasks = FastAPI(), {}, set()

    @app.on_event("startup")
    async def start():
        tasks.add(asyncio.create_task(encoder.run()))

    async def embedded(rgb, nir, tir):
        return await encoder.embed({m: await f.read() for m, f in zip(encoder.modalities, (rgb, nir, tir))})

    @app.get("/readyz")
    async def ready():
        return {"status": "ready"}

    @app.post("/v1/galleries", status_code=201)
    async def create(body: dict):
        galleries[body["name"]] = Gallery()
        return body

    @app.post("/v1/galleries/{gallery}/identities/{identity}/sightings", status_code=201)
    async def enrol(gallery: str, identity: str, rgb: UploadFile, nir: UploadFile, tir: UploadFile):
        galleries[gallery].add(identity, await embedded(rgb, nir, tir))
        return {"identity": identity}

    @app.post("/v1/galleries/{gallery}/queries")
    async def query(gallery: str, rgb: UploadFile, nir: UploadFile, tir: UploadFile, limit: int = 10):
        return {"matches": galleries[gallery].ranked(await embedded(rgb, nir, tir), limit)}

    return app


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--graph", required=True)
    p.add_argument("--checkpoint", required=True)
    p.add_argument("--port", type=int, default=8081)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--spin", action="store_true", help="let ONNX Runtime's threads spin while they wait")
    a = p.parse_args()
    faiss.omp_set_num_threads(1)  # A gallery of thousands is searched before a second thread has woken up.
    app = make_app(Encoder(a.graph, a.checkpoint, a.threads, a.spin))
    uvicorn.run(app, port=a.port, loop="uvloop", http="httptools", log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
