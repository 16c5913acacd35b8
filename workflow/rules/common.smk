# The configuration, paths, and the input functions that the other files share.

import json
import os
import sys

from snakemake.exceptions import IncompleteCheckpointException, WorkflowError

from earmark.config import dump, load, segments
from earmark.diagnose.watch import initial, phases
from earmark.paths import RunPaths, step_name

# Jobs call the `earmark` of the environment that Snakemake runs in, on whatever node and from whatever shell.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

SETTINGS = config.get("settings", "config/default.yaml")
RUN = load(SETTINGS, config.get("run"))
PATHS = RunPaths(RUN.folder)
CORPORA = {corpus.name: corpus for corpus in RUN.corpora}
PRETRAINED = RUN.stages.pretrain.steps
WATCHED = RUN.watched_steps()
# False: the data is there, and training's jobs are planned without the hundreds that made it.
DATA = config.get("data", True)
if not isinstance(DATA, bool):
    raise WorkflowError(f"--config data={DATA} is neither True nor False: write data=False to leave the data's rules out")
# Every command takes the configuration's file; the run's name may be another one.
ARGUMENTS = f"{SETTINGS} --run {RUN.run}"
# Another number of training processes than the configuration's: the same recipe goes on on it.
PROCESSES = RUN.on(int(config.get("processes", RUN.processes))).processes
TRAIN = f"earmark train {ARGUMENTS}" + (f" --processes {PROCESSES}" if PROCESSES != RUN.processes else "")


wildcard_constraints:
    corpus="[A-Za-z0-9][A-Za-z0-9_-]*",
    part=r"\d{4}",
    step=r"\d{7}",
    reference=r"\d{7}",
    instance=r"pretrain|align|ia_sft_\d+|joint",


def settings(*sections):
    """Values that a rule depends on: when they change, and only then, it runs again."""
    values = {name: dump(getattr(RUN, name)) if hasattr(getattr(RUN, name), "model_dump") else str(getattr(RUN, name)) for name in sections}
    return json.dumps(values, sort_keys=True)


def stage_settings(*names):
    """The same for stages of training, with what every stage depends on.

    Of processes and accumulation only their product counts: another number of processes goes on where the run stands.
    """
    values = {name: dump(getattr(RUN.stages, name)) for name in names}
    for name in names:
        values[name]["accumulation"] *= RUN.processes
    values["weights"] = {name: corpus.weight for name, corpus in CORPORA.items()}
    return json.dumps(values, sort_keys=True) + settings("seed", "encoder", "precision", "sampling_power", "batch_group")


def state_of(step):
    """State of the watch after `step`; raises while that decision is to be made."""
    return json.loads(Path(checkpoints.decide.get(step=f"{step:07d}").output[0]).read_text())


def known_state():
    """(State so far, path of the next decision, or None after the last one)."""
    state = initial(RUN.watch)
    for step in WATCHED:
        try:
            state = state_of(step)
        except IncompleteCheckpointException as waiting:
            return state, waiting.targetfile
    return state, None


def done(instance, step):
    """Completion marker of a segment."""
    return str(PATHS.step(instance, step) / "done.json")


def last_step(instance):
    """Last step of a stage instance; the last phase of IA-SFT has a length of its own."""
    if instance.startswith("ia_sft_"):
        return RUN.stage_steps("ia_sft", is_last_phase(instance))
    return RUN.stage_steps(instance)


def is_last_phase(instance):
    """Whether an IA-SFT phase is the one with the final encoder."""
    state, waiting = known_state()
    return not waiting and int(instance.removeprefix("ia_sft_")) == len(phases(state, PRETRAINED))


def wavefront(wildcards):
    """What is wanted now: alignment and the phases whose encoders are known, and the next decision; at last the report."""
    state, waiting = known_state()
    if not waiting:
        return [PATHS.folder / "report.html", PATHS.folder / "summary.json"]
    known = phases(state, PRETRAINED)[:-1]
    begun = [PATHS.llm / "done.json"] + ([done("align", RUN.stages.align.steps)] if known else [])
    return begun + [done(f"ia_sft_{number}", RUN.stages.ia_sft.steps) for number in range(1, len(known) + 1)] + [waiting]
