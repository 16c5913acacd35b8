# The CKA watch, and the entropy metrics of snapshots. Only `decide` knows tau.


def reference_of(step):
    """Pretraining step that the snapshot of `step` is compared with."""
    position = WATCHED.index(step)
    return state_of(WATCHED[position - 1])["reference"] if position else RUN.watch.first_step


def decision_before(wildcards):
    """The decision before, if there is one."""
    position = WATCHED.index(int(wildcards.step))
    return [str(PATHS.decision(WATCHED[position - 1]))] if position else []


if OWN_PRETRAINING:
    rule cka:
        input:
            current=PATHS.folder / "pretrain/step_{step}/done.json",
            reference=PATHS.folder / "pretrain/step_{reference}/done.json",
        output: PATHS.folder / "cka/score_{step}_ref_{reference}.json"
        params: settings=str(RUN.watch.utterances)
        log: PATHS.folder / "logs/cka/{step}_ref_{reference}.log"
        priority: 100
        resources: mem_mb=3000, runtime=30
        shell: "earmark cka {ARGUMENTS} {input.current} {input.reference} {output} 2> {log}"

    checkpoint decide:
        input:
            score=lambda wildcards: str(PATHS.score(int(wildcards.step), reference_of(int(wildcards.step)))),
            before=decision_before,
        output: PATHS.folder / "cka/decision_{step}.json"
        params:
            settings=settings("watch"),
            before=lambda wildcards: "".join(f"--before {path}" for path in decision_before(wildcards)),
        log: PATHS.folder / "logs/decide/{step}.log"
        priority: 100
        localrule: True
        shell: "earmark decide {ARGUMENTS} {input.score} {output} {params.before} 2> {log}"

    rule trace:
        input: [PATHS.decision(step) for step in WATCHED]
        output: PATHS.trace
        localrule: True
        shell: "earmark trace {output} {input}"

    rule embeddings:
        input: PATHS.dataset
        output: PATHS.embeddings
        params: settings=settings("evaluation")
        log: PATHS.folder / "logs/embeddings.log"
        resources: mem_mb=3000, runtime=60
        shell: "earmark embeddings {ARGUMENTS} {output} 2> {log}"


rule entropy:
    input:
        embeddings=PATHS.embeddings,
        snapshot=PATHS.folder / "{instance}/step_{step}/done.json",
    output: PATHS.folder / "entropy/{instance}_{step}.json"
    params: settings=settings("evaluation")
    log: PATHS.folder / "logs/entropy/{instance}_{step}.log"
    priority: -10
    resources: mem_mb=3000, runtime=60
    shell: "earmark entropy {ARGUMENTS} {input.embeddings} {input.snapshot} {output} 2> {log}"
