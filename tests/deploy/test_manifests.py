"""The files that deploy Reemio are valid, agree with each other and with the settings, and ask for little."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = Path(sys.executable).parent
OVERLAYS = ("development", "production")
PROCESSES = {"web", "worker", "beat", "migrate", "manage"}


def run(*command: str) -> str:
    done = subprocess.run(
        [str(TOOLS / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=OVERLAYS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One overlay, as `kubectl apply -k` would send it."""
    path = tmp_path_factory.mktemp("k8s") / f"{request.param}.yaml"
    path.write_text(run("kubectl", "kustomize", f"deploy/k8s/overlays/{request.param}"))
    return path


def objects(path: Path, *kinds: str) -> list[dict[str, Any]]:
    every = [one for one in yaml.safe_load_all(path.read_text()) if one]
    return [one for one in every if not kinds or one["kind"] in kinds]


def pods(path: Path) -> dict[str, dict[str, Any]]:
    """Return the pod templates by the name of what makes them."""
    makers = objects(path, "Deployment", "StatefulSet", "Job")
    return {one["metadata"]["name"]: one["spec"]["template"] for one in makers}


def ours(path: Path) -> dict[str, dict[str, Any]]:
    every = pods(path).items()
    return {name: pod for name, pod in every if "reemio" in pod["spec"]["containers"][0]["image"]}


def documented_settings() -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs" / "settings.md").read_text()))


def test_the_dockerfile_has_nothing_that_its_linter_objects_to() -> None:
    assert run("hadolint", "Dockerfile") == ""


def test_the_image_runs_as_nobody_in_particular() -> None:
    last = (ROOT / "Dockerfile").read_text().split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)


def test_compose_fits_its_schema() -> None:
    assert "ok" in run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def test_every_overlay_fits_the_schemas_of_kubernetes(built: Path) -> None:
    run("kubernetes-validate", "--strict", str(built))


def test_every_overlay_has_each_process_once(built: Path) -> None:
    assert set(ours(built)) == {"web", "worker", "beat", "migrate"}
    beat = next(one for one in objects(built, "Deployment") if one["metadata"]["name"] == "beat")
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_no_pod_of_ours_may_do_more_than_it_must(built: Path) -> None:
    for name, pod in ours(built).items():
        container = pod["spec"]["containers"][0]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True, name
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name
        assert pod["spec"]["automountServiceAccountToken"] is False, name
        assert set(container["resources"]) == {"requests", "limits"}, name


def test_secrets_come_by_reference_only(built: Path) -> None:
    kept = [
        one for one in objects(built, "ConfigMap") for key in one["data"] if re.search("KEY|PASSWORD|TOKEN|SECRET", key)
    ]
    assert kept == []
    for name, pod in ours(built).items():
        assert [list(one) for one in pod["spec"]["containers"][0]["envFrom"]] == [["configMapRef"], ["secretRef"]], name


def test_every_policy_and_service_selects_a_pod(built: Path) -> None:
    labels = [pod["metadata"]["labels"] for pod in pods(built).values()]
    selectors = [one["spec"]["selector"] for one in objects(built, "Service")]
    selectors += [one["spec"]["podSelector"].get("matchLabels", {}) for one in objects(built, "NetworkPolicy")]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in objects(built, "PodDisruptionBudget")]
    assert len(selectors) >= 5
    for selector in selectors:
        assert any(selector.items() <= one.items() for one in labels), selector


