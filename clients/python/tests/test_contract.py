"""Each operation of openapi.yaml is called by some method, at its path."""
from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import pytest
from conftest import FakeServer, answer

from triptych_client import Client, Gallery, SightingRef, Triple, TriptychError

CONTRACT = Path(__file__).resolve().parents[3] / "openapi.yaml"
GIVEN = {"gallery": "g", "identity": "i", "sighting": "s", "modality": "rgb", "model": "m", "job": "j", "correction": "c", "key": "k",
         "webhook": "w", "upload": "u", "file": "f"}
SEEN, IMAGE = SightingRef("i", "s"), Triple(rgb=b"\xff\xd8")

CALLS: Dict[str, Callable[[Client, Gallery], object]] = {
    "health": lambda c, g: c.health(), "readiness": lambda c, g: c.ready(), "metrics": lambda c, g: c.metrics(),
    "listServers": lambda c, g: c.servers(),
    "contract": lambda c, g: c.contract(), "embed": lambda c, g: c.embed(IMAGE), "compare": lambda c, g: c.compare(IMAGE, IMAGE),
    "listGalleries": lambda c, g: next(c.galleries()), "createGallery": lambda c, g: c.create_gallery("g"),
    "showGallery": lambda c, g: g.summary(), "eraseGallery": lambda c, g: g.erase(), "updateGallery": lambda c, g: g.update(label="l"),
    "eraseSightings": lambda c, g: g.erase_sightings({"cameras": ["n"]}),
    "importSightings": lambda c, g: g.import_lines([]), "exportGallery": lambda c, g: list(g.export()),
    "listGallerySightings": lambda c, g: next(g.sightings()), "identify": lambda c, g: g.identify(IMAGE),
    "showThresholds": lambda c, g: g.thresholds(), "setThresholds": lambda c, g: g.set_thresholds({"rgb": 0.5}),
    "queryGalleries": lambda c, g: c.query(["g"], IMAGE), "facets": lambda c, g: g.facets(),
    "calibrate": lambda c, g: g.calibrate(0.01), "query": lambda c, g: g.query(IMAGE), "queryBatch": lambda c, g: g.query_batch([IMAGE]),
    "listIdentities": lambda c, g: next(g.identities()), "createIdentity": lambda c, g: g.create_identity("i"),
    "showIdentity": lambda c, g: g.identity("i"), "updateIdentity": lambda c, g: g.update_identity("i", label="l"),
    "eraseIdentity": lambda c, g: g.erase_identity("i"), "renameIdentity": lambda c, g: g.rename("i", "n"),
    "distinguishIdentity": lambda c, g: g.distinguish("i", ["n"]), "listDistinctions": lambda c, g: g.distinctions("i"),
    "mergeIdentities": lambda c, g: g.merge("i", ["n"]), "splitIdentity": lambda c, g: g.split("i", [SEEN], "n"),
    "moveSighting": lambda c, g: g.move(SEEN, "n"), "similarIdentities": lambda c, g: g.similar("i"),
    "evaluateGallery": lambda c, g: g.evaluate(), "showEvaluation": lambda c, g: g.evaluation(),
    "mapGallery": lambda c, g: g.make_map(), "showMap": lambda c, g: g.map(),
    "groupIdentities": lambda c, g: g.group(0.8), "listCorrections": lambda c, g: next(g.corrections()),
    "undoCorrection": lambda c, g: g.undo("c"), "listSightings": lambda c, g: next(g.sightings(identity="i")),
    "enrol": lambda c, g: g.enrol("i", IMAGE), "showSighting": lambda c, g: g.sighting(SEEN),
    "updateSighting": lambda c, g: g.update_sighting(SEEN, camera="n"), "eraseSighting": lambda c, g: g.erase_sighting(SEEN),
    "showImage": lambda c, g: g.image(SEEN, "rgb"), "listModels": lambda c, g: next(c.models()),
    "uploadModel": lambda c, g: c.upload_model(__file__), "showModel": lambda c, g: c.model("m"),
    "listUploads": lambda c, g: c.uploads(), "beginUpload": lambda c, g: c.begin_upload(5), "showUpload": lambda c, g: c.upload("u"),
    "resumeUpload": lambda c, g: c.resume_upload("u", __file__), "abandonUpload": lambda c, g: c.abandon_upload("u"),
    "eraseModel": lambda c, g: c.erase_model("m"), "activateModel": lambda c, g: c.activate("m"),
    "listJobs": lambda c, g: next(c.jobs()), "showJob": lambda c, g: c.job("j"), "cancelJob": lambda c, g: c.cancel("j"),
    "followJob": lambda c, g: next(c.follow("j")), "followEvents": lambda c, g: next(c.events()),
    "listAudit": lambda c, g: next(c.audit()), "showAccess": lambda c, g: c.access(), "listKeys": lambda c, g: c.keys(),
    "createKey": lambda c, g: c.create_key("n", "read"), "showKey": lambda c, g: c.key("k"),
    "revokeKey": lambda c, g: c.revoke_key("k"), "listWebhooks": lambda c, g: c.webhooks(),
    "createWebhook": lambda c, g: c.create_webhook("https://a.org"), "showWebhook": lambda c, g: c.webhook("w"),
    "deleteWebhook": lambda c, g: c.delete_webhook("w"), "reviveWebhook": lambda c, g: c.revive_webhook("w"),
}

#: What is answered before, to those that ask first.
BEFORE = {"resumeUpload": [answer(body=json.dumps(
    {"id": "u", "bytes": Path(__file__).stat().st_size, "offset": 7, "expires_at": "2026-01-31T12:00:00Z"}).encode())]}


# For people in browsers.
PAGES = {"start", "console", "consoleFile"}


def operations() -> List[Tuple[str, str]]:
    """Of the contract, each operation and its request line."""
    found, path, method = [], "", ""
    for line in CONTRACT.read_text().partition("\npaths:\n")[2].partition("\ncomponents:\n")[0].splitlines():
        if match := re.fullmatch(r"  (/\S+):", line):
            path = re.sub(r"{(\w+)}", lambda m: GIVEN[str(m[1])], match[1])
        elif match := re.fullmatch(r"    (get|put|post|patch|delete):", line):
            method = match[1].upper()
        elif match := re.fullmatch(r"      operationId: (\w+)", line):
            if match[1] not in PAGES:
                found.append((match[1], f"{method} {path}"))
    return found


@pytest.mark.parametrize("operation, line", operations())
def test_operation(operation: str, line: str, fake: FakeServer) -> None:
    fake.answers = [*BEFORE.get(operation, []), answer(404, b"{}")]
    client = Client(fake.url)
    with pytest.raises(TriptychError):
        CALLS[operation](client, client.gallery("g"))
    assert re.sub(r"[?]\S*| HTTP/1.1$", "", fake.requests[-1].line) == line
