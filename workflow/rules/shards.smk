# Labelled manifests -> shards -> the one manifest that training sees. A job that was killed keeps the shards it finished.


rule shards:
    input:
        rules.label.output,
    output:
        PATHS.folder / "shards/{corpus}/part_{part}/done.json",
    log:
        PATHS.folder / "logs/shards/{corpus}_{part}.log",
    threads: needed.data("shards").threads
    resources:
        **asks(needed.data("shards")),
    params:
        run=arguments,
        settings=shard_settings,
        sources=sources,  # a recording of the same length leaves the labels as they were
    shell:
        "earmark shards {params.run} {wildcards.corpus} --part {wildcards.part} --workers {threads} 2> {log}"


rule dataset:
    input:
        [PATHS.shards_done(name, part) for name, corpus in CORPORA.items() for part in range(corpus.parts)],
    output:
        PATHS.dataset,
    log:
        PATHS.folder / "logs/dataset.log",
    resources:
        **asks(needed.data("dataset", sum(corpus.parts for corpus in CORPORA.values()))),
    params:
        run=arguments,
        settings=dataset_settings(),
    shell:
        "earmark dataset {params.run} 2> {log}"


rule data:
    input:
        rules.dataset.output,
