"""The examples for Compose, Kubernetes and KubeRay: of their schemas, and of what the image has."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import typer.main
import yaml

from dockerfiles import context, instructions
from eutectic.cli import app
from eutectic.environment import LOCK
from eutectic.osc.spec import PORT

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "containers"
FOUND = instructions(ROOT / "Dockerfile")
STAGES = [each.text.partition(" AS ")[2] for each in FOUND if each.word == "FROM"]
IMAGES = ("eutectic", "eutectic:cuda")
PAGE = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")

# KubeRay's own fields, by its API reference (ray.io/v1); no package has its schemas


def fields(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": required.split(),
        "additionalProperties": False,
    }  # fmt: skip


TEXT, COUNT, FLAG = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
POD = {"type": "object"}  # which is Kubernetes' own, and checked as such
CLUSTER = fields(
    "headGroupSpec",
    rayVersion=TEXT, enableInTreeAutoscaling=FLAG, autoscalerOptions={"type": "object"},
    suspend=FLAG, headServiceAnnotations=TEXTS,
    authOptions=fields("mode", mode={"enum": ["disabled", "token"]}, secretName=TEXT),
    headGroupSpec=fields(
        "template rayStartParams",
        template=POD, rayStartParams=TEXTS, serviceType=TEXT, enableIngress=FLAG, headService=POD,
    ),
    workerGroupSpecs={
        "type": "array",
        "items": fields(
            "groupName maxReplicas minReplicas rayStartParams template",
            groupName=TEXT, replicas=COUNT, minReplicas=COUNT, maxReplicas=COUNT, numOfHosts=COUNT,
            rayStartParams=TEXTS, template=POD,
        ),
    },
)  # fmt: skip
KUBERAY = {
    "RayCluster": CLUSTER,
    "RayJob": fields(
        "entrypoint",
        entrypoint=TEXT, rayClusterSpec=CLUSTER, clusterSelector=TEXTS, backoffLimit=COUNT,
        activeDeadlineSeconds=COUNT, runtimeEnvYAML=TEXT, jobId=TEXT, metadata=TEXTS,
        entrypointNumCpus={"type": "number"}, entrypointNumGpus={"type": "number"},
        shutdownAfterJobFinishes=FLAG, ttlSecondsAfterFinished=COUNT, suspend=FLAG,
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode"]},
        submitterPodTemplate=POD, submitterConfig=fields("", backoffLimit=COUNT),
    ),
}  # fmt: skip


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / name).read_text(encoding="utf-8")))


MANIFESTS = [
    pytest.param(document, id=f"{path.stem}-{document['kind']}")
    for path in sorted(EXAMPLES.glob("*.yaml"))
    if path.stem != "compose"
    for document in documents(path.name)
]
COMPOSE = documents("compose.yaml")[0]


def parts(value: Any, key: str) -> Iterator[Any]:
    """All values of a key, however deep."""
    if isinstance(value, dict):
        if key in value:
            yield value[key]
        for each in value.values():
            yield from parts(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from parts(each, key)


def taken(words: list[str]) -> None:
    """Check that the command line takes these words; variables are what they are by default."""
    words = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in words]
    command: Any = typer.main.get_command(app)
    name, *others = words
    with command.commands[name].make_context(name, others):
        pass


def test_the_compose_file_is_of_its_schema() -> None:
    vendor = resources.files("check_jsonschema.builtin_schemas") / "vendor"
    schema = json.loads((vendor / "compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.validate(COMPOSE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**COMPOSE, "service": {}}, schema)


def test_its_services_are_what_the_dockerfile_builds() -> None:
    arguments = {each.text.partition("=")[0] for each in FOUND if each.word == "ARG"}
    for service in COMPOSE["services"].values():
        build = service["build"]
        assert (EXAMPLES / build["context"] / "Dockerfile").samefile(ROOT / "Dockerfile")
        assert build.get("target", STAGES[-1]) in STAGES
        assert set(build.get("args", ())) <= arguments


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_is_of_its_schema(manifest: dict[str, Any]) -> None:
    version = kubernetes_validate.latest_version()
    if manifest["kind"] in KUBERAY:
        assert manifest["apiVersion"] == "ray.io/v1"
        jsonschema.validate(manifest["spec"], KUBERAY[manifest["kind"]])
        for pod in parts(manifest, "template"):
            whole = {"apiVersion": "v1", "kind": "Pod", **pod}
            kubernetes_validate.validate(whole, version, strict=True)
        return
    kubernetes_validate.validate(manifest, version, strict=True)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**manifest, "specs": {}}, version, strict=True)


def test_the_commands_of_all_examples_are_taken() -> None:
    commands = [service["command"] for service in COMPOSE["services"].values()]
    for manifest in (each.values[0] for each in MANIFESTS):
        commands += parts(manifest, "args")
        commands += (shlex.split(line)[1:] for line in parts(manifest, "entrypoint"))
    assert len(commands) == 5
    for words in commands:
        taken(words)


def test_everything_that_is_mounted_is_a_volume_of_its_pod() -> None:
    pods = [
        pod for each in MANIFESTS for pod in parts(each.values[0], "spec") if "containers" in pod
    ]
    assert len(pods) == 4
    for pod in pods:
        volumes = {each["name"] for each in pod["volumes"]}
        assert {each["name"] for each in next(parts(pod, "volumeMounts"))} == volumes


def test_a_service_leads_to_its_pods() -> None:
    deployment, service, _ = documents("engine.yaml")
    template = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert service["spec"]["selector"] == template["metadata"]["labels"]
    (port,) = service["spec"]["ports"]
    (opened,) = next(parts(template, "ports"))
    assert (port["targetPort"], port["port"]) == (opened["name"], opened["containerPort"])


def versions(lock: Path) -> set[tuple[str, str]]:
    text = lock.read_text(encoding="utf-8")
    return set(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def test_the_image_has_the_engine_s_packages_at_the_versions_of_the_tests() -> None:
    image, tested = versions(EXAMPLES / "image.lock"), versions(ROOT / "requirements.lock")
    assert versions(LOCK) <= image
    names = {name for name, _ in tested}
    assert {each for each in image if each[0] in names} <= tested


def test_no_ray_is_open_to_all_who_reach_it() -> None:
    cluster = documents("ray.yaml")[0]["spec"]
    assert cluster["authOptions"] == {"mode": "token"}
    nodes = [line for line in PAGE.splitlines() if "--entrypoint ray" in line]
    assert len(nodes) == 2
    assert all("-e RAY_AUTH_MODE -e RAY_AUTH_TOKEN" in line for line in nodes)


def test_ray_is_of_one_version() -> None:
    version = documents("ray.yaml")[0]["spec"]["rayVersion"]
    assert ("ray", version) in versions(EXAMPLES / "image.lock")


def test_the_image_opens_the_ports_of_the_daemon() -> None:
    (exposed,) = (each.text for each in FOUND if each.word == "EXPOSE")
    assert set(exposed.split()) == {
        f"{PORT}/udp", f"{PORT}/tcp", f"{PORT + 1}/tcp", f"{PORT + 2}/tcp"
    }  # fmt: skip


def test_only_what_plays_has_libraries_for_devices() -> None:
    stage, having = "", list[str]()
    for each in FOUND:
        if each.word == "FROM":
            stage = each.text.partition(" AS ")[2]
        if "portaudio" in each.text or "jack" in each.text:
            having.append(stage)
    assert having == ["stage"]


def test_what_is_copied_into_it_is_what_the_wheel_is_made_of() -> None:
    assert set(context(ROOT)) == {
        "LICENSE", "README.md", "docs/containers/image.lock", "plugin_bridge", "presets",
        "pyproject.toml", "requirements.lock", "server",
    }  # fmt: skip


def test_what_the_page_says_of_docker_can_be_done() -> None:
    lines = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.S)
             for line in block.replace("\\\n", " ").splitlines()]  # fmt: skip
    builds = [line for line in lines if line.startswith("docker build ")]
    runs = [line for line in lines if line.startswith("docker run ")]
    assert len(builds) > 2 and len(runs) > 3
    arguments = {each.text.partition("=")[0] for each in FOUND if each.word == "ARG"}
    for line in builds:
        assert set(re.findall(r"--build-arg (\w+)=", line)) <= arguments
        assert set(re.findall(r"--target (\w+)", line)) <= set(STAGES)
    for line in runs:
        words = shlex.split(re.sub(r" [<#].*", "", line))
        image = next(number for number, word in enumerate(words) if word in IMAGES)
        if "--entrypoint" not in words:
            taken(words[image + 1 :])
    (inside,) = (line for line in lines if line.startswith("docker exec "))
    taken(shlex.split(inside)[4:])
