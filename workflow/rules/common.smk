# The configuration, paths, and the input functions that the other files share.

import importlib.util
import json
import os
import sys

# A checkout that is not installed: its modules are found beside the workflow.
if not importlib.util.find_spec("earmark"):
    sys.path.insert(0, str(Path(workflow.current_basedir).parents[1] / "src"))

from snakemake.exceptions import IncompleteCheckpointException

from earmark.config import check_shared, check_tests, dump, encoders, load, plan, segments
from earmark.corpora.sources import fingerprint
from earmark.diagnose.watch import initial
from earmark.errors import ConfigError, UserError, of_system
from earmark.plan import resources as needed
from earmark.plan.site import chosen

# Jobs call the `earmark` of the environment that Snakemake runs in, on whatever node and from whatever shell.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]))

SETTINGS = str(config.get("settings", "config/default.yaml"))
# False: the data is there, and training's jobs are planned without the hundreds that made it.
DATA = config.get("data", True)
try:
    if not isinstance(DATA, bool):
        raise ConfigError(
            f"--config data={DATA} is neither True nor False: write data=False to leave the data's rules out"
        )
    RUN = load(SETTINGS, config.get("run"))
    # What another run made is there before this one starts: no rule makes it again.
    check_shared(RUN)
    OWN_DATA = DATA and not RUN.shares.data
    if not OWN_DATA:
        check_tests(RUN)
    # Another number of training processes than the configuration's: the same recipe goes on on it.
    PROCESSES = RUN.on(config.get("processes", RUN.processes)).processes
    # Jobs go to a cluster where Snakemake has a number of nodes, `--jobs`, and not of cores.
    SITE = chosen(config.get("site"), cluster=bool(workflow.resource_settings.nodes))
    if workflow.is_main_process:
        needed.check(RUN, SITE, PROCESSES)
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


# Two trainings must not be given the same GPU of one machine.
if SITE.gpus_a_node and not workflow.resource_settings.nodes:
    workflow.global_resources.setdefault("gpu", SITE.gpus_a_node)


# Functions that take `input` give parameters that make no job run again: a file may be called by another path.
def arguments(wildcards, input):
    """Configuration and run, as every verb takes them."""
    return ARGUMENTS


def training_arguments(wildcards, input):
    """The same for training, with the number of processes where it is not the configuration's."""
    return ARGUMENTS + (f" --processes {PROCESSES}" if PROCESSES != RUN.processes else "")


wildcard_constraints:
    corpus="[A-Za-z0-9][A-Za-z0-9_-]*",
    part=r"\d{4}",
    step=r"\d{7}",
    reference=r"\d{7}",
    instance=r"pretrain|align|ia_sft_\d+|joint",


def settings(*sections):
    """Values on which jobs depend: when they change, and only then, these run again."""
    values = {
        name: dump(getattr(RUN, name)) if hasattr(getattr(RUN, name), "model_dump") else str(getattr(RUN, name))
        for name in sections
    }
    return json.dumps(values, sort_keys=True)


def stage_settings(*names):
    """The same for stages of training, with what every stage depends on.

    Of processes and accumulation only their product counts: another number of processes goes on where the run stands.
    So does recomputing activations, which leaves the same bits: it is what helps a stage that ran out of memory.
    """
    values = {name: dump(getattr(RUN.stages, name)) for name in names}
    for name in names:
        values[name]["accumulation"] *= RUN.processes
        # The guard leaves out what a good batch would not have made: its settings train nothing again.
        for key in ("activation_checkpointing", "spike", "spikes_in_a_row"):
            del values[name][key]
        if name == "ia_sft":
            values["at_swap"] = RUN.post_training.at_swap
    values["weights"] = {name: corpus.weight for name, corpus in CORPORA.items()}
    return json.dumps(values, sort_keys=True) + settings(
        "seed", "encoder", "precision", "sampling_power", "batch_group"
    )


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
    return (
        first + [done(f"ia_sft_{number}", RUN.stages.ia_sft.steps) for number in range(1, len(known) + 1)] + [waiting]
    )


def ends_of_stage(kind):
    """Input function: the last segment of a stage, of each phase where it is IA-SFT; until they are known, the wavefront."""
    return lambda wildcards: begun() or [done(one.instance, one.steps) for one in planned() if one.kind == kind]


def corpus_settings(wildcards):
    """Settings that a raw manifest depends on: not those of later stages, else all of a corpus would be read again."""
    values = dump(CORPORA[wildcards.corpus])
    return json.dumps(
        {name: values[name] for name in values if name not in ("parts", "shared_speakers", "trim_silence", "weight")},
        sort_keys=True,
    )


def sources(wildcards):
    """What the corpus is made of: when a table or audio changes it is read, labelled and sharded again."""
    return fingerprint(CORPORA[wildcards.corpus], RUN.results)


