# The configuration, paths, and the input functions that the other files share.

import json
import os
import sys

from snakemake.exceptions import IncompleteCheckpointException

from earmark.config import check_shared, check_tests, dump, encoders, load, plan, segments
from earmark.corpora.sources import fingerprint
from earmark.diagnose.watch import initial
from earmark.errors import ConfigError, UserError, of_system

# Jobs call the `earmark` of the environment that Snakemake runs in, on whatever node and from whatever shell.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

SETTINGS = str(config.get("settings", "config/default.yaml"))
# False: the data is there, and training's jobs are planned without the hundreds that made it.
DATA = config.get("data", True)
try:
    if not isinstance(DATA, bool):
        raise ConfigError(f"--config data={DATA} is neither True nor False: write data=False to leave the data's rules out")
    RUN = load(SETTINGS, config.get("run"))
    # What another run made is there before this one starts: no rule makes it again.
    check_shared(RUN)
    OWN_DATA = DATA and not RUN.shares.data
    if not OWN_DATA:
        check_tests(RUN)
    # Another number of training processes than the configuration's: the same recipe goes on on it.
    PROCESSES = RUN.on(config.get("processes", RUN.processes)).processes
except (UserError, OSError) as error:
    # Raised further, it would come with Snakemake's lines of the stack, and end with 1.
    print(f"error: {of_system(error) if isinstance(error, OSError) else error}", file=sys.stderr)
    sys.exit(2)
PATHS = RUN.paths
CORPORA = {corpus.name: corpus for corpus in RUN.corpora}
PRETRAINED = RUN.stages.pretrain.steps
WATCHED = RUN.watched_steps()
OWN_PRETRAINING = not RUN.shares.pretraining
LLM = str(PATHS.llm / "done.json")
# Every command takes the configuration's file; the run's name may be another one.
ARGUMENTS = f"{SETTINGS} --run {RUN.run}"
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
    So does recomputing activations, which leaves the same bits: it is what helps a stage that ran out of memory.
    """
    values = {name: dump(getattr(RUN.stages, name)) for name in names}
    for name in names:
        values[name]["accumulation"] *= RUN.processes
        del values[name]["activation_checkpointing"]
    values["weights"] = {name: corpus.weight for name, corpus in CORPORA.items()}
    return json.dumps(values, sort_keys=True) + settings("seed", "encoder", "precision", "sampling_power", "batch_group")


def objective_settings():
    """Settings of pretraining that only some objectives have."""
    own = {"aed": ["decoder"], "hybrid": ["decoder"], "best_rq": ["best_rq"]}.get(RUN.stages.pretrain.loss, [])
    return settings(*own) if own else ""


def state_of(step):
    """State of the watch after `step`; raises while that decision is to be made."""
    path = checkpoints.decide.get(step=f"{step:07d}").output[0] if OWN_PRETRAINING else PATHS.decision(step)
    return json.loads(Path(path).read_text())


def known_state():
    """(State so far, path of the next decision, or None after the last one)."""
    state = initial(RUN.watch)
    for step in WATCHED:
        try:
            state = state_of(step)
        except IncompleteCheckpointException as waiting:
            return state, waiting.targetfile
    return state, None


def planned():
    """Stage instances of post-training, in order; raises while a decision is to be made."""
    return plan(RUN, state_of(WATCHED[-1])["triggers"])


def done(instance, step):
    """Completion marker of a segment."""
    return str(PATHS.step(instance, step) / "done.json")


def kind_of(instance):
    """Stage of an instance: ia_sft_2 -> ia_sft."""
    return "ia_sft" if instance.startswith("ia_sft_") else instance


def last_step(instance):
    """Last step of a stage instance; the last phase of IA-SFT has a length of its own."""
    kind, last_phase = kind_of(instance), is_last_phase(instance)
    if RUN.post_training.updates == "equal" and (last_phase or kind == "joint"):
        return next(one.steps for one in planned() if one.instance == instance)
    return RUN.stage_steps(kind, last_phase)


def is_last_phase(instance):
    """Whether a stage instance is the IA-SFT phase with the final encoder."""
    if kind_of(instance) != "ia_sft":
        return False
    state, waiting = known_state()
    final = RUN.post_training.encoders == "final"
    return (final or not waiting) and int(instance.removeprefix("ia_sft_")) == len(encoders(RUN, state["triggers"]))


def wavefront(wildcards):
    """What is wanted now: alignment and the phases whose encoders are known, and the next decision; at last the report."""
    return begun() or [PATHS.folder / "report.html", PATHS.folder / "summary.json"]


def begun():
    """What of post-training can be trained while a decision is to be made, and that decision; none after the last one."""
    state, waiting = known_state()
    if not waiting:
        return []
    known = encoders(RUN, state["triggers"])[:-1]
    first = [LLM] + ([done("align", RUN.stages.align.steps)] if known else [])
    return first + [done(f"ia_sft_{number}", RUN.stages.ia_sft.steps) for number in range(1, len(known) + 1)] + [waiting]


def ends_of_stage(kind):
    """Input function: the last segment of a stage, of each phase where it is IA-SFT; until they are known, the wavefront."""
    return lambda wildcards: begun() or [done(one.instance, one.steps) for one in planned() if one.kind == kind]
