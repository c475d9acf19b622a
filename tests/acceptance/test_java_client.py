"""A Java client is generated, compiled and run: its integers have as many bits as they need."""

import json
import subprocess
from importlib.resources import files
from pathlib import Path

from app.contexts.users.http.change_schema import USER_CHANGE
from tests.acceptance.fronts import needs
from tests.acceptance.services import ROOT

GENERATOR = files("openapi_generator_cli") / "openapi-generator.jar"
PROGRAM = ROOT / "tests/clients/java/ReadsPositions.java"
SECONDS = 120

# What the program needs of the client, and no more: it is what takes the time.
PARTS = "models=UserChange:Problem:ProblemError,apis=Changes,supportingFiles"
NO_EXTRAS = "modelDocs=false,modelTests=false,apiDocs=false,apiTests=false"
QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

# The generated code names these, which no JDK has; the libraries it uses are in the generator.
ANNOTATIONS = {
    "Nullable": "",
    "Nonnull": "",
    "Generated": 'String[] value(); String date() default ""; String comments() default "";',
}


def run(*command: object) -> str:
    """Run a program to its end, which has to be a good one; what it prints."""
    done = subprocess.run(
        [str(each) for each in command],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def generate(client: Path) -> None:
    """Make the client in the folder `client`."""
    run(
        *("java", *QUICK, "-jar", GENERATOR, "generate", "-g", "java", "--library", "native"),
        *("-i", ROOT / "openapi.json", "-o", client, "--global-property", f"{PARTS},{NO_EXTRAS}"),
        *("--additional-properties", "openApiNullable=false"),
    )
    folder = client / "src/main/java/javax/annotation"
    folder.mkdir(parents=True)
    for name, members in ANNOTATIONS.items():
        text = f"package javax.annotation; public @interface {name} {{ {members} }}"
        (folder / f"{name}.java").write_text(text, encoding="utf-8")


@needs("java", "javac")
def test_a_java_client_reads_positions_of_64_bits(tmp_path):
    """Past those of 32 bits, and it can send one to go on after."""
    generate(tmp_path)
    classes, sources = tmp_path / "classes", tmp_path / "src/main/java"
    javac = ("javac", *(f"-J{each}" for each in QUICK), "-nowarn", "-proc:none")
    run(*javac, "-cp", GENERATOR, "-sourcepath", sources, "-d", classes, PROGRAM)

    change = json.dumps({**USER_CHANGE, "position": 3_000_000_000})

    printed = run("java", *QUICK, "-cp", f"{classes}:{GENERATOR}", "ReadsPositions", change)
    assert printed == "3000000000\n"