def test_web_is_probed_grows_with_its_load_and_is_never_taken_away_whole(built: Path) -> None:
    web = next(one for one in objects(built, "Deployment") if one["metadata"]["name"] == "web")
    container = web["spec"]["template"]["spec"]["containers"][0]
    probes = {
        name: container[f"{name}Probe"]["httpGet"]["path"].split("?")[0]
        for name in ("startup", "readiness", "liveness")
    }
    assert probes == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}
    assert container["ports"] == [{"name": "http", "containerPort": 8000}]
    [scaler] = objects(built, "HorizontalPodAutoscaler")
    assert (scaler["spec"]["scaleTargetRef"]["kind"], scaler["spec"]["scaleTargetRef"]["name"]) == ("Deployment", "web")
    assert scaler["spec"]["minReplicas"] <= web["spec"]["replicas"] <= scaler["spec"]["maxReplicas"]
    budget = next(one for one in objects(built, "PodDisruptionBudget") if one["metadata"]["name"] == "web")
    # With one replica, nothing can be drained: that is for development only.
    spare = scaler["spec"]["minReplicas"] - budget["spec"]["minAvailable"]
    assert (built.stem, spare) in {("production", 1), ("development", 0)}


def test_migrations_run_once_and_are_not_begun_anew_for_ever(built: Path) -> None:
    [job] = [one for one in objects(built, "Job") if one["metadata"]["name"] == "migrate"]
    assert (
        job["spec"]["template"]["spec"]["containers"][0]["command"][1:]
        == {"production": ["migrate"], "development": ["manage", "demo_data"]}[built.stem]
    )
    assert (job["spec"]["template"]["spec"]["restartPolicy"], job["spec"]["backoffLimit"]) == ("Never", 3)


def test_compose_names_only_what_it_has() -> None:
    whole = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    for name, service in whole["services"].items():
        needed = service.get("depends_on", {})
        assert set(needed) <= set(whole["services"]), name
        for other, how in needed.items():
            healthy = how["condition"] == "service_healthy"
            assert not healthy or "test" in whole["services"][other].get("healthcheck", {}), (name, other)
        named = {one.split(":")[0] for one in service.get("volumes", [])}
        assert named <= set(whole["volumes"]), name
    # Where nothing is set, `docker compose config` finds a default in the place of each `${…}`.
    asked = re.findall(r"\$\{(\w+)(:-[^}]*)?\}", (ROOT / "docker-compose.yml").read_text())
    assert [name for name, default in asked if not default] == []


def test_whatever_the_manifests_set_is_a_setting(built: Path) -> None:
    named = {key for one in objects(built, "ConfigMap", "Secret") for key in one.get("data", {})}
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    named |= set(compose["services"]["web"]["environment"])
    render = yaml.safe_load((ROOT / "render.yaml").read_text())
    entries = [one for part in (*render["services"], *render["envVarGroups"]) for one in part.get("envVars", [])]
    named |= {one["key"] for one in entries if "key" in one}
    assert named - documented_settings() == set()


def test_every_command_is_one_that_the_start_script_knows(built: Path) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = [compose[name]["command"] for name in ("web", "worker", "beat")]
    commands += [pod["spec"]["containers"][0]["command"] for pod in ours(built).values()]
    render = yaml.safe_load((ROOT / "render.yaml").read_text())["services"]
    commands += [one["dockerCommand"].split() for one in render if "dockerCommand" in one]
    commands += [one["preDeployCommand"].split() for one in render if "preDeployCommand" in one]
    assert {(command[0], command[1] in PROCESSES) for command in commands} == {("deploy/start", True)}


def test_the_start_script_refuses_what_it_does_not_know() -> None:
    shell = shutil.which("sh") or "/bin/sh"
    done = subprocess.run([shell, str(ROOT / "deploy/start"), "frontend"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        2,
        "deploy/start: frontend is none of web, worker, beat, migrate, manage\n",
    )


def test_renders_groups_hold_no_value_that_render_would_not_ask_for() -> None:
    # Render reads neither `sync: false` nor references to services within a group.
    render = yaml.safe_load((ROOT / "render.yaml").read_text())
    for group in render["envVarGroups"]:
        assert [set(one) for one in group["envVars"]] == [{"key", "value"}] * len(group["envVars"])
    names = {one["name"] for one in render["services"]}
    used = [
        one["fromService"]["name"]
        for service in render["services"]
        for one in service.get("envVars", [])
        if "fromService" in one
    ]
    assert set(used) <= names
