# The CKA watch, and the entropy metrics of snapshots. Only `decide` knows tau.


if OWN_PRETRAINING:

    rule cka:
        input:
            current=PATHS.folder / "pretrain/step_{step}/done.json",
            reference=PATHS.folder / "pretrain/step_{reference}/done.json",
        output:
            PATHS.folder / "cka/score_{step}_ref_{reference}.json",
        log:
            PATHS.folder / "logs/cka/{step}_ref_{reference}.log",
        priority: 100
        threads: needed.watch(RUN, SITE).threads
        resources:
            **asks(needed.watch(RUN, SITE)),
        params:
            run=arguments,
            settings=str(RUN.watch.utterances),
        shell:
            "earmark cka {params.run} {input.current} {input.reference} {output} 2> {log}"

    checkpoint decide:
        input:
            score=lambda wildcards: str(PATHS.score(int(wildcards.step), reference_of(int(wildcards.step)))),
            before=decision_before,
        output:
            PATHS.folder / "cka/decision_{step}.json",
        log:
            PATHS.folder / "logs/decide/{step}.log",
        priority: 100
        localrule: True
        params:
            run=arguments,
            settings=settings("watch"),
            before=lambda wildcards: "".join(f"--before {path}" for path in decision_before(wildcards)),
        shell:
            "earmark decide {params.run} {input.score} {output} {params.before} 2> {log}"

    rule trace:
        input:
            [PATHS.decision(step) for step in WATCHED],
        output:
            PATHS.trace,
        log:
            PATHS.folder / "logs/trace.log",
        localrule: True
        shell:
            "earmark trace {output} {input} 2> {log}"

    rule embeddings:
        input:
            PATHS.dataset,
        output:
            PATHS.embeddings,
        log:
            PATHS.folder / "logs/embeddings.log",
        threads: needed.embeddings(RUN, SITE).threads
        resources:
            **asks(needed.embeddings(RUN, SITE)),
        params:
            run=arguments,
            settings=settings("evaluation"),
        shell:
            "earmark embeddings {params.run} {output} 2> {log}"


rule entropy:
    input:
        embeddings=PATHS.embeddings,
        snapshot=PATHS.folder / "{instance}/step_{step}/done.json",
        llm=LLM,
    output:
        PATHS.folder / "entropy/{instance}_{step}.json",
    log:
        PATHS.folder / "logs/entropy/{instance}_{step}.log",
    priority: -10
    threads: needed.entropy(RUN, SITE).threads
    resources:
        **asks(needed.entropy(RUN, SITE)),
    params:
        run=arguments,
        settings=settings("evaluation"),
    shell:
        "earmark entropy {params.run} {input.embeddings} {input.snapshot} {output} 2> {log}"
