# Four stages, each a chain of segments. Pretraining is a static chain; the others follow the decisions of the watch.


if not RUN.shares.data:
    rule language:
        input: PATHS.dataset
        output: LLM
        params: settings=settings("seed", "llm", "prompt")
        log: PATHS.folder / "logs/language.log"
        resources: mem_mb=4000, runtime=60
        shell: "earmark language {ARGUMENTS} 2> {log}"


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


if OWN_PRETRAINING:
    rule pretrain:
        input:
            data=PATHS.dataset,
            before=lambda wildcards: segment_before("pretrain", int(wildcards.step)),
        output: PATHS.folder / "pretrain/step_{step}/done.json"
        params:
            settings=stage_settings("pretrain") + objective_settings(),
            flags=lambda wildcards: "".join(f"--before {path}" for path in segment_before("pretrain", int(wildcards.step))),
        log: PATHS.folder / "logs/pretrain/step_{step}.log"
        priority: 50
        threads: PROCESSES
        resources: mem_mb=4000, runtime=480
        shell: "{TRAIN} pretrain {wildcards.step} {params.flags} 2> {log}"


rule post_train:
    input:
        data=PATHS.dataset,
        llm=LLM,
        before=lambda wildcards: segment_before(wildcards.instance, int(wildcards.step)),
        encoder=swap,
    output: PATHS.folder / "{instance}/step_{step}/done.json"
    wildcard_constraints: instance=r"align|ia_sft_\d+|joint"
    params:
        settings=lambda wildcards: stage_settings(kind_of(wildcards.instance)),
        flags=flags,
    log: PATHS.folder / "logs/{instance}/step_{step}.log"
    priority: 40
    threads: PROCESSES
    resources: mem_mb=6000, runtime=480
    shell: "{TRAIN} {wildcards.instance} {wildcards.step} {params.flags} 2> {log}"