def label_settings(wildcards):
    """Settings that labels depend on: of the shards only the limits."""
    limits = {name: value for name, value in dump(RUN.shards).items() if name != "hours"}
    return json.dumps([CORPORA[wildcards.corpus].parts, limits], sort_keys=True) + settings("text")


def shard_settings(wildcards):
    """Settings that features depend on, and the cut into shards."""
    return f"{CORPORA[wildcards.corpus].trim_silence} {RUN.shards.hours} {settings('text')}"


def segment_before(instance, step):
    """done.json of the segment before `step`, or of the stage before.

    Where a decision is still to be made, a phase that is not known to be the last has its own length; a step that is
    none of its ends, asked for on the command line, waits for that decision.
    """
    ends = ends_of(instance)
    waiting = known_state()[1] if kind_of(instance) == "ia_sft" and step not in ends else None
    if waiting:
        raise IncompleteCheckpointException(rules.decide, waiting)
    earlier = [end for end in ends if end < step]
    if earlier:
        return [done(instance, earlier[-1])]
    if instance == "pretrain" or instance == "align":
        return []
    stage = stage_before(instance)
    return [done(stage, last_step(stage))]


def ends_of(instance):
    """Last steps of the segments of a stage instance."""
    return segments(last_step(instance), getattr(RUN.stages, kind_of(instance)).segment_steps)


def stage_before(instance):
    """Stage whose adaptor and LLM are taken over."""
    if instance == "joint":
        return planned()[-2].instance
    number = int(instance.removeprefix("ia_sft_"))
    return f"ia_sft_{number - 1}" if number > 1 else "align"


def encoder_of(instance):
    """Pretraining step whose encoder a stage starts with: of the first trigger, of phase i's, or the final one."""
    state, waiting = known_state()
    known = encoders(RUN, state["triggers"])
    number = 0 if instance == "align" else int(instance.removeprefix("ia_sft_")) - 1
    if number < len(known) - 1 or not waiting or RUN.post_training.encoders == "final":
        return known[number]
    raise IncompleteCheckpointException(rules.decide, waiting)


def swap(wildcards):
    """The snapshot whose encoder comes in: only the first segment of alignment and of IA-SFT's phases has one."""
    instance = wildcards.instance
    if instance in ("pretrain", "joint") or int(wildcards.step) != ends_of(instance)[0]:
        return []
    return [done("pretrain", encoder_of(instance))]


def flags(wildcards):
    """Command-line options of a segment."""
    before = segment_before(wildcards.instance, int(wildcards.step))
    options = [f"--before {path}" for path in before] + [f"--encoder {path}" for path in swap(wildcards)]
    if wildcards.instance.startswith("ia_sft_") and is_last_phase(wildcards.instance):
        options.append("--last-phase")
    steps = last_step(wildcards.instance)
    if steps != RUN.stage_steps(kind_of(wildcards.instance), "--last-phase" in options):
        options.append(f"--steps {steps}")
    return " ".join(options)


def reference_of(step):
    """Pretraining step that the snapshot of `step` is compared with."""
    position = WATCHED.index(step)
    return state_of(WATCHED[position - 1])["reference"] if position else RUN.watch.first_step


def decision_before(wildcards):
    """The decision before, if there is one."""
    position = WATCHED.index(int(wildcards.step))
    return [str(PATHS.decision(WATCHED[position - 1]))] if position else []


def last_model(wildcards):
    """The last segment of post-training."""
    last = planned()[-1]
    return done(last.instance, last.steps)


def diagnosed(wildcards):
    """Entropy metrics of every snapshot that the watch saw, and after each stage."""
    snapshots = [PATHS.entropy("pretrain", step) for step in sorted({RUN.watch.first_step, *WATCHED, PRETRAINED})]
    return snapshots + [PATHS.entropy(one.instance, one.steps) for one in planned()]


def dataset_settings():
    """Settings that collecting depends on."""
    return (
        settings("text")
        + json.dumps({name: corpus.shared_speakers for name, corpus in CORPORA.items()})
        + str(RUN.encoder.cmvn)
    )


def asks(found):
    """Resources of a rule that are the same for all of its jobs."""
    return {"mem_mb": found.mem_mb, "runtime": found.minutes} | placed(found)


def placed(found):
    """GPUs, nodes and partition; several nodes as docs/cluster.md says it."""
    values = {}
    if found.nodes > 1:
        each = f"'--gpus-per-node={found.gpus // found.nodes}'"
        values = {"nodes": found.nodes, "tasks": found.nodes, "mpi": "srun", "gpu": 0, "slurm_extra": each}
    elif found.gpus:
        values = {"gpu": found.gpus}
    partition = (SITE.gpu_partition if found.gpus else None) or SITE.partition
    return values | ({"slurm_partition": partition} if partition else {})


def training_needs(instance):
    """What a segment asks for."""
    kind = kind_of(instance)
    return needed.training(
        RUN, SITE, "pretrain" if kind == "pretrain" else "post_train", getattr(RUN.stages, kind), PROCESSES
    )
