# Four stages, each a chain of segments. Pretraining is a static chain; the others follow the decisions of the watch.


if not RUN.shares.data:

    rule language:
        input:
            PATHS.dataset,
        output:
            LLM,
        log:
            PATHS.folder / "logs/language.log",
        resources:
            **asks(needed.language(RUN, SITE)),
        params:
            run=arguments,
            settings=settings("seed", "llm", "prompt"),
        shell:
            "earmark language {params.run} 2> {log}"


if OWN_PRETRAINING:

    rule pretrain:
        input:
            data=PATHS.dataset,
            before=lambda wildcards: segment_before("pretrain", int(wildcards.step)),
        output:
            PATHS.folder / "pretrain/step_{step}/done.json",
        log:
            PATHS.folder / "logs/pretrain/step_{step}.log",
        priority: 50
        threads: training_needs("pretrain").threads
        resources:
            **asks(training_needs("pretrain")),
        params:
            run=training_arguments,
            settings=stage_settings("pretrain") + objective_settings(),
            flags=lambda wildcards: "".join(
                f"--before {path}" for path in segment_before("pretrain", int(wildcards.step))
            ),
        shell:
            "earmark train {params.run} pretrain {wildcards.step} {params.flags} 2> {log}"


rule post_train:
    input:
        data=PATHS.dataset,
        llm=LLM,
        before=lambda wildcards: segment_before(wildcards.instance, int(wildcards.step)),
        encoder=swap,
    output:
        PATHS.folder / "{instance}/step_{step}/done.json",
    log:
        PATHS.folder / "logs/{instance}/step_{step}.log",
    wildcard_constraints:
        instance=r"align|ia_sft_\d+|joint",
    priority: 40
    threads: training_needs("joint").threads
    resources:
        **placed(training_needs("joint")),
        mem_mb=lambda wildcards: training_needs(wildcards.instance).mem_mb,
        runtime=lambda wildcards: training_needs(wildcards.instance).minutes,
    params:
        run=training_arguments,
        settings=lambda wildcards: stage_settings(kind_of(wildcards.instance)),
        flags=flags,
    shell:
        "earmark train {params.run} {wildcards.instance} {wildcards.step} {params.flags} 2> {log}"
